// The points of a curve of rates that carry it: where it turns. Between them it runs straight along an axis, so a
// curve of a million trials is kept exactly in as many points as it has turns.

/**
 * Indices of the points of a monotone curve (`x` and `y` are [n]) without those inside a horizontal or vertical run,
 * rising; the first and the last stay.
 */
export function cornersOf(x: ArrayLike<number>, y: ArrayLike<number>): number[] {
  const last = x.length - 1;
  const inside = (values: ArrayLike<number>, i: number) =>
    values[i - 1] === values[i] && values[i] === values[i + 1];
  const kept: number[] = [];
  for (let i = 0; i <= last; i++) {
    if (i > 0 && i < last && (inside(x, i) || inside(y, i))) continue;
    kept.push(i);
  }
  return kept;
}
