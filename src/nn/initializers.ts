// How parameters start. An initialiser fills a shape from a stream of random numbers; each parameter has a
// stream of its own, named after it, so adding a layer does not change how the others start.
import { type Random, random } from '../common/random.js';
import { type Shape, sizeOf } from '../graph/index.js';

/** Start values of a parameter of `shape`, row-major. */
export type Initializer = (shape: Shape, stream: Random) => Float32Array;

const fill = (shape: Shape, value: () => number): Float32Array => {
  const values = new Float32Array(sizeOf(shape));
  // A loop: with millions of classes this is billions of calls, and Float32Array.from is many times slower.
  for (let i = 0; i < values.length; i++) values[i] = value();
  return values;
};

/** Number of inputs that one output sums over: all axes of [out, in, ...] but the first. */
const fanIn = (shape: Shape): number => sizeOf(shape.slice(1));

/**
 * Caffe's 'xavier' filler: uniform in [-sqrt(3 / fanIn), sqrt(3 / fanIn)], that is variance 1 / fanIn, for
 * weights stored [out, in, ...] (Glorot and Bengio 2010, with the number of inputs alone).
 */
export const xavier: Initializer = (shape, stream) => {
  const bound = Math.sqrt(3 / fanIn(shape));
  return fill(shape, () => bound * (2 * stream.uniform() - 1));
};

/** Normal with mean 0 and the given standard deviation. */
export const gaussian =
  (deviation: number): Initializer =>
  (shape, stream) =>
    fill(shape, () => deviation * stream.normal());

/** Every element the same. */
export const constantInitializer =
  (value: number): Initializer =>
  (shape) =>
    fill(shape, () => value);

/** Start values of all `parameters` by name: a pure function of the seed and of each parameter's name. */
export function initialParameters(
  parameters: readonly { name: string; shape: Shape; initializer: Initializer }[],
  seed: number,
): Map<string, Float32Array> {
  return new Map(
    parameters.map(({ name, shape, initializer }) => [
      name,
      initializer(shape, random(seed, 'initial', name)),
    ]),
  );
}

/** Rows drawn at once. */
const BLOCK = 4096;

/**
 * The rows from `from` to `to` - 1 of a parameter's start values, the same as in `initialParameters`, without ever
 * holding the others. For initialisers that fill row by row, each as the next: all of those here.
 */
export function initialRows(
  { name, shape, initializer }: { name: string; shape: Shape; initializer: Initializer },
  seed: number,
  { from, to }: { from: number; to: number },
): Float32Array {
  const stream = random(seed, 'initial', name);
  const [rows, ...rest] = shape as [number, ...number[]];
  const length = sizeOf(rest);
  const values = new Float32Array((to - from) * length);
  for (let at = 0; at < Math.min(rows, to); at += BLOCK) {
    const block = initializer([Math.min(BLOCK, rows - at), ...rest], stream);
    const [first, last] = [Math.max(from, at), Math.min(to, at + BLOCK, rows)];
    if (first < last) {
      values.set(block.subarray((first - at) * length, (last - at) * length), (first - from) * length);
    }
  }
  return values;
}
