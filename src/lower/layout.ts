// How a tensor's elements lie in memory: a permutation of its axes, where physical axis i holds logical
// axis `layout[i]`. Operations of a graph speak of logical axes; a lowering may keep a value in another
// order (all images' pixels of one channel side by side, say) and the transposes between two values that
// agree on an order never come into being.
import type { Shape } from '../graph/index.js';

export type Layout = readonly number[];

/** Channel, image, row, column: one channel of the whole batch is one contiguous row of a matrix. */
export const CHANNEL_FIRST: Layout = [1, 0, 2, 3];
/** Image (or filter), row, column, channel. */
export const CHANNEL_LAST: Layout = [0, 2, 3, 1];
/** Kernels as tap row, tap column, filter, channel: one matrix a tap, as Winograd's transform wants them. */
export const TAPS_FIRST: Layout = [2, 3, 0, 1];

export const plainLayout = (rank: number): Layout => Array.from({ length: rank }, (_, i) => i);
export const sameLayout = (a: Layout, b: Layout): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);
export const isPlain = (layout: Layout): boolean => layout.every((axis, i) => axis === i);
/** Sizes in memory order. */
export const physicalShape = (shape: Shape, layout: Layout): number[] => layout.map((axis) => shape[axis]!);
/** The axis order that turns a value laid out as `from` into one laid out as `to`. */
export const between = (from: Layout, to: Layout): number[] => to.map((axis) => from.indexOf(axis));
