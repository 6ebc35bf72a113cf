// After an install: deletes the ONNX Runtime binaries of other systems, some 200 MB, from the copy of onnxruntime-node
// that this package carries inside itself. It touches no other package, fetches nothing, and never fails an install:
// what cannot be deleted stays. HYPERSPHERE_KEEP_BINARIES=1 keeps everything; npm's --os and --cpu are respected.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function prune() {
  // A checkout needs them all, to make the package.
  if (process.env.HYPERSPHERE_KEEP_BINARIES || existsSync(join(root, 'src'))) return;
  const bin = join(root, 'node_modules', 'onnxruntime-node', 'bin');
  const system = process.env.npm_config_os || process.platform;
  const processor = process.env.npm_config_cpu || process.arch;
  for (const version of readdirSync(bin)) {
    const own = join(bin, version, system, processor);
    // Where there is none for this machine, nothing is known about which is wanted.
    if (!existsSync(own)) continue;
    for (const folder of readdirSync(join(bin, version)))
      for (const name of readdirSync(join(bin, version, folder))) {
        const other = join(bin, version, folder, name);
        if (other !== own) rmSync(other, { recursive: true, force: true });
      }
  }
}

try {
  prune();
} catch {
  // A read-only store, another layout: the binaries do no harm where they are.
}
