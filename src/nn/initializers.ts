// How parameters start. An initialiser fills a shape from a stream of random numbers; each parameter has a
// stream of its own, named after it, so adding a layer does not change how the others start.
import { type Random, random } from '../common/random.js';
import { type Shape, sizeOf } from '../graph/index.js';

/** Start values of a parameter of `shape`, row-major. */
export type Initializer = (shape: Shape, stream: Random) => Float32Array;

const fill = (shape: Shape, value: () => number): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, value);

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
