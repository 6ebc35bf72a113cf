// How each loss of the tables is trained beside the common budget. The small scale's rates and annealing were chosen on
// people held out of the training faces, not on LFW (docs/training.md); at the paper's scale the published values
// stand, and where the paper gives none (the weights of joint losses), those of the loss's own paper or code.
import { type Annealing, L_SOFTMAX_ANNEALING, SPHEREFACE_ANNEALING } from '../../losses/index.js';
import type { RecipeSettings, Scale } from './paper-table.js';

export type RecipeId =
  | 'softmax-relu'
  | 'softmax'
  | 'softmax-no-bias'
  | 'modified-softmax'
  | 'a-softmax-m2'
  | 'a-softmax-m3'
  | 'a-softmax-m4'
  | 'l-softmax-m4'
  | 'softmax-contrastive'
  | 'triplet'
  | 'softmax-center';

/** The small scale's rate of losses whose logits carry the length of the features. */
export const SMALL_RATE = 0.05;

/** A lambda that leaves the margin a sixth of the logit: SphereFace's minimum, and L-Softmax's where a run is short. */
const MINIMUM = SPHEREFACE_ANNEALING.minimum;

/**
 * The gamma, to two digits, with which lambda comes down to `minimum` at the last step, if that is faster than
 * published. The default, half-way, is too fast for m = 4 in a run of some hundred steps: the embeddings shrink to
 * nothing (docs/training.md).
 */
export function slowGamma(steps: number, { base, power, gamma }: Annealing, minimum = MINIMUM): number {
  const fallen = (base / minimum) ** (1 / power) - 1;
  return Math.max(gamma, Number((fallen / steps).toPrecision(2)));
}

const aSoftmax = (margin: number, scale: Scale, steps: number): RecipeSettings => ({
  loss: 'a-softmax',
  lossOptions: {
    margin,
    ...(scale === 'small' && { annealing: { gamma: slowGamma(steps, SPHEREFACE_ANNEALING) } }),
  },
});

/** L-Softmax's published annealing ends at 0, which shrinks the embeddings to nothing in a short run. */
const lSoftmax = (margin: number, scale: Scale, steps: number): RecipeSettings => ({
  loss: 'l-softmax',
  lossOptions: {
    margin,
    ...(scale === 'small' && {
      annealing: { minimum: MINIMUM, gamma: slowGamma(steps, L_SOFTMAX_ANNEALING) },
    }),
  },
});

const RECIPES: Readonly<Record<RecipeId, (scale: Scale, steps: number) => RecipeSettings>> = {
  'softmax-relu': () => ({ loss: 'softmax', reluAfterFc1: true }),
  softmax: () => ({ loss: 'softmax' }),
  'softmax-no-bias': () => ({ loss: 'softmax', lossOptions: { bias: false } }),
  'modified-softmax': () => ({ loss: 'modified-softmax' }),
  'a-softmax-m2': (scale, steps) => aSoftmax(2, scale, steps),
  'a-softmax-m3': (scale, steps) => aSoftmax(3, scale, steps),
  'a-softmax-m4': (scale, steps) => aSoftmax(4, scale, steps),
  'l-softmax-m4': (scale, steps) => lSoftmax(4, scale, steps),
  'softmax-contrastive': () => ({
    loss: 'softmax+contrastive',
    lossOptions: { weights: { contrastive: 0.1 }, contrastive: { normalize: true } },
  }),
  triplet: () => ({ loss: 'triplet' }),
  // The weight of the center loss's published code.
  'softmax-center': () => ({ loss: 'softmax+center', lossOptions: { weights: { center: 0.008 } } }),
};

/** The settings of a recipe for a run of so many steps. */
export function recipeSettings(id: RecipeId, scale: Scale, steps: number): RecipeSettings {
  return { ...(scale === 'small' && { lr: SMALL_RATE }), ...RECIPES[id](scale, steps) };
}
