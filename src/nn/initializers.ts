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

/** What the start values of a parameter depend on, beside the seed. */
interface Startable {
  readonly name: string;
  readonly shape: Shape;
  readonly initializer: Initializer;
  /** See `Parameter`. */
  readonly perClass?: boolean;
}

/** Start values of all `parameters` by name: a pure function of the seed and of each parameter's name. */
export function initialParameters(parameters: readonly Startable[], seed: number): Map<string, Float32Array> {
  return new Map(
    parameters.map((parameter) => {
      const { name, shape, initializer, perClass } = parameter;
      const values = perClass
        ? initialRows(parameter, seed, { from: 0, to: shape[0]! })
        : initializer(shape, random(seed, 'initial', name));
      return [name, values];
    }),
  );
}

/** Rows that share a stream, so that a rank with some of millions of classes draws little more than its own. */
const BLOCK = 4096;

/**
 * The rows from `from` to `to` - 1 of the start values of a parameter with one row a class: the same as in
 * `initialParameters`, without the others.
 */
export function initialRows(
  { name, shape, initializer }: Startable,
  seed: number,
  { from, to }: { from: number; to: number },
): Float32Array {
  const [rows, ...rest] = shape as [number, ...number[]];
  const length = sizeOf(rest);
  const values = new Float32Array((to - from) * length);
  const end = Math.min(rows, to);
  for (let number = Math.floor(from / BLOCK); number * BLOCK < end; number++) {
    const at = number * BLOCK;
    const stream = random(seed, 'initial', name, ...(number === 0 ? [] : [number]));
    const block = initializer([Math.min(BLOCK, rows - at), ...rest], stream);
    const [first, last] = [Math.max(from, at), Math.min(end, at + BLOCK)];
    values.set(block.subarray((first - at) * length, (last - at) * length), (first - from) * length);
  }
  return values;
}
