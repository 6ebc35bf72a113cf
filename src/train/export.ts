// The end of a run: the embedder without its loss as a plain ONNX model, with the facts that whoever loads
// it needs (input, preprocessing, training data) in the model's metadata and in model.json beside it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lowerInference } from '../lower/index.js';
import type { Config } from './config.js';
import { FILES, type Identities, writeJson } from './run-folder.js';
import { embedder } from './step.js';

/** Name of the exported model's output. */
const OUTPUT = 'embedding';

/** Writes model.onnx and model.json into the run folder from a state (weights by name; the rest is left out). */
export async function exportModel(
  config: Config,
  state: ReadonlyMap<string, Float32Array>,
  identities: Identities,
): Promise<void> {
  const { images, embedding } = embedder(config);
  const bytes = lowerInference({ inputs: [images], outputs: { [OUTPUT]: embedding }, weights: state });
  writeFileSync(join(config.out, FILES.model), bytes);
  writeJson(join(config.out, FILES.manifest), { people: identities.trained.length });
}
