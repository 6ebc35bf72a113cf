"""FAISS as a step server: builds an index from a file of templates, says when it is ready, then answers each empty
line with the milliseconds that one search of all probes took. The rows it finds are left in a file."""

import argparse
import json
import os
import sys
import time

import faiss
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--templates", required=True, help="a safetensors file with the tensor 'templates', F32 [N, D]")
parser.add_argument("--probes", required=True, help="float32 [P, D], raw")
parser.add_argument("--found", required=True, help="where the rows found go: int32 [P, k], raw")
parser.add_argument("--index", choices=["flat", "hnsw"], required=True)
parser.add_argument("--k", type=int, required=True)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--links", type=int, default=32, help="HNSW: links of a node (M)")
parser.add_argument("--construction", type=int, default=40, help="HNSW: efConstruction")
parser.add_argument("--ef", type=int, default=128, help="HNSW: efSearch")
parser.add_argument("--cache", help="HNSW: where a built index is kept")
options = parser.parse_args()

faiss.omp_set_num_threads(options.threads)
with open(options.templates, "rb") as file:
    header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    start = file.tell()
entry = header["templates"]
assert entry["dtype"] == "F32"
count, length = entry["shape"]
templates = np.memmap(options.templates, np.float32, "r", start + entry["data_offsets"][0], (count, length))
probes = np.fromfile(options.probes, np.float32).reshape(-1, length)

began = time.perf_counter()
if options.index == "flat":
    index = faiss.IndexFlatIP(length)
else:
    index = faiss.IndexHNSWFlat(length, options.links, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = options.construction
cached = options.cache and os.path.exists(options.cache)
if cached:
    index = faiss.read_index(options.cache)
else:
    for first in range(0, count, 65536):
        index.add(np.ascontiguousarray(templates[first : first + 65536]))
    if options.cache:
        faiss.write_index(index, options.cache)
built = time.perf_counter() - began
if options.index == "hnsw":
    index.hnsw.efSearch = options.ef

_, rows = index.search(probes, options.k)
rows.astype(np.int32).tofile(options.found)
print(json.dumps({"version": faiss.__version__, "built": built, "cached": bool(cached)}), flush=True)

for _ in sys.stdin:
    began = time.perf_counter()
    index.search(probes, options.k)
    print((time.perf_counter() - began) * 1000, flush=True)
