// One training step as one graph: the network, its loss, the gradient of the loss and the optimiser's
// update, from a batch of images to the next weights. The same network without the loss is the embedder.
import { argMax, cast, equal, gradients, input, mean, type Tensor, topological } from '../graph/index.js';
import { type LossTerms, lossNamed } from '../losses/index.js';
import type { StepGraph } from '../lower/index.js';
import { type Normalization, networkNamed, type Parameter, Scope } from '../nn/index.js';
import { sgdUpdates } from './sgd.js';

/** What the network is, a part of the run's configuration. */
export interface NetworkChoice {
  /** One of `networks`, such as 'sphereface-20'. */
  net: string;
  /** Input [height, width] in pixels. */
  size: readonly [number, number];
  /** Length of the embedding. */
  embedding: number;
  reluAfterFc1: boolean;
}

/** Which loss, a part of the run's configuration. */
export interface LossChoice {
  /** One of `losses`, or several with '+' between them. */
  loss: string;
  lossOptions: Record<string, unknown>;
}

/** What a training step is made of. */
export interface StepOptions extends NetworkChoice, LossChoice {
  /** Number of people trained on. */
  classes: number;
  /** Images a step. */
  batch: number;
  momentum: number;
  weightDecay: number;
}

/** Names of the step graph's inputs and outputs that every loss has. */
export const NAMES = {
  images: 'images',
  labels: 'labels',
  rate: 'rate',
  loss: 'loss',
  accuracy: 'accuracy',
} as const;

/** A training step graph and what feeds it. */
export interface TrainingStep {
  graph: StepGraph;
  /** Learned parameters of the network and of the loss. */
  parameters: readonly Parameter[];
  /** The optimiser's tensors, which start at zero. */
  velocities: readonly Tensor[];
  /** Scalar inputs that follow a schedule, such as lambda; steps are counted from 1. */
  schedule: LossTerms['schedule'];
  /**
   * From a batch to its `embedding` [batch, D] and, if the loss has them, its `classVectors` [K, D] and the
   * `decision` [batch] by its largest logit without margin; no update. Normalisations use their running
   * statistics, so an image's embedding is that of the exported model.
   */
  probe: StepGraph;
}

/** The network on images [N, C, H, W]; returns embeddings [N, embedding]. */
function buildNetwork(scope: Scope, images: Tensor, options: NetworkChoice, norm: Normalization): Tensor {
  const { embedding, reluAfterFc1 } = options;
  return networkNamed(options.net).build(scope, images, { embedding, reluAfterFc1, norm });
}

/** The network with its loss on images [N, C, H, W] and labels [N]. */
function buildWithLoss(
  scope: Scope,
  [images, labels]: readonly [Tensor, Tensor],
  options: StepOptions,
  norm: Normalization,
): LossTerms & { embedding: Tensor } {
  const embedding = buildNetwork(scope, images, options, norm);
  const context = { scope, embedding, labels, classes: options.classes };
  return { embedding, ...lossNamed(options.loss).build(context, options.lossOptions) };
}

/**
 * The step graph. Inputs: `images` float32 [batch, C, H, W], `labels` int32 [batch], the learning rate
 * `rate`, and the loss's scheduled scalars. Outputs: `loss` before the update, `accuracy` (share of the
 * batch whose largest logit without margin is its own person's) when the loss has logits, and the loss's
 * own metrics; all scalars.
 */
export function trainingStep(options: StepOptions): TrainingStep {
  const scope = new Scope();
  const images = input(NAMES.images, [options.batch, networkNamed(options.net).channels, ...options.size]);
  const labels = input(NAMES.labels, [options.batch], 'int32');
  const rate = input(NAMES.rate, []);
  const terms = buildWithLoss(scope, [images, labels], options, 'batch');

  const parameters = scope.parameters;
  const tensors = parameters.map((parameter) => parameter.tensor);
  const { state, velocities } = sgdUpdates(parameters, gradients(terms.loss, tensors, rate), {
    rate,
    momentum: options.momentum,
    weightDecay: options.weightDecay,
  });

  const outputs: Record<string, Tensor> = { ...terms.metrics, [NAMES.loss]: terms.loss };
  if (terms.logits) outputs[NAMES.accuracy] = accuracy(terms.logits, labels);
  const inputs = [images, labels, rate, ...terms.schedule.map((entry) => entry.input)];
  return {
    graph: { inputs, state, outputs },
    parameters,
    velocities,
    schedule: terms.schedule,
    probe: probeOf([images, labels], options),
  };
}

function probeOf(inputs: readonly [Tensor, Tensor], options: StepOptions): StepGraph {
  const { embedding, classVectors, logits } = buildWithLoss(new Scope(), inputs, options, 'running');
  const outputs: Record<string, Tensor> = {
    embedding,
    ...(classVectors && { classVectors }),
    ...(logits && { decision: argMax(logits, 1) }),
  };
  const needed = topological(Object.values(outputs)).filter(({ op }) => op === 'parameter');
  return { inputs, state: needed.map((parameter) => ({ parameter })), outputs };
}

/** Share of rows of logits [N, K] whose largest entry is the label's. */
export function accuracy(logits: Tensor, labels: Tensor): Tensor {
  return mean(cast(equal(argMax(logits, 1), labels), 'float32'));
}

/**
 * The embedder alone: the network on one image [1, C, H, W], for export, and behind it what the loss compares
 * where that is not the network's own embedding (a projection). Its normalisations are `folded`: its weights are
 * `foldNormalizations` of a run's state; `running`, it takes the state as it is.
 */
export function embedder(
  options: NetworkChoice & LossChoice,
  norm: Exclude<Normalization, 'batch'> = 'folded',
): {
  images: Tensor;
  embedding: Tensor;
  parameters: readonly Parameter[];
} {
  const scope = new Scope();
  const images = input(NAMES.images, [1, networkNamed(options.net).channels, ...options.size]);
  const features = buildNetwork(scope, images, options, norm);
  const embedding = lossNamed(options.loss).embed?.(scope, features, options.lossOptions) ?? features;
  return { images, embedding, parameters: scope.parameters };
}
