// A training step written by hand, small enough to follow on paper: linear regression y = x w by plain SGD.

import type { LoweredStep } from '../../src/lower/index.js';
import { encodeModel } from '../../src/lower/onnx.js';

/**
 * w [2, 3] is stored as its transpose [3, 2]; `offset` [3] is only read. Fed: x [4, 2], target [4, 3], rate [].
 * error = x w + offset - target; loss = mean(error^2) / 2; w' = w - rate x^T error / 12.
 */
export function tinyStep(): LoweredStep {
  const value = (name: string, shape: number[]) => ({ name, dtype: 'float32' as const, shape });
  const node = (opType: string, inputs: string[], output: string, attributes = {}) => ({
    opType,
    inputs,
    outputs: [output],
    attributes,
  });
  const inputs = [value('x', [4, 2]), value('target', [4, 3]), value('rate', [])];
  const model = encodeModel({
    opset: 17,
    graph: {
      name: 'tiny',
      inputs: [...inputs, value('w', [3, 2]), value('offset', [3])],
      outputs: [value('loss', []), value('w.next', [3, 2])],
      initializers: [
        { name: 'half', dtype: 'float32', shape: [], data: Float32Array.of(0.5) },
        { name: 'twelfth', dtype: 'float32', shape: [], data: Float32Array.of(1 / 12) },
      ],
      nodes: [
        node('Transpose', ['w'], 'wt', { perm: [1, 0] }),
        node('MatMul', ['x', 'wt'], 'xw'),
        node('Add', ['xw', 'offset'], 'y'),
        node('Sub', ['y', 'target'], 'error'),
        node('Mul', ['error', 'error'], 'squared'),
        node('ReduceMean', ['squared'], 'mean', { keepdims: 0 }),
        node('Mul', ['mean', 'half'], 'loss'),
        node('Transpose', ['error'], 'et', { perm: [1, 0] }),
        node('MatMul', ['et', 'x'], 'sum'),
        node('Mul', ['sum', 'twelfth'], 'gradient'),
        node('Mul', ['gradient', 'rate'], 'change'),
        node('Sub', ['w', 'change'], 'w.next'),
      ],
    },
  });
  return {
    model,
    inputs,
    outputs: [value('loss', [])],
    state: [
      { name: 'w', shape: [2, 3], layout: [1, 0], physicalShape: [3, 2], input: 'w', output: 'w.next' },
      { name: 'offset', shape: [3], layout: [0], physicalShape: [3], input: 'offset' },
    ],
    stepsPerCall: 1,
  };
}

export const tinyFeeds = {
  x: Float32Array.of(1, 0, 0, 1, 1, 1, 2, -1),
  target: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 1),
  rate: 0.5,
};
export const tinyState = { w: Float32Array.of(0, 1, 2, 3, 4, 5), offset: Float32Array.of(1, 0, -1) };

/** The same steps in plain loops and double precision: losses, and w afterwards. */
export function tinyTruth(steps: number): { losses: number[]; w: number[] } {
  const w = [...tinyState.w];
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    let loss = 0;
    const gradient = new Array<number>(6).fill(0);
    for (let i = 0; i < 4; i++) {
      for (let k = 0; k < 3; k++) {
        let y = tinyState.offset[k]!;
        for (let j = 0; j < 2; j++) y += tinyFeeds.x[i * 2 + j]! * w[j * 3 + k]!;
        const error = y - tinyFeeds.target[i * 3 + k]!;
        loss += (error * error) / 24;
        for (let j = 0; j < 2; j++) gradient[j * 3 + k]! += (tinyFeeds.x[i * 2 + j]! * error) / 12;
      }
    }
    losses.push(loss);
    for (let i = 0; i < 6; i++) w[i]! -= tinyFeeds.rate * gradient[i]!;
  }
  return { losses, w };
}
