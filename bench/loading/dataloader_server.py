"""Batches of PyTorch's DataLoader over a folder of images, for the benchmark: prints one JSON line about itself, then
loads so many batches for every line on standard input and answers with the milliseconds they took."""
import argparse
import json
import os
import random
import sys
import time

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset


def files_below(folder):
    found = []
    for label, person in enumerate(sorted(os.listdir(folder))):
        inside = os.path.join(folder, person)
        if os.path.isdir(inside):
            names = [n for n in sorted(os.listdir(inside)) if n.lower().endswith((".jpg", ".png"))]
            found += [(os.path.join(inside, name), label) for name in names]
    return found


class Faces(Dataset):
    """Decoded, cropped about the centre, mirrored by chance, as planes (p - 127.5) / 128."""

    def __init__(self, files, height, width, decoder):
        self.files, self.height, self.width, self.decoder = files, height, width, decoder

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        path, label = self.files[index]
        if self.decoder == "cv2":
            import cv2
            pixels = cv2.imread(path)
        else:
            from PIL import Image
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
        top = (pixels.shape[0] - self.height) // 2
        left = (pixels.shape[1] - self.width) // 2
        pixels = pixels[top:top + self.height, left:left + self.width]
        if random.random() < 0.5:
            pixels = pixels[:, ::-1]
        planes = (pixels.transpose(2, 0, 1).astype(np.float32) - 127.5) / 128
        return torch.from_numpy(planes), label


class Batches:
    """So many random batches each time it is gone through."""

    def __init__(self, count, batch, batches):
        self.count, self.batch, self.batches = count, batch, batches

    def __iter__(self):
        for _ in range(self.batches):
            yield [random.randrange(self.count) for _ in range(self.batch)]

    def __len__(self):
        return self.batches


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--data", required=True)
    options.add_argument("--decoder", choices=["pil", "cv2"], required=True)
    for name in ["height", "width", "batch", "batches", "workers"]:
        options.add_argument("--" + name, type=int, required=True)
    options = options.parse_args()
    if options.decoder == "cv2":
        import cv2
        cv2.setNumThreads(0)
        version = "cv2 " + cv2.__version__
    else:
        import PIL
        version = "Pillow " + PIL.__version__
    torch.set_num_threads(1)
    files = files_below(options.data)
    faces = Faces(files, options.height, options.width, options.decoder)
    loader = DataLoader(
        faces, batch_sampler=Batches(len(files), options.batch, options.batches), num_workers=options.workers,
        persistent_workers=True, prefetch_factor=2)
    print(json.dumps({"version": version, "torch": torch.__version__}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        for images, _ in loader:
            assert images.shape == (options.batch, 3, options.height, options.width)
        print(f"{(time.perf_counter() - start) * 1e3:.3f}", flush=True)


if __name__ == "__main__":
    main()
