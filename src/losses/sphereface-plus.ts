// SphereFace+: A-Softmax, which draws every class together, and the hyperspherical energy of the class vectors,
// which spreads the classes apart.
import { add, mul } from '../graph/index.js';
import { type ASoftmaxOptions, aSoftmax, aSoftmaxOptions } from './a-softmax.js';
import { classShare } from './class-share.js';
import { defineLoss } from './definition.js';
import { energyPower, interClassEnergy } from './mhe.js';
import { real } from './options.js';

/** Options of `sphereface-plus`. */
export interface SphereFacePlusOptions extends ASoftmaxOptions {
  /** s of the energy f(d) = d^-s. */
  power: 0 | 1 | 2;
  /** Weight of the energy. */
  weight: number;
}

export const sphereFacePlus = defineLoss<SphereFacePlusOptions>({
  name: 'sphereface-plus',
  title: 'SphereFace+',
  formula: 'A-Softmax + weight mean_i mean_{j != y} f(|w_y - w_j|)',
  paper: 'Liu et al., Learning towards Minimum Hyperspherical Energy, NeurIPS 2018',
  kind: 'classification',
  options: {
    ...aSoftmaxOptions,
    power: energyPower,
    weight: real(1, { from: 0 }),
  },
  target: ({ margin }) => aSoftmax.target!({ margin }),
  build(context, { power, weight, ...angular }) {
    const terms = aSoftmax.build(context, angular);
    const energy = interClassEnergy(terms.classVectors!, classShare(context), power);
    return {
      ...terms,
      loss: add(terms.loss, mul(energy, weight)),
      metrics: { ...terms.metrics, crossEntropy: terms.loss, energy },
    };
  },
});
