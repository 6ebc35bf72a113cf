"""The same network in PyTorch, for the benchmark: reads its layers and weights from files, prints one JSON line with
its version and the first embedding, then embeds a batch for every line on standard input and answers with the
milliseconds."""
import argparse
import json
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class Network(nn.Module):
    """The layers, as a list of functions over named values."""

    def __init__(self, file):
        super().__init__()
        described = json.load(open(file))
        numbers = np.fromfile(file[: -len("json")] + "bin", dtype=np.float32)
        self.output = described["output"]
        self.steps = []
        for i, layer in enumerate(described["layers"]):
            attributes = layer["attributes"]
            tensors = [
                torch.from_numpy(numbers[w["start"] : w["start"] + int(np.prod(w["shape"]))].reshape(w["shape"]).copy())
                for w in layer["weights"]
            ]
            module = None
            if layer["op"] == "Conv":
                weight, bias = (tensors + [None])[:2]
                group = attributes.get("group", 1)
                pads = attributes.get("pads", [0, 0, 0, 0])
                module = nn.Conv2d(
                    weight.shape[1] * group, weight.shape[0], tuple(weight.shape[2:]), attributes.get("strides", 1),
                    tuple(pads[:2]), groups=group, bias=bias is not None)
                module.weight.data = weight
                if bias is not None:
                    module.bias.data = bias
            elif layer["op"] == "PRelu":
                module = nn.PReLU(tensors[0].numel())
                module.weight.data = tensors[0].reshape(-1)
            elif layer["op"] in ("Gemm", "MatMul"):
                weight = tensors[0] if attributes.get("transB") else tensors[0].t().contiguous()
                module = nn.Linear(weight.shape[1], weight.shape[0], bias=len(tensors) > 1)
                module.weight.data = weight
                if len(tensors) > 1:
                    module.bias.data = tensors[1].reshape(-1)
            elif layer["op"] not in ("Add", "Reshape"):
                raise SystemExit(f"{layer['op']} is not known here")
            if layer["op"] == "Add" and tensors:
                raise SystemExit("a sum with a constant is not known here")
            if module is not None:
                self.add_module(f"layer{i}", module)
            self.steps.append((layer["op"], module, layer["inputs"], layer["output"]))

    def forward(self, x):
        values = {"images": x}
        for op, module, inputs, output in self.steps:
            taken = [values[name] for name in inputs]
            if op == "Add":
                values[output] = taken[0] + taken[1]
            elif op == "Reshape":
                values[output] = torch.flatten(taken[0], 1)
            else:
                values[output] = module(taken[0])
        return values[self.output]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--layers", required=True)
    for name in ["height", "width", "batch", "threads"]:
        options.add_argument("--" + name, type=int, required=True)
    options.add_argument("--channels-last", action="store_true")
    options.add_argument("--frozen", action="store_true")
    options = options.parse_args()

    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    network = Network(options.layers).eval().to(memory_format=layout)
    shape = (options.batch, 3, options.height, options.width)
    numbers = np.arange(int(np.prod(shape)), dtype=np.int64) * 7919 % 2003 / 1001.5 - 1
    images = torch.from_numpy(numbers.astype(np.float32).reshape(shape)).to(memory_format=layout)
    if options.frozen:
        network = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, images)))
    first = network(images)[0].tolist()

    print(json.dumps({"version": torch.__version__, "embedding": first}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        network(images)
        print(f"{(time.perf_counter() - start) * 1e3:.3f}", flush=True)


if __name__ == "__main__":
    main()
