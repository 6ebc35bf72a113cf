// Where a function of one number changes its sign: regions and boundaries of the figures are found with it, from
// the losses' own functions, and not drawn after formulas.

/**
 * A place between `inside`, where `f` >= 0, and `outside`, where f < 0, at which f changes its sign: the last
 * number found inside, at most a rounding error away from one outside.
 */
export function boundaryBetween(f: (at: number) => number, inside: number, outside: number): number {
  let [last, first] = [inside, outside];
  for (let i = 0; i < 200; i++) {
    const middle = (last + first) / 2;
    if (middle === last || middle === first) break;
    if (f(middle) >= 0) last = middle;
    else first = middle;
  }
  return last;
}

/** The stretches of [from, to] on which f >= 0, looked for at `steps` + 1 places. */
export function stretches(
  f: (at: number) => number,
  from: number,
  to: number,
  steps: number,
): [from: number, to: number][] {
  const at = (i: number): number => from + ((to - from) * i) / steps;
  const found: [number, number][] = [];
  let start: number | undefined;
  for (let i = 0; i <= steps; i++) {
    const inside = f(at(i)) >= 0;
    if (inside && start === undefined) start = i === 0 ? from : boundaryBetween(f, at(i), at(i - 1));
    if (!inside && start !== undefined) {
      found.push([start, boundaryBetween(f, at(i - 1), at(i))]);
      start = undefined;
    }
  }
  if (start !== undefined) found.push([start, to]);
  return found;
}
