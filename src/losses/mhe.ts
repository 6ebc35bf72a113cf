// Minimum hyperspherical energy of class vectors, the inter-class term of SphereFace+: class vectors repel each
// other like charges on a sphere, so that they spread over it.
import { UserError } from '../common/errors.js';
import { div, log, maximum, mean, mul, sqrt, sub, sum, type Tensor } from '../graph/index.js';
import { type ClassShare, classShare } from './class-share.js';
import { broughtToUnitLength } from './class-vectors.js';
import { defineLoss } from './definition.js';
import { oneOf } from './options.js';

/** Options of `mhe`. */
export interface MheOptions {
  /** s of f(d) = d^-s; 0 stands for log(1/d). */
  power: 0 | 1 | 2;
}

/** The option `power`, which `sphereface-plus` has too. */
export const energyPower = oneOf<0 | 1 | 2>(2, [0, 1, 2]);

/** Squared distances of unit class vectors are at least this: equal ones have a large energy, not an infinite one. */
const CLOSEST = 1e-6;

/**
 * Mean over the batch of the mean energy between the class vector of a sample and all others, f of their
 * distance when brought to unit length. `classVectors` [K, D], the classes of `here`.
 */
export function interClassEnergy(classVectors: Tensor, here: ClassShare, power: 0 | 1 | 2): Tensor {
  const unit = broughtToUnitLength(classVectors, here);
  const cosines = unit.products(here.toClasses(unit.own()));
  const squared = maximum(sub(2, mul(cosines, 2)), CLOSEST);
  const energy =
    power === 2 ? div(1, squared) : power === 1 ? div(1, sqrt(squared)) : mul(log(squared), -0.5);
  const ofOthers = here.sum(sum(mul(energy, sub(1, here.chosen)), [1]));
  return mul(mean(ofOthers), 1 / (here.total - 1));
}

export const mhe = defineLoss<MheOptions>({
  name: 'mhe',
  title: 'Hyperspherical energy',
  formula: 'mean_i mean_{j != y} f(|w_y - w_j|), unit w, f(d) = d^-s, log(1/d) for s = 0',
  paper: 'Liu et al., Learning towards Minimum Hyperspherical Energy, NeurIPS 2018',
  kind: 'energy',
  options: { power: energyPower },
  build(context, { power }) {
    const { classVectors } = context;
    if (!classVectors) {
      throw new UserError(
        "mhe: there are no class vectors to spread; name a loss that has them before it, as in 'a-softmax+mhe'",
      );
    }
    const loss = interClassEnergy(classVectors, classShare(context), power);
    return { loss, schedule: [], metrics: {} };
  },
});
