// SphereFace-R, the multiplicative angular margin revisited by its authors: without annealing, because features
// have a fixed length and m is small and need not be whole. v1 asks more of the true class, v2 makes the others
// look nearer than they are.
import { cos, minimum, mul, stopGradient, sub } from '../graph/index.js';
import { defineLoss, type LossContext } from './definition.js';
import { angleOf, type HeadSpec, marginHead } from './head.js';
import { oneOf, real } from './options.js';

/** Options of `sphereface-r-v1` and `sphereface-r-v2`. */
export interface SphereFaceROptions {
  /** s, with features 'hard'. */
  scale: number;
  margin: number;
  /** 'hard': all features have length s. 'none': they keep their own. */
  features: 'hard' | 'none';
  /**
   * 'detached' leaves out the gradient of what the margin changes about the cosine, which the length still
   * multiplies: the paper's characteristic gradient detachment. v1 needs it to start from scratch: beyond
   * theta = pi / m its target is flat, and the exact gradient of the true class is zero there.
   */
  gradient: 'exact' | 'detached';
}

const PAPER = 'Liu, Wen, Raj, Singh and Weller, SphereFace Revived, TPAMI 2022';

const options = {
  scale: real(30, { above: 0 }),
  margin: real(1.5, { from: 1, to: 8 }),
  features: oneOf('hard', ['hard', 'none']),
  gradient: oneOf('exact', ['exact', 'detached']),
};

const head = (
  context: LossContext,
  { scale, features }: SphereFaceROptions,
  change: Pick<HeadSpec, 'margin' | 'others'>,
) =>
  marginHead(context, {
    weights: 'unit',
    features: features === 'hard' ? 'unit' : 'free',
    ...(features === 'hard' && { scale }),
    ...change,
  });

export const sphereFaceR1 = defineLoss<SphereFaceROptions>({
  name: 'sphereface-r-v1',
  title: 'SphereFace-R v1',
  formula: 'z_y = s cos(min(m theta_y, pi)), z_j = s cos(theta_j)',
  paper: PAPER,
  kind: 'classification',
  options,
  target:
    ({ margin }) =>
    (theta) =>
      Math.cos(Math.min(margin * theta, Math.PI)),
  build: (context, chosen) =>
    head(context, chosen, {
      margin: ({ cosine, length }) => {
        const change = sub(cos(minimum(mul(angleOf(cosine), chosen.margin), Math.PI)), cosine);
        return mul(length, chosen.gradient === 'exact' ? change : stopGradient(change));
      },
    }),
});

export const sphereFaceR2 = defineLoss<SphereFaceROptions>({
  name: 'sphereface-r-v2',
  title: 'SphereFace-R v2',
  formula: 'z_y = s cos(theta_y), z_j = s cos(theta_j / m)',
  paper: PAPER,
  kind: 'classification',
  options,
  target: () => Math.cos,
  others:
    ({ margin }) =>
    (theta) =>
      Math.cos(theta / margin),
  build: (context, chosen) =>
    head(context, chosen, {
      others: (cosines) => {
        const narrowed = cos(mul(angleOf(cosines), 1 / chosen.margin));
        if (chosen.gradient === 'exact') return narrowed;
        return sub(cosines, stopGradient(sub(cosines, narrowed)));
      },
    }),
});
