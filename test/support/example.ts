// A small graph over named inputs with values for them, as the tests of gradients and lowering use it.
// Example values are distinct and keep away from kinks, so that differences are smooth.
import type { Shape, Tensor } from '../../src/graph/index.js';
import * as graph from '../../src/graph/index.js';
import type { Values } from './interpreter.js';

/** A small graph over named inputs. */
export interface Example {
  title: string;
  /** Shapes of the float32 inputs by name; `w` and `slope` are parameters. */
  shapes: Record<string, Shape>;
  build: (inputs: Record<string, Tensor>) => Tensor;
  /** int32 inputs: a shape and the number that the values stay below. */
  integers?: Record<string, { shape: Shape; below: number }>;
  /** Float values are positive. */
  positive?: boolean;
  /** The value is a constant to the gradient. */
  constant?: boolean;
  /** Of several ranks, so that no single program computes it. */
  exchange?: boolean;
  /** What WebGPU promises of it, where that is less than single precision: the largest error of a value. */
  onWebGpu?: number;
}

/** An example's leaves with their values, its value, and the float leaves that can be differentiated. */
export interface Built {
  leaves: Tensor[];
  values: Record<string, Values>;
  floats: Tensor[];
  output: Tensor;
}

const PARAMETERS = ['w', 'slope'];

/** Values in (-2, 2), all different and none near 0, in an order that looks random; `nth` shifts them a little. */
export function distinctValues(count: number, nth = 0): Values {
  // Multiplying by a number prime to n visits 0 .. n-1 in a scattered order.
  const n = 2 * Math.ceil(count / 2) + 1;
  let step = Math.floor(n * 0.618) || 1;
  while (gcd(step, n) !== 1) step++;
  return Float64Array.from({ length: count }, (_, i) => {
    const place = (((i + 1) * step) % n) + 0.5 - (n + 1) / 2;
    return (4 * (place + (place >= 0 ? 0.2 : 0) + 0.013 * nth)) / (n + 1);
  });
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** Makes the leaves of an example and gives them values. */
export function buildExample({ shapes, integers = {}, positive, build }: Example): Built {
  const inputs: Record<string, Tensor> = {};
  const values: Record<string, Values> = {};
  Object.entries(shapes).forEach(([name, shape], nth) => {
    inputs[name] = PARAMETERS.includes(name) ? graph.parameter(name, shape) : graph.input(name, shape);
    const drawn = distinctValues(graph.sizeOf(shape), nth);
    values[name] = positive ? drawn.map((v) => Math.abs(v) + 0.3 + (v > 0 ? 0.017 : 0)) : drawn;
  });
  const floats = Object.values(inputs);
  for (const [name, { shape, below }] of Object.entries(integers)) {
    inputs[name] = graph.input(name, shape, 'int32');
    values[name] = Float64Array.from({ length: graph.sizeOf(shape) }, (_, i) => (i * 3 + 1) % below);
  }
  return { leaves: Object.values(inputs), values, floats, output: build(inputs) };
}

/** A scalar in which every element of `output` counts differently: what the tests differentiate. */
export function weighed(output: Tensor): Tensor {
  const weights = Float32Array.from({ length: graph.sizeOf(output.shape) }, (_, i) => Math.cos(1 + 2.3 * i));
  return graph.sum(graph.mul(output, graph.constant(weights, output.shape)));
}
