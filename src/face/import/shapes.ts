// When two shapes mean the same parameter: the numbers lie in the same order, whatever axes of length 1 or
// flattened axes stand around them.

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const longer = (shape: readonly number[]): number[] => shape.filter((length) => length !== 1);

/** How a shape is shown. */
export const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/**
 * Whether `theirs` is `ours`: equal but for axes of length 1 ([1, C] is [C], a depthwise [C, 1, 3, 3] Caffe's
 * [1, C, 3, 3]), or with all axes behind the first flattened (a fully connected layer over [C, H, W]).
 */
export function sameShape(ours: readonly number[], theirs: readonly number[]): boolean {
  const [a, b] = [longer(ours), longer(theirs)];
  if (String(a) === String(b)) return true;
  return Math.min(a.length, b.length) === 2 && a[0] === b[0] && product(a) === product(b);
}

/** Whether `theirs` is one slope that all channels share. */
export const sharedSlope = (name: string, theirs: readonly number[]): boolean =>
  name.endsWith('.slope') && product(theirs) === 1;
