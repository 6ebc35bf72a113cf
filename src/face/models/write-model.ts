// A model and its manifest as files: the ONNX file, which carries the manifest in its metadata, and the same with the
// file's hash in a JSON file beside it.
import { rm } from 'node:fs/promises';
import { writeWhole } from '../../common/files.js';
import { type Manifest, manifestFile } from './manifest.js';

/**
 * Writes `bytes` to `file` (.onnx) and `manifest` beside it. The manifest of an older model goes first, so that a run
 * that is killed in between never leaves it beside the new model.
 */
export async function writeModel(file: string, bytes: Uint8Array, manifest: Manifest): Promise<void> {
  const beside = manifestFile(file);
  await rm(beside, { force: true });
  await writeWhole(file, bytes);
  await writeWhole(beside, `${JSON.stringify(manifest, null, 2)}\n`);
}
