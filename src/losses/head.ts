// The one head behind every margin loss: softmax cross-entropy over changed logits. A loss says whether
// class vectors and features are brought to unit length, whether there is a bias, what the scale is, and
// what the margin changes about the true class; all else is here.
import {
  acos,
  add,
  cast,
  constant,
  div,
  exp,
  greaterEqual,
  l2Normalize,
  log,
  logSoftmax,
  max,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  norm,
  type Shape,
  sizeOf,
  stopGradient,
  sub,
  sum,
  type Tensor,
} from '../graph/index.js';
import { constantInitializer, type Initializer, xavier } from '../nn/index.js';
import { type ClassShare, classShare } from './class-share.js';
import { asTheyAre, broughtToUnitLength, type ClassVectors, withGradientOf } from './class-vectors.js';
import type { LossContext, LossTerms, Scheduled } from './definition.js';

/** The true class of each sample, for a margin to work on. */
export interface TrueClass {
  /** The features that are multiplied, [N, D]: as they are, or of unit length. */
  readonly features: Tensor;
  /** cos(theta_y), [N, 1]; rounding can carry it past 1 by 1e-7. */
  readonly cosine: Tensor;
  /** Length of the features times length of the class vector, [N, 1] or a scalar 1: what multiplies the cosine. */
  readonly length: Tensor;
  /** The class vector that is multiplied, [N, D], a constant to the gradient. */
  classVector(): Tensor;
}

/** A margin loss as what it changes about softmax. */
export interface HeadSpec {
  /**
   * Class vectors: 'free' as learned; 'unit' divided by their length in the graph; 'renormalised' kept at
   * unit length by a constraint after every update, and differentiated as if they were free.
   */
  readonly weights: 'free' | 'unit' | 'renormalised';
  /** Features: 'free' (the logit carries their length) or 'unit'. */
  readonly features: 'free' | 'unit';
  /** A bias a class, with doubled rate and no decay. Default false. */
  readonly bias?: boolean;
  /**
   * Multiplies all products: a number, or learned (`scale`, without decay) from `start` and kept at or above
   * `floor` by a constraint after every update, so that it has a gradient there too. Default 1.
   */
  readonly scale?: number | { readonly start: number; readonly floor: number };
  /** What the margin adds to the true class's inner product, [N, 1]; see `replaceCosine`. Default nothing. */
  readonly margin?: (truth: TrueClass) => Tensor;
  /** What the cosines of all classes but the true one become, [N, K] to [N, K]. Default themselves. */
  readonly others?: (cosines: Tensor) => Tensor;
  /** The class vectors [K, D] of a loss that has them from elsewhere than a parameter. */
  readonly vectors?: Tensor;
  readonly schedule?: readonly Scheduled[];
}

/** The margin that puts `target(cos(theta_y))` in the place of cos(theta_y). */
export const replaceCosine =
  (target: (cosine: Tensor) => Tensor) =>
  ({ cosine, length }: TrueClass): Tensor =>
    mul(length, sub(target(cosine), cosine));

/** A learned scale stays at or above this (NormFace). */
export const LEARNED_SCALE_FLOOR = 0.01;

/**
 * The angle of a cosine in radians, also where rounding has carried it past -1 or 1. At the ends, where acos has no
 * finite slope, the gradient is 0: on a tie it goes to the bound. The next cosines in single precision have a slope
 * of 3,000, which a feature so near its class vector takes back.
 */
export const angleOf = (cosine: Tensor): Tensor => acos(minimum(maximum(cosine, -1), 1));

/**
 * Class vectors W [K, D] are the parameter `fc6.weight`, the bias `fc6.bias` [K], as in the published
 * definition; a learned scale is `scale`. With X and W brought to unit length or not, as the spec says,
 *
 *     z_j = s (X . W_j + [j = y] margin) + b_j,    loss = -mean log softmax(z)_y
 *
 * The margin touches [N, 1] values alone, so it costs nothing beside the product with the class vectors.
 * The metrics are `cosine`, the mean of cos(theta_y), and `embeddingLength`, the mean of |x|.
 */
export function marginHead(context: LossContext, spec: HeadSpec): LossTerms {
  const { scope, embedding } = context;
  const here = classShare(context);
  const features = spec.features === 'unit' ? l2Normalize(embedding) : embedding;
  const vectors = classVectors(context, here, spec);
  const products = vectors.products(here.toClasses(features));

  const embeddingLength = norm(embedding);
  const classLength = vectors.ownLength();
  const length = spec.features === 'unit' ? classLength : mul(embeddingLength, classLength);
  const cosine = div(here.pick(products), length);
  const classVector = () => stopGradient(vectors.own());
  // With `others`, every class is changed and the true class then given back what it was, and its margin.
  const everywhere = spec.others ? otherwise(products, here.toClasses(length), spec.others) : products;
  const margin = spec.margin?.({ features, cosine, length, classVector });
  const given = spec.others ? here.pick(sub(products, everywhere)) : undefined;
  const forTrue = margin && given ? add(margin, given) : (margin ?? given);
  const changed = forTrue ? add(everywhere, here.put(forTrue)) : everywhere;

  const scale = scaleOf(context, here, spec);
  const bias = spec.bias
    ? scope.child('fc6').parameter('bias', [here.classes], constantInitializer(0), {
        ...{ rate: 2, decay: 0, perClass: true },
      })
    : undefined;
  const finish = (z: Tensor): Tensor => {
    const scaled = scale === undefined ? z : mul(z, scale);
    return bias ? add(scaled, bias) : scaled;
  };
  const logits = finish(changed);
  const plain = changed === products ? logits : finish(products);
  return {
    ...(context.shard
      ? { loss: sharedCrossEntropy(logits, here), hits: areLargest(plain, here) }
      : { loss: neg(mean(here.pick(logSoftmax(logits)))), logits: plain }),
    classVectors: vectors.all,
    schedule: spec.schedule ?? [],
    metrics: { cosine: mean(cosine), embeddingLength: mean(embeddingLength) },
  };
}

const otherwise = (products: Tensor, length: Tensor, others: (cosines: Tensor) => Tensor): Tensor =>
  mul(length, others(div(products, length)));

const largestOf = (rows: Tensor, here: ClassShare): Tensor =>
  here.max(stopGradient(max(rows, [1], { keepDims: true })));

/** Mean cross-entropy of logits [N, K] of which every rank has some columns: it takes three numbers a sample. */
function sharedCrossEntropy(logits: Tensor, here: ClassShare): Tensor {
  const largest = largestOf(logits, here);
  const exponentials = exp(sub(logits, here.toClasses(largest)));
  const total = here.sum(sum(exponentials, [1], { keepDims: true }));
  return mean(sub(add(log(total), largest), here.pick(logits)));
}

/** [N, 1]: 1 where no class has a larger logit than the true one. */
const areLargest = (logits: Tensor, here: ClassShare): Tensor =>
  cast(greaterEqual(here.pick(stopGradient(logits)), largestOf(logits, here)), 'float32');

function classVectors(
  { scope, embedding }: LossContext,
  here: ClassShare,
  { weights, vectors }: HeadSpec,
): ClassVectors {
  const shape = [here.classes, embedding.shape[1]!];
  const fc6 = scope.child('fc6');
  if (weights === 'renormalised') {
    const learned = fc6.parameter('weight', shape, unitRows(xavier), {
      constraint: (updated) => l2Normalize(updated),
      perClass: true,
    });
    const unit = withGradientOf(l2Normalize(learned), learned);
    return { ...asTheyAre(unit, here), ownLength: () => constant(1) };
  }
  const learned = vectors ?? fc6.parameter('weight', shape, xavier, { perClass: true });
  return weights === 'unit' ? broughtToUnitLength(learned, here) : asTheyAre(learned, here);
}

function scaleOf({ scope }: LossContext, here: ClassShare, { scale }: HeadSpec): Tensor | number | undefined {
  if (typeof scale !== 'object') return scale;
  const learned = scope.parameter('scale', [], constantInitializer(scale.start), {
    decay: 0,
    constraint: (updated) => maximum(updated, scale.floor),
  });
  return here.toClasses(learned);
}

/** An initializer whose rows are brought to unit length. */
export const unitRows =
  (initializer: Initializer): Initializer =>
  (shape: Shape, stream) => {
    const values = initializer(shape, stream);
    const length = sizeOf(shape.slice(1));
    for (let start = 0; start < values.length; start += length) {
      const row = values.subarray(start, start + length);
      const size = Math.hypot(...row) || 1;
      for (let i = 0; i < length; i++) row[i]! /= size;
    }
    return values;
  };
