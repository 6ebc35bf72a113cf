// Maximum pooling as ONNX has it. Its ceil mode lets a window start behind the edge where the stride is larger
// than the kernel; there the overhang is written as padding (of minus infinity) for the size at hand.
import { poolingOf, type Tensor } from '../../graph/index.js';
import type { Form } from '../context.js';

/** Whether ONNX's ceil mode counts windows as `pooledSize` does, for images of any size. */
export const hasCeilMode = (node: Tensor): boolean => poolingOf(node).stride <= poolingOf(node).kernel;

export const poolingForms: readonly Form[] = [
  {
    op: 'maxPool2d',
    write(node, context) {
      const x = node.inputs[0]!;
      const { kernel: k, stride: s, ceil } = poolingOf(node);
      const overhang = (axis: 2 | 3) => Math.max(0, (node.shape[axis]! - 1) * s + k - x.shape[axis]!);
      const end = ceil && !hasCeilMode(node) ? [overhang(2), overhang(3)] : [0, 0];
      const attributes = {
        kernel_shape: [k, k],
        strides: [s, s],
        pads: [0, 0, ...end],
        ceil_mode: ceil && hasCeilMode(node) ? 1 : 0,
      };
      context.define(node, context.writer.node('MaxPool', [context.value(x)], attributes));
    },
  },
];
