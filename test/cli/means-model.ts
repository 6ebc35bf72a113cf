// A model whose embedding is the mean of each colour plane of an 8x8 face: what it says of drawn pictures is plain.
import { writeFileSync } from 'node:fs';
import { encodeModel } from '../../src/lower/onnx.js';

/** Writes the model and returns the flags that name it and say how its input is prepared. */
export function meansModel(file: string): string[] {
  const attributes = { axes: [2, 3], keepdims: 0 };
  const graph = {
    name: 'means',
    inputs: [{ name: 'x', dtype: 'float32' as const, shape: ['N', 3, 8, 8] }],
    outputs: [{ name: 'y', dtype: 'float32' as const, shape: ['N', 3] }],
    initializers: [],
    nodes: [{ opType: 'ReduceMean', inputs: ['x'], outputs: ['y'], attributes }],
  };
  writeFileSync(file, encodeModel({ opset: 17, graph }));
  return ['--model', file, '--order', 'rgb', '--mean', '127.5', '--scale', '1/128', '--threads', '1'];
}
