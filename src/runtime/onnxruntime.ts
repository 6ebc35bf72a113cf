// The one place that loads ONNX Runtime; its telemetry is turned off before (test/runtime/no-telemetry.test.ts).
import './no-telemetry.js';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export { env, InferenceSession, Tensor } from 'onnxruntime-node';

const LIBRARIES: Partial<Record<NodeJS.Platform, RegExp>> = {
  linux: /^libonnxruntime\.so/,
  darwin: /^libonnxruntime\..*dylib$/,
  win32: /^onnxruntime\.dll$/,
};

/** The file of the library that the Node binding loads, which lies beside it. */
export function libraryFile(): string {
  const root = path.join(createRequire(import.meta.url).resolve('onnxruntime-node'), '..', '..', 'bin');
  const version = readdirSync(root).find((name) => name.startsWith('napi-'))!;
  const folder = path.join(root, version, process.platform, process.arch);
  const file = readdirSync(folder).find((name) => LIBRARIES[process.platform]?.test(name));
  if (file === undefined) throw new Error('no library');
  return path.join(folder, file);
}
