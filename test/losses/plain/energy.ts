// Minimum hyperspherical energy between classes (Liu et al. 2018), alone for joints, and in SphereFace+.
import { classificationLosses } from './classification.js';
import { mean, type Options, type Reference, squaredDistance, unit } from './point.js';

/** Mean over the batch of the mean over the other classes of f(|w_y - w_j|). */
export function energy(weights: number[][], labels: number[], power: number): number {
  const rows = weights.map(unit);
  const repulsion = (squared: number): number => {
    const z = Math.sqrt(Math.max(1e-6, squared));
    return power === 0 ? Math.log(1 / z) : z ** -power;
  };
  return mean(
    labels.map((y) =>
      mean(rows.flatMap((w, j) => (j === y ? [] : [repulsion(squaredDistance(rows[y]!, w))]))),
    ),
  );
}

const spherefacePlus: Reference = (point, options: Options, fixed) => {
  const base = classificationLosses['a-softmax']!(point, options, fixed);
  const term = energy(point.state['fc6.weight']!, point.labels, options.power);
  return { ...base, value: base.value + options.weight * term };
};

export const energyLosses: Readonly<Record<string, Reference>> = { 'sphereface-plus': spherefacePlus };
