// A-Softmax, the loss of SphereFace: the angle to the true class must be m times smaller than to the others.
import { add, div, mul, sqrt, square, stopGradient, sub, sum, type Tensor } from '../graph/index.js';
import { annealedHead } from './annealed-head.js';
import { type Annealing, annealingOption, SPHEREFACE_ANNEALING } from './annealing.js';
import { withGradientOf } from './class-vectors.js';
import { defineLoss } from './definition.js';
import { type HeadSpec, marginHead, type TrueClass } from './head.js';
import { oneOf } from './options.js';
import { psi, psiOf, psiSlopeOf } from './psi.js';

/** Options of `a-softmax`. */
export interface ASoftmaxOptions {
  /** m, a whole number from 1 (modified softmax) to 4. */
  margin: 1 | 2 | 3 | 4;
  /** The true gradient of the loss, or what the original Caffe layer hands back; see `originalGradient`. */
  gradient: 'exact' | 'caffe';
  annealing: Annealing;
}

/** The options of `a-softmax`, which `sphereface-plus` has too. */
export const aSoftmaxOptions = {
  margin: oneOf<1 | 2 | 3 | 4>(4, [1, 2, 3, 4]),
  gradient: oneOf<'exact' | 'caffe'>('exact', ['exact', 'caffe']),
  annealing: annealingOption(SPHEREFACE_ANNEALING),
};

/**
 * z_y = |x| (lambda cos(theta_y) + psi(theta_y)) / (1 + lambda), z_j = |x| cos(theta_j). Without a margin
 * (m = 1) psi is the cosine, lambda has no part, and no schedule is returned.
 *
 * 'exact' divides class vectors by their length in the graph. 'caffe' is the original layer as a whole: its
 * gradient, and class vectors brought to unit length after every update and at the start, which is what
 * renormalising in place at every forward pass comes to.
 */
export const aSoftmax = defineLoss<ASoftmaxOptions>({
  name: 'a-softmax',
  title: 'A-Softmax',
  formula: 'z_y = |x| (lambda cos(theta_y) + psi(theta_y)) / (1 + lambda), z_j = |x| cos(theta_j), |W_j| = 1',
  paper: 'Liu et al., SphereFace, CVPR 2017, equation 7 and appendix G',
  kind: 'classification',
  options: aSoftmaxOptions,
  target:
    ({ margin }) =>
    (theta) =>
      psi(Math.cos(theta), margin),
  build(context, { margin, gradient, annealing }) {
    const weights = gradient === 'exact' ? 'unit' : 'renormalised';
    const plain: HeadSpec = { weights, features: 'free' };
    if (margin === 1) return marginHead(context, plain);
    if (gradient === 'exact') return annealedHead(context, plain, { margin, annealing });
    return annealedHead(context, plain, {
      margin,
      annealing,
      gradientOf: (value, truth, share) => withGradientOf(value, originalGradient(truth, margin, share)),
    });
  },
});

/**
 * A tensor [N, 1] with the gradient that the original layer gives to what the margin adds. The logit
 * f = |x| psi(c) has df/dx = a w + b x with a = psi'(c) and b = (psi(c) - c psi'(c)) / |x|; the original
 * takes (a w + b x) / sqrt(a^2 + b^2) instead, weighs it with 1 / (1 + lambda), and adds the plain
 * lambda / (1 + lambda) w. Its gradient with respect to the class vectors is the plain inner product's.
 * The head has the plain product already, so what is left is ((a w + b x) / sqrt(a^2 + b^2) - w) / (1 + lambda)
 * for x and nothing for w. Coefficients are taken times |x|, so that a zero embedding divides by nothing.
 */
function originalGradient(truth: TrueClass, margin: number, share: Tensor): Tensor {
  const { features, cosine, length } = truth;
  const slope = psiSlopeOf(cosine, margin);
  const a = mul(length, slope);
  const b = sub(psiOf(cosine, margin), mul(cosine, slope));
  const size = sqrt(add(square(a), square(b)));
  const w = truth.classVector();
  const direction = sub(add(mul(div(a, size), w), mul(div(b, size), features)), w);
  return sum(mul(features, stopGradient(mul(share, direction))), [1], { keepDims: true });
}
