// Operations that ONNX Runtime's WebGPU provider has no kernel for (it would copy their inputs to the CPU and the
// results back, in every step), written with those it has.
import type { Tensor } from '../../graph/index.js';
import type { Form, LoweringContext } from '../context.js';

const onWebGpu = (_node: Tensor, context: LoweringContext): boolean => context.options.target === 'webgpu';

/** x - max(x), and the logarithm of the sum of its exponentials: no exponential can overflow. */
const logSoftmax: Form = {
  op: 'logSoftmax',
  when: onWebGpu,
  write(node, context) {
    const x = context.value(node.inputs[0]!);
    const { writer } = context;
    const highest = writer.node('ReduceMax', [x], { axes: [-1], keepdims: 1 });
    const shifted = writer.node('Sub', [x, highest]);
    const sum = writer.node('ReduceSum', [writer.node('Exp', [shifted]), writer.integers([-1])], {
      keepdims: 1,
    });
    context.define(node, writer.node('Sub', [shifted, writer.node('Log', [sum])]));
  },
};

/**
 * ArgMax itself runs on the GPU, but gives int64, which the provider cannot turn into int32: the first place of
 * the largest is the least of the places that hold it. Places are exact in float32 up to 2^24.
 */
const argMax: Form = {
  op: 'argMax',
  when: (node, context) =>
    onWebGpu(node, context) && node.inputs[0]!.shape[node.attributes.axis as number]! <= 2 ** 24,
  write(node, context) {
    const x = node.inputs[0]!;
    const axis = node.attributes.axis as number;
    const length = x.shape[axis]!;
    const { writer } = context;
    const value = context.value(x);
    const along = x.shape.map((_, i) => (i === axis ? length : 1));
    const places = writer.constant(
      Float32Array.from({ length }, (_, i) => i),
      along,
    );
    const highest = writer.node('ReduceMax', [value], { axes: [axis], keepdims: 1 });
    const found = writer.node('GreaterOrEqual', [value, highest]);
    const where = writer.node('Where', [found, places, writer.scalar(length)]);
    const first = writer.node('ReduceMin', [where], { axes: [axis], keepdims: 0 });
    context.define(node, writer.node('Cast', [first], { to: 6 }));
  },
};

export const webgpuForms: readonly Form[] = [logSoftmax, argMax];
