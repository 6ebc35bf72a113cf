"""SphereFace in PyTorch on a device, training or embedding, for the benchmark: prints one JSON line about itself, then
takes one step for every line on standard input and answers with its milliseconds."""
import argparse
import json
import os
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "train-step"))
from pytorch_server import sphereface  # noqa: E402


def main():
    options = argparse.ArgumentParser()
    for name in ["depth", "batch", "classes", "threads"]:
        options.add_argument("--" + name, type=int, required=True)
    options.add_argument("--work", choices=["train", "embed"], required=True)
    options.add_argument("--device", choices=["cpu", "cuda"], required=True)
    options.add_argument("--channels-last", action="store_true")
    options.add_argument("--tf32", action="store_true")
    options = options.parse_args()

    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    torch.backends.cuda.matmul.allow_tf32 = options.tf32
    torch.backends.cudnn.allow_tf32 = options.tf32
    torch.backends.cudnn.benchmark = True
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    network = sphereface(options.depth, options.classes).to(options.device, memory_format=layout)
    # A batch starts in the memory of the CPU on every side, and is handed to the device with the step.
    images = torch.rand(options.batch, 3, 112, 96) * 2 - 1
    labels = torch.arange(options.batch) % options.classes

    if options.work == "train":
        optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)

        def step():
            optimiser.zero_grad()
            given = images.to(options.device, memory_format=layout)
            loss = F.cross_entropy(network(given), labels.to(options.device))
            loss.backward()
            optimiser.step()
            float(loss.detach())
    else:
        embedder = network[:-1].eval()

        def step():
            with torch.inference_mode():
                embedder(images.to(options.device, memory_format=layout)).cpu()

    card = torch.cuda.get_device_name() if options.device == "cuda" else ""
    print(json.dumps({"version": torch.__version__, "card": card}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        step()
        print(f"{(time.perf_counter() - start) * 1e3:.3f}", flush=True)


if __name__ == "__main__":
    main()
