// ArcFace, the additive angular margin. cos(theta + m) would rise again beyond theta = pi - m; from there on a
// lower curve that keeps falling takes its place.
import {
  add,
  greater,
  lessEqual,
  maximum,
  mul,
  sqrt,
  square,
  sub,
  type Tensor,
  where,
} from '../graph/index.js';
import { defineLoss } from './definition.js';
import { marginHead, replaceCosine } from './head.js';
import { flag, real } from './options.js';

/** Options of `arcface`. */
export interface ArcFaceOptions {
  /** s */
  scale: number;
  /** m in radians. */
  margin: number;
  /** Ask for the margin only within 90 degrees; beyond, the plain cosine. The one target that is not monotone. */
  easyMargin: boolean;
}

/** sin^2(theta) below this is taken as zero: there the sine has no finite slope in the cosine. */
const SINE_FLOOR = 1e-12;

/**
 * What stands for cos(theta): cos(theta + m) up to theta = pi - m, beyond it cos(theta) - m sin(m), which lies
 * below -1 for every m in [0, pi/2] and falls to the end. With `easy`, cos(theta + m) below 90 degrees and
 * cos(theta) from there on, which is higher by sin(m).
 */
export function arcTarget(theta: number, margin: number, easy: boolean): number {
  if (easy) return Math.cos(theta) > 0 ? Math.cos(theta + margin) : Math.cos(theta);
  return theta <= Math.PI - margin ? Math.cos(theta + margin) : Math.cos(theta) - margin * Math.sin(margin);
}

/** `arcTarget` on a tensor of cosines; value and gradient are finite for every cosine, past -1 and 1 too. */
export function arcTargetOf(cosine: Tensor, margin: number, easy: boolean): Tensor {
  const sine = sqrt(maximum(sub(1, square(cosine)), SINE_FLOOR));
  const turned = sub(mul(cosine, Math.cos(margin)), mul(sine, Math.sin(margin)));
  if (easy) return where(greater(cosine, 0), turned, cosine);
  const beyond = sub(cosine, margin * Math.sin(margin));
  return where(lessEqual(add(cosine, Math.cos(margin)), 0), beyond, turned);
}

export const arcFace = defineLoss<ArcFaceOptions>({
  name: 'arcface',
  title: 'ArcFace',
  formula: 'z_y = s cos(theta_y + m), z_j = s cos(theta_j)',
  paper: 'Deng, Guo, Xue and Zafeiriou, ArcFace, CVPR 2019, equation 3',
  kind: 'classification',
  options: {
    scale: real(64, { above: 0 }),
    margin: real(0.5, { from: 0, to: Math.PI / 2 }),
    easyMargin: flag(false),
  },
  target:
    ({ margin, easyMargin }) =>
    (theta) =>
      arcTarget(theta, margin, easyMargin),
  build: (context, { scale, margin, easyMargin }) =>
    marginHead(context, {
      weights: 'unit',
      features: 'unit',
      scale,
      margin: replaceCosine((cosine) => arcTargetOf(cosine, margin, easyMargin)),
    }),
});
