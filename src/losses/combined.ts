// The combined margin of the ArcFace paper: m1 multiplies the angle (SphereFace), m2 is added to it (ArcFace),
// m3 is taken from the cosine (CosFace).
import { add, cast, cos, greaterEqual, mul, sub, type Tensor } from '../graph/index.js';
import { defineLoss } from './definition.js';
import { angleOf, marginHead, replaceCosine } from './head.js';
import { real } from './options.js';

/** Options of `combined`. */
export interface CombinedOptions {
  /** s */
  scale: number;
  m1: number;
  /** In radians. */
  m2: number;
  m3: number;
}

/** The largest m1: far beyond what trains, and it bounds the pieces of the target. */
const M1_MAX = 8;

/**
 * cos(phi) for phi in [0, pi], continued like psi so that it falls for ever: (-1)^k cos(phi) - 2k for phi in
 * [k pi, (k+1) pi]. So every triple gives a target that falls over all of [0, pi], and (m, 0, 0) is A-Softmax.
 */
export function fallingCosine(phi: number): number {
  const k = Math.floor(phi / Math.PI);
  return (k % 2 === 0 ? 1 : -1) * Math.cos(phi) - 2 * k;
}

/** `fallingCosine` on a tensor of angles in [0, largest]. */
function fallingCosineOf(phi: Tensor, largest: number): Tensor {
  // k is the number of whole multiples of pi that phi has passed; (-1)^k and 2k are constants to the gradient.
  let value = cos(phi);
  for (let k = 1; k * Math.PI < largest; k++) {
    const passed = cast(greaterEqual(phi, k * Math.PI), 'float32');
    // A step from k-1 to k turns the sign, and lowers by 2: v becomes -v - (4k - 2) in terms of the last piece.
    value = sub(mul(value, sub(1, mul(passed, 2))), mul(passed, 4 * k - 2));
  }
  return value;
}

export const combined = defineLoss<CombinedOptions>({
  name: 'combined',
  title: 'Combined margin',
  formula: 'z_y = s (cos(m1 theta_y + m2) - m3), z_j = s cos(theta_j)',
  paper: 'Deng, Guo, Xue and Zafeiriou, ArcFace, CVPR 2019, equation 4',
  kind: 'classification',
  options: {
    scale: real(64, { above: 0 }),
    m1: real(1, { above: 0, to: M1_MAX }),
    m2: real(0.3, { from: 0, to: Math.PI }),
    m3: real(0.2, { from: 0, to: 2 }),
  },
  target:
    ({ m1, m2, m3 }) =>
    (theta) =>
      fallingCosine(m1 * theta + m2) - m3,
  build: (context, { scale, m1, m2, m3 }) =>
    marginHead(context, {
      weights: 'unit',
      features: 'unit',
      scale,
      margin: replaceCosine((cosine) => {
        const phi = mul(angleOf(cosine), m1);
        return sub(fallingCosineOf(add(phi, m2), m1 * Math.PI + m2), m3);
      }),
    }),
});
