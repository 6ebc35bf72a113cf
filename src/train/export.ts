// The end of a run: the embedder without its loss as a plain ONNX model, with the facts that whoever loads
// it needs (input, preprocessing, training data) in the model's metadata and in model.json beside it. What the
// loss has beside the network (class vectors, centres, a learned scale) goes into head.safetensors.

import { basename, join } from 'node:path';
import { writeWholeSync } from '../common/files.js';
import { writeSafetensors } from '../data/index.js';
import {
  alignmentOf,
  type Manifest,
  manifestBeside,
  manifestMetadata,
  templateLabel,
} from '../face/index.js';
import { nameOf } from '../graph/index.js';
import { lowerInference } from '../lower/index.js';
import { foldNormalizations } from '../nn/index.js';
import type { Config } from './config.js';
import { FILES, type Identities, writeJson } from './run-folder.js';
import { embedder, type TrainingStep } from './step.js';

/** Name of the exported model's output. */
const OUTPUT = 'embedding';

/** Writes model.onnx, model.json and head.safetensors into the run folder from a state (weights by name). */
export function exportModel(
  config: Config,
  state: ReadonlyMap<string, Float32Array>,
  identities: Identities,
  step: TrainingStep,
): void {
  const { images, embedding } = embedder(config);
  const [height, width] = config.size;
  const people = identities.trained.length;
  const count = identities.trained.reduce((sum, person) => sum + person.images, 0);
  const known = alignmentOf(config.data);
  const manifest: Manifest = {
    format: 'hypersphere-model/1',
    name: `${config.net} ${config.loss}`,
    // What writePlanes of src/data does to every training image.
    input: { name: nameOf(images), width, height, order: config.order, mean: 127.5, scale: 1 / 128 },
    crop: 'cover-centre',
    template: known ? templateLabel(known) : `as the faces of ${basename(config.data)} are aligned`,
    flip: 'concatenate',
    embedding: { length: embedding.shape[1]!, output: OUTPUT },
    metric: 'cosine',
    trainedOn: `${count} images of ${people} people in ${basename(config.data)}`,
    licence: 'not stated',
    training: { loss: config.loss, options: config.lossOptions, steps: config.steps, seed: config.seed },
  };
  const bytes = lowerInference({
    inputs: [images],
    outputs: { [OUTPUT]: embedding },
    weights: foldNormalizations(state),
    metadata: manifestMetadata(manifest),
  });
  writeWholeSync(join(config.out, FILES.model), bytes);
  writeJson(join(config.out, FILES.manifest), manifestBeside(manifest, bytes));
  const { parameters } = embedder(config, 'running');
  writeHead(config, state, step, new Set(parameters.map(({ name }) => name)));
}

/** Writes head.safetensors: what the loss has learned or keeps that the embedder does not need. */
function writeHead(
  config: Config,
  state: ReadonlyMap<string, Float32Array>,
  step: TrainingStep,
  exported: ReadonlySet<string>,
): void {
  // Class vectors that ranks share out stay in the checkpoints.
  const head = step.parameters.filter(({ name }) => !exported.has(name) && state.has(name));
  const tensors = head.map(({ name, shape }) => {
    const tensor = { dtype: 'float32' as const, shape: [...shape], data: state.get(name)! };
    return [name, tensor] as const;
  });
  writeWholeSync(join(config.out, FILES.head), writeSafetensors(new Map(tensors)));
}
