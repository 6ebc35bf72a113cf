// Before `npm pack`: makes the onnxruntime-node that goes into the package installable everywhere. As published it
// has a postinstall script that fetches CUDA libraries from outside the npm registry and fails the install where that
// host cannot be reached; the bundled one has no scripts. It also lacks a copy of the library for macOS: the binding
// loads libonnxruntime.1.dylib, and libonnxruntime.VERSION.dylib holds the same bytes.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const runtime = join(root, 'node_modules', 'onnxruntime-node');

const manifest = join(runtime, 'package.json');
const { scripts: _, ...kept } = JSON.parse(readFileSync(manifest, 'utf8'));
// A new file under the old name: the old one may be a hard link into a package manager's store.
writeFileSync(`${manifest}.new`, `${JSON.stringify(kept, null, 2)}\n`);
renameSync(`${manifest}.new`, manifest);

for (const system of ['darwin/arm64', 'linux/arm64', 'linux/x64', 'win32/arm64', 'win32/x64'])
  if (!existsSync(join(runtime, 'bin', 'napi-v6', system, 'onnxruntime_binding.node')))
    throw new Error(`${runtime}: the binaries for ${system} are missing; run npm ci --ignore-scripts`);

const binaries = join(runtime, 'bin', 'napi-v6', 'darwin', 'arm64');
const names = readdirSync(binaries);
const loaded = 'libonnxruntime.1.dylib';
for (const name of names.filter((name) => /^libonnxruntime\..*\.dylib$/.test(name) && name !== loaded)) {
  if (!readFileSync(join(binaries, name)).equals(readFileSync(join(binaries, loaded))))
    throw new Error(
      `${join(binaries, name)}: is not the same as ${loaded}; see what loads it before packing`,
    );
  rmSync(join(binaries, name));
}
