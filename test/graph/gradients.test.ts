// Every operation's vector-Jacobian product against central differences, both in double precision.
import { describe, expect, test } from 'vitest';
import {
  add,
  constant,
  conv2d,
  exp,
  gradients,
  input,
  maxPool2d,
  mul,
  operationNames,
  parameter,
  relu,
  ShapeError,
  sizeOf,
  stopGradient,
  sum,
  type Tensor,
  topological,
} from '../../src/graph/index.js';
import { buildExample, weighed } from '../support/example.js';
import { interpret, interpreted, type Values } from '../support/interpreter.js';
import { EXAMPLES } from '../support/operations.js';

const STEP = 1e-5;

/** d y / d (values of `name`) for a scalar y. */
function centralDifferences(y: Tensor, values: Record<string, Values>, name: string): Values {
  const at = (i: number, shift: number) => {
    const moved = values[name]!.slice();
    moved[i]! += shift;
    return interpret([y], { ...values, [name]: moved })[0]![0]!;
  };
  return values[name]!.map((_, i) => (at(i, STEP) - at(i, -STEP)) / (2 * STEP));
}

describe('gradients', () => {
  test('the examples use every operation, and the interpreter knows every operation', () => {
    const used = new Set(
      EXAMPLES.flatMap((example) => topological([buildExample(example).output]).map((t) => t.op)),
    );
    expect([...used].sort()).toEqual(operationNames());
    expect(interpreted).toEqual(operationNames());
  });

  test.each(EXAMPLES.map((example) => [example.title, example] as const))('%s', (_, example) => {
    const { values, floats, output } = buildExample(example);
    const y = weighed(output);
    const derived = interpret(gradients(y, floats), values);
    floats.forEach((leaf, i) => {
      const name = leaf.attributes.name as string;
      expect(derived[i]!.length).toBe(sizeOf(leaf.shape));
      const differences = centralDifferences(y, values, name);
      if (example.constant) {
        expect([...derived[i]!]).toEqual(new Array(derived[i]!.length).fill(0));
        return;
      }
      const scale = Math.max(1, ...differences.map(Math.abs));
      differences.forEach((difference, k) => {
        expect(Math.abs(derived[i]![k]! - difference) / scale, `d/d${name}[${k}]`).toBeLessThan(1e-8);
      });
    });
  });

  test('a second derivative is the gradient of a gradient', () => {
    const x = input('x', [3]);
    const [first] = gradients(sum(mul(x, exp(x))), [x]);
    const [second] = gradients(sum(first!), [x]);
    const values = Float64Array.of(-1, 0.5, 2);
    const [actual] = interpret([second!], { x: values });
    values.forEach((v, i) => {
      expect(actual![i]).toBeCloseTo((v + 2) * Math.exp(v), 10);
    });
  });

  test('what the loss does not depend on gets zeros of its own shape', () => {
    const x = input('x', [2]);
    const unused = parameter('w', [3, 2]);
    const stopped = parameter('s', [2]);
    const wanted = gradients(sum(mul(x, stopGradient(stopped))), [unused, stopped]);
    expect(wanted.map((t) => t.shape)).toEqual([[3, 2], [2]]);
    const values = interpret(wanted, { x: [1, 2], w: new Float64Array(6), s: [3, 4] });
    expect(values.map((v) => [...v])).toEqual([
      [0, 0, 0, 0, 0, 0],
      [0, 0],
    ]);
  });

  test('the gradient of a value in the middle of the graph, and of the loss itself', () => {
    const x = input('x', [2]);
    const middle = mul(x, 3);
    const loss = sum(mul(middle, middle));
    const [atMiddle, atLoss] = interpret(gradients(loss, [middle, loss]), { x: [1, 2] });
    expect([...atMiddle!]).toEqual([6, 12]);
    expect([...atLoss!]).toEqual([1]);
  });

  test('a tensor used twice gets the sum of both gradients', () => {
    const x = input('x', []);
    const y = add(mul(x, x), mul(x, 5));
    expect(interpret(gradients(y, [x]), { x: [3] })[0]![0]).toBe(11);
  });

  test('the seed scales the gradients', () => {
    const x = input('x', [2]);
    const rate = input('rate', []);
    const [g] = interpret(gradients(sum(mul(x, x)), [x], rate), { x: [1, 2], rate: [0.5] });
    expect([...g!]).toEqual([1, 2]);
  });

  test('relu has slope 0 at 0', () => {
    const x = input('x', [3]);
    expect([...interpret(gradients(sum(relu(x)), [x]), { x: [-1, 0, 1] })[0]!]).toEqual([0, 0, 1]);
  });

  test('of equal values in a window the first, row by row, gets the gradient of maximum pooling', () => {
    // The gradients that PyTorch's max_pool2d gives these windows of 2x2, two of which hang over the edge.
    const x = input('x', [1, 1, 3, 4]);
    const values = [5, 5, 0, 0, 5, 5, 0, 0, 0, -1, -2, -2];
    const y = maxPool2d(x, { kernel: 2, ceil: true });
    const weights = constant(Float32Array.of(1, 2, 3, 4), y.shape);
    const [g] = interpret(gradients(sum(mul(y, weights)), [x]), { x: values });
    expect([...g!]).toEqual([1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0]);
  });

  test('overlapping windows of equal values each give theirs to their own first', () => {
    const x = input('x', [1, 1, 3, 3]);
    const y = maxPool2d(x, { kernel: 2, stride: 1 });
    const weights = constant(Float32Array.of(1, 2, 3, 4), y.shape);
    const [g] = interpret(gradients(sum(mul(y, weights)), [x]), { x: new Float64Array(9).fill(7) });
    expect([...g!]).toEqual([1, 2, 0, 3, 4, 0, 0, 0, 0]);
  });

  test('only a scalar can be differentiated', () => {
    const x = input('x', [1, 1, 3, 3]);
    const y = conv2d(x, parameter('w', [1, 1, 3, 3]));
    expect(() => gradients(y, [x])).toThrow(ShapeError);
    expect(() => gradients(y, [x])).toThrow(/scalar.*\[1, 1, 1, 1\]/);
  });
});
