// One training step as one graph: the network, its loss, the gradient of the loss and the optimiser's
// update, from a batch of images to the next weights. The same network without the loss is the embedder.
import { argMax, cast, equal, gradients, input, mean, type Tensor, topological } from '../graph/index.js';
import { type LossTerms, lossNamed } from '../losses/index.js';
import type { StepGraph } from '../lower/index.js';
import { type Normalization, networkNamed, type Parameter, Scope } from '../nn/index.js';
import { meanOverRanks, ONE_RANK, ofWholeBatch, onOwnRows, type Parallel, shardInputs } from './parallel.js';
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
  /** Images a step, of all ranks together. */
  batch: number;
  momentum: number;
  weightDecay: number;
  /** On one rank of several, or with sampled classes; default: all of the step is here. */
  parallel?: Parallel;
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
  /** Whether a rank is fed the labels of the whole batch, or those of its own rows. */
  wholeBatch: boolean;
  /** Learned parameters of the network and of the loss. */
  parameters: readonly Parameter[];
  /** The gradients of the parameters, in their order, times the learning rate. */
  gradients: readonly Tensor[];
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

/** The same on one rank of several: images [batch / ranks, C, H, W], and labels of the same rows, or of the whole batch where the loss sees it. */
function buildOnRank(scope: Scope, images: Tensor, labels: Tensor, options: StepOptions) {
  const { parallel = ONE_RANK, batch, classes } = options;
  const own = onOwnRows(scope, parallel);
  const features = buildNetwork(own, images, options, 'batch');
  const loss = lossNamed(options.loss);
  if (!needsWholeBatch(options)) {
    // What a loss keeps of its rows is averaged, whatever batch normalisation goes by.
    const kept = onOwnRows(scope, { ...parallel, syncBatchNorm: false });
    const terms = loss.build({ scope: kept, embedding: features, labels, classes }, options.lossOptions);
    const mean = (x: Tensor) => meanOverRanks(x, parallel);
    return { terms, mean, inputs: [] };
  }
  const embedding = ofWholeBatch(features, parallel);
  const shard = shardInputs(batch, parallel);
  const terms = loss.build({ scope, embedding, labels, classes, shard }, options.lossOptions);
  return { terms, mean: (x: Tensor) => x, inputs: shard ? [shard.places, shard.here] : [] };
}

/** Whether the loss sees the whole batch on every rank. */
const needsWholeBatch = ({ loss, parallel }: Pick<StepOptions, 'loss' | 'parallel'>): boolean =>
  parallel?.shard !== undefined || lossNamed(loss).needs.wholeBatch === true;

/**
 * The step graph. Inputs: `images` float32 [batch, C, H, W], `labels` int32 [batch], the learning rate
 * `rate`, and the loss's scheduled scalars. Outputs: `loss` before the update, `accuracy` (share of the
 * batch whose largest logit without margin is its own person's) when the loss has logits, and the loss's
 * own metrics; all scalars.
 */
export function trainingStep(options: StepOptions): TrainingStep {
  const { batch, parallel = ONE_RANK } = options;
  const rows = batch / parallel.ranks;
  const scope = new Scope();
  const images = input(NAMES.images, [rows, networkNamed(options.net).channels, ...options.size]);
  const labels = input(NAMES.labels, [needsWholeBatch(options) ? batch : rows], 'int32');
  const rate = input(NAMES.rate, []);
  const { terms, mean, inputs: more } = buildOnRank(scope, images, labels, options);

  const parameters = scope.parameters;
  const tensors = parameters.map((parameter) => parameter.tensor);
  const loss = mean(terms.loss);
  const slopes = gradients(loss, tensors, rate);
  const { state, velocities } = sgdUpdates(parameters, slopes, {
    rate,
    momentum: options.momentum,
    weightDecay: options.weightDecay,
  });

  const outputs: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(terms.metrics)) outputs[name] = mean(value);
  outputs[NAMES.loss] = loss;
  const correct = correctShare(terms, labels);
  if (correct) outputs[NAMES.accuracy] = mean(correct);
  const inputs = [images, labels, rate, ...more, ...terms.schedule.map((entry) => entry.input)];
  return {
    graph: { inputs, state, outputs },
    wholeBatch: needsWholeBatch(options),
    parameters,
    gradients: slopes,
    velocities,
    schedule: terms.schedule,
    probe: probeOf(options),
  };
}

/** Share of samples whose largest logit is their own class's, where the loss has logits. */
function correctShare({ logits, hits }: LossTerms, labels: Tensor): Tensor | undefined {
  if (logits) return accuracy(logits, labels);
  return hits && mean(hits);
}

/** On one rank: the whole batch, with the whole head. */
function probeOf(options: StepOptions): StepGraph {
  const inputs = [
    input(NAMES.images, [options.batch, networkNamed(options.net).channels, ...options.size]),
    input(NAMES.labels, [options.batch], 'int32'),
  ] as const;
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
