"""The same training step in PyTorch, for the benchmark: prints one JSON line about itself, then runs one step for
every line on standard input and answers with its milliseconds."""
import argparse
import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

UNITS = {4: [0, 0, 0, 0], 10: [0, 1, 2, 0], 20: [1, 2, 4, 1], 36: [2, 4, 8, 2], 64: [3, 8, 16, 3]}


class Residual(nn.Module):
    """Two 3x3 convolutions, each with its PReLU; the sum comes after the second one."""

    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.PReLU(channels),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.PReLU(channels))

    def forward(self, x):
        return x + self.body(x)


def sphereface(depth, classes):
    layers, channels = [], 3
    for filters, units in zip([64, 128, 256, 512], UNITS[depth]):
        layers += [nn.Conv2d(channels, filters, 3, 2, 1), nn.PReLU(filters)]
        layers += [Residual(filters) for _ in range(units)]
        channels = filters
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512 * 7 * 6, 512), nn.Linear(512, classes))


def main():
    options = argparse.ArgumentParser()
    for name in ["depth", "batch", "classes", "threads"]:
        options.add_argument("--" + name, type=int, required=True)
    options.add_argument("--channels-last", action="store_true")
    options = options.parse_args()

    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    network = sphereface(options.depth, options.classes).to(memory_format=layout)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    images = (torch.rand(options.batch, 3, 112, 96) * 2 - 1).to(memory_format=layout)
    labels = torch.arange(options.batch) % options.classes

    print(json.dumps({"version": torch.__version__}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        optimiser.zero_grad()
        loss = F.cross_entropy(network(images), labels)
        loss.backward()
        optimiser.step()
        float(loss.detach())
        print(f"{(time.perf_counter() - start) * 1e3:.3f}", flush=True)


if __name__ == "__main__":
    main()
