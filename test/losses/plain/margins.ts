// What each margin loss puts in the place of cos(theta), theta in [0, pi], written with the angle itself.
import type { Options } from './point.js';

/**
 * The falling continuation of the cosine: (-1)^k cos(phi) - 2k on [k pi, (k+1) pi]. With phi = m theta it is
 * psi, equation 7 of SphereFace.
 */
export function falling(phi: number): number {
  let k = 0;
  while (phi > (k + 1) * Math.PI) k++;
  return (k % 2 === 0 ? 1 : -1) * Math.cos(phi) - 2 * k;
}

/** Equation 7 of SphereFace; k stays below m, also where m theta passes m pi by rounding. */
export function psi(theta: number, m: number): number {
  let k = 0;
  while (k < m - 1 && theta > ((k + 1) * Math.PI) / m) k++;
  return (k % 2 === 0 ? 1 : -1) * Math.cos(m * theta) - 2 * k;
}

type Target = (theta: number, options: Options) => number;

const additiveCosine: Target = (theta, { margin }) => Math.cos(theta) - margin;

/** For the true class. */
export const targets: Readonly<Record<string, Target>> = {
  'a-softmax': (theta, { margin }) => psi(theta, margin),
  'sphereface-plus': (theta, { margin }) => psi(theta, margin),
  'l-softmax': (theta, { margin }) => psi(theta, margin),
  'am-softmax': additiveCosine,
  cosface: additiveCosine,
  arcface: (theta, { margin, easyMargin }) => {
    if (easyMargin) return theta < Math.PI / 2 ? Math.cos(theta + margin) : Math.cos(theta);
    return theta <= Math.PI - margin ? Math.cos(theta + margin) : Math.cos(theta) - margin * Math.sin(margin);
  },
  combined: (theta, { m1, m2, m3 }) => falling(m1 * theta + m2) - m3,
  'sphereface-r-v1': (theta, { margin }) => Math.cos(Math.min(margin * theta, Math.PI)),
  'sphereface-r-v2': (theta) => Math.cos(theta),
};

/** For the other classes, where it is not the cosine. */
export const others: Readonly<Record<string, Target>> = {
  'sphereface-r-v2': (theta, { margin }) => Math.cos(theta / margin),
};
