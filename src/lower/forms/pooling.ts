// Maximum pooling as ONNX has it.
import { poolingOf } from '../../graph/index.js';
import type { Form } from '../context.js';

export const poolingForms: readonly Form[] = [
  {
    op: 'maxPool2d',
    write(node, context) {
      const { kernel: k, stride: s, ceil } = poolingOf(node);
      const attributes = { kernel_shape: [k, k], strides: [s, s], ceil_mode: ceil ? 1 : 0 };
      context.define(node, context.writer.node('MaxPool', [context.value(node.inputs[0]!)], attributes));
    },
  },
];
