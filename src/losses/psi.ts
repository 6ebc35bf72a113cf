// The margin function of L-Softmax and A-Softmax (Liu et al. 2016; Liu et al. 2017, equation 7 and after):
// psi(theta) = (-1)^k cos(m theta) - 2k for theta in [k pi/m, (k+1) pi/m], k = 0 .. m-1. It continues
// cos(m theta) so that it falls from 1 to 1 - 2m over [0, pi]. Here it is a function of c = cos(theta):
// cos(m theta) is the Chebyshev polynomial T_m(c), and k counts the thresholds cos(j pi/m) that c lies
// below, so no arccos is needed and value and slope are finite everywhere, at c = -1 and 1 too.
import { add, cast, constant, less, mul, sub, type Tensor } from '../graph/index.js';

/** cos(j pi/m) for j = 1 .. m-1: where k grows by one. */
const thresholds = (m: number): number[] =>
  Array.from({ length: m - 1 }, (_, j) => Math.cos(((j + 1) * Math.PI) / m));

/** psi at c = cos(theta) in [-1, 1], for a whole m of at least 1. From 1 at c = 1 down to 1 - 2m at c = -1. */
export function psi(c: number, m: number): number {
  const k = thresholds(m).filter((threshold) => c < threshold).length;
  return (-1) ** k * chebyshev(c, m, c) - 2 * k;
}

/** d psi / d c: (-1)^k m U_{m-1}(c), at least 0; m^2 at c = 1 and c = -1, and 0 at every threshold. */
export function psiSlope(c: number, m: number): number {
  const k = thresholds(m).filter((threshold) => c < threshold).length;
  return (-1) ** k * m * chebyshev(c, m - 1, 2 * c);
}

/** P_n(c) of P_0 = 1, P_1 = first, P_n = 2c P_(n-1) - P_(n-2): T_n with first = c, U_n with first = 2c. */
function chebyshev(c: number, n: number, first: number): number {
  let [previous, value] = [1, first];
  if (n === 0) return previous;
  for (let i = 1; i < n; i++) [previous, value] = [value, 2 * c * value - previous];
  return value;
}

/** `psi` on a tensor of cosines, elementwise; differentiable. */
export function psiOf(c: Tensor, m: number): Tensor {
  if (m === 1) return c;
  const { sign, twiceK } = piece(c, m);
  return sub(mul(sign, chebyshevOf(c, m, c)), twiceK);
}

/** `psiSlope` on a tensor of cosines, elementwise. */
export function psiSlopeOf(c: Tensor, m: number): Tensor {
  return m === 1 ? constant(1) : mul(mul(piece(c, m).sign, m), chebyshevOf(c, m - 1, mul(c, 2)));
}

/** (-1)^k and 2k, both constants to the gradient. */
function piece(c: Tensor, m: number): { sign: Tensor; twiceK: Tensor } {
  const twiceBelow = thresholds(m).map((threshold) => mul(cast(less(c, threshold), 'float32'), 2));
  return {
    sign: twiceBelow.map((two) => sub(1, two)).reduce((a, b) => mul(a, b)),
    twiceK: twiceBelow.reduce((a, b) => add(a, b)),
  };
}

function chebyshevOf(c: Tensor, n: number, first: Tensor): Tensor {
  let previous: Tensor | number = 1;
  let value = first;
  for (let i = 1; i < n; i++) [previous, value] = [value, sub(mul(mul(c, 2), value), previous)];
  return value;
}
