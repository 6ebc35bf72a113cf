// CoCo, the congenerous cosine loss: a feature is compared with the centroid of its class, which is not learned
// but is the mean of the class's features, those of the batch. So nothing but the features carries the classes.
import { add, cast, div, l2Normalize, less, maximum, mul, type Tensor } from '../graph/index.js';
import { xavier } from '../nn/index.js';
import { classSums } from './centres.js';
import { classShare } from './class-share.js';
import { defineLoss, type LossContext } from './definition.js';
import { marginHead, unitRows } from './head.js';
import type { Option } from './options.js';

/** Options of `coco`. */
export interface CocoOptions {
  /** s, or 'auto': what brings the loss of evenly spread classes down to `AUTO_LOSS`. */
  scale: number | 'auto';
}

/** The loss that the automatic scale can reach. */
const AUTO_LOSS = 0.01;

/**
 * The scale at which K classes spread as a regular simplex, each feature on its centroid, have the loss
 * `loss`: (K-1)/K log((K-1) / (e^loss - 1)).
 */
export const simplexScale = (classes: number, loss: number): number =>
  ((classes - 1) / classes) * Math.log((classes - 1) / Math.expm1(loss));

const scaleOption: Option<number | 'auto'> = {
  default: 'auto',
  valid: "'auto' or a number above 0",
  read: (value) =>
    value === 'auto' || (typeof value === 'number' && Number.isFinite(value) && value > 0)
      ? value
      : undefined,
};

/**
 * All centroids, [K, D]: of classes in the batch the mean of their unit features, through which the gradient
 * flows; of the others the last one seen, kept as `centroids`.
 */
function centroidsOf(context: LossContext): Tensor {
  const { scope, embedding } = context;
  const here = classShare(context);
  const share = (counts: Tensor): Tensor => div(1, maximum(counts, 1));
  const features = here.toClasses(l2Normalize(embedding));
  const { counts, sums: means } = classSums(features, here.chosen, share);
  const absent = cast(less(counts, 0.5), 'float32');
  const centroids = (kept: Tensor): Tensor => add(mul(kept, absent), means);
  const shape = [here.classes, embedding.shape[1]!];
  return centroids(scope.kept('centroids', shape, unitRows(xavier), centroids, { perClass: true }));
}

export const coco = defineLoss<CocoOptions>({
  name: 'coco',
  title: 'CoCo',
  formula: 'z_j = s cos(x, centroid_j), the centroid of the class in the batch, or the last one seen',
  paper: 'Liu, Li and Wang, Rethinking Feature Discrimination and Polymerization, 2017',
  kind: 'classification',
  needs: { imagesPerPerson: 2, wholeBatch: true },
  options: { scale: scaleOption },
  target: () => Math.cos,
  build: (context, { scale }) =>
    marginHead(context, {
      weights: 'unit',
      features: 'unit',
      vectors: centroidsOf(context),
      scale: scale === 'auto' ? simplexScale(context.classes, AUTO_LOSS) : scale,
    }),
});
