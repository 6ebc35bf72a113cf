// One training step of a projection as one graph, and where the projection starts: the same pieces as a network's
// step, with stored embeddings in the place of the network.
import { gradients, input } from '../graph/index.js';
import { losses } from '../losses/index.js';
import { Scope } from '../nn/index.js';
import { principalComponents } from '../theory/pca.js';
import { squaredNorm, type Vectors } from '../theory/vectors.js';
import type { ProjectionConfig } from './projection-config.js';
import type { Projection } from './projection-model.js';
import { sgdUpdates } from './sgd.js';
import { NAMES, type TrainingStep } from './step.js';

/** A step graph and what it starts from. */
export type ProjectionStep = Pick<TrainingStep, 'graph' | 'parameters' | 'velocities'>;

/** The step graph's input of embeddings. */
export const EMBEDDING = 'embedding';

/** The step graph: inputs `embedding` [B, D], `labels` and `rate`; outputs the loss and its metrics. */
export function projectionStep(
  config: ProjectionConfig,
  { length, people }: { length: number; people: readonly string[] },
): ProjectionStep {
  const { loss, lossOptions, batch, momentum, weightDecay } = config;
  const scope = new Scope();
  const embedding = input(EMBEDDING, [batch, length]);
  const labels = input(NAMES.labels, [batch], 'int32');
  const rate = input(NAMES.rate, []);
  const terms = losses[loss]!.build(
    { scope, embedding, labels, classes: people.length },
    { ...lossOptions, length: config.length },
  );
  const { parameters } = scope;
  const tensors = parameters.map(({ tensor }) => tensor);
  const { state, velocities } = sgdUpdates(parameters, gradients(terms.loss, tensors, rate), {
    rate,
    momentum,
    weightDecay,
  });
  const outputs = { ...terms.metrics, [NAMES.loss]: terms.loss };
  return { graph: { inputs: [embedding, labels, rate], state, outputs }, parameters, velocities };
}

/** T of the first d principal components of the embeddings, each at unit length. */
export function principalProjection(vectors: Vectors, length: number): Projection {
  const { length: from, original } = vectors;
  const unit = Float64Array.from(original);
  for (let start = 0; start < unit.length; start += from) {
    const norm = Math.sqrt(squaredNorm(original, start, from));
    for (let i = start; i < start + from; i++) unit[i]! /= norm;
  }
  const { directions } = principalComponents({ length: from, original: unit }, length);
  return { matrix: directions, length, from, metadata: {} };
}
