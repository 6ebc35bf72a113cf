// Arithmetic over tensors larger than the caches, where a step waits for memory: what the update rule does to the
// weights of a wide dense layer, and that layer's product for a small batch. The forms read and write less.
import { sizeOf, type Tensor } from '../../graph/index.js';
import type { Form, LoweringContext } from '../context.js';
import { physicalShape } from '../layout.js';
import { MICROSOFT } from '../writer.js';
import { elementwise } from './plain.js';

/** Elements from which a tensor counts as large. */
const LARGE = 2 ** 16;
/** Most rows of a product that reads its weights as they lie. */
const FEW_ROWS = 32;
/** Fewest terms of each of its sums: with fewer, the order of the operands makes no difference. */
const MANY_TERMS = 4096;

/** The operands of a product with a number, when the other one is large. */
function scaled(node: Tensor): { tensor: Tensor; factor: Tensor } | undefined {
  const [a, b] = node.inputs as readonly [Tensor, Tensor];
  const [tensor, factor] = sizeOf(a.shape) === 1 ? [b, a] : [a, b];
  const fits = sizeOf(factor.shape) === 1 && String(tensor.shape) === String(node.shape);
  return fits && sizeOf(node.shape) >= LARGE ? { tensor, factor } : undefined;
}

/**
 * x a + y with a number a: a convolution of one channel, one filter and one tap, whose fused sum is computed in the
 * memory of y. One pass instead of two and a temporary.
 */
const scaledSum: Form = {
  op: 'mul',
  when: (node, context) => context.fusedOperators && scaled(node) !== undefined,
  absorbs: (node, addend, context) =>
    String(addend.shape) === String(node.shape) && !isGiven(addend, context),
  write(node, context, addend) {
    if (!addend) return elementwise('Mul')(node, context);
    const { tensor, factor } = scaled(node)!;
    const { writer } = context;
    const layout = context.elementwiseLayout(node);
    const line = (t: Tensor) => writer.reshape(context.value(t, layout), [1, 1, 1, sizeOf(t.shape)]);
    const kernel = writer.reshape(context.value(factor), [1, 1, 1, 1]);
    const sum = writer.node(
      'FusedConv',
      [line(tensor), kernel, '', line(addend)],
      { kernel_shape: [1, 1] },
      { domain: MICROSOFT },
    );
    context.define(node, writer.reshape(sum, physicalShape(node.shape, layout)), layout);
  },
};

/** Whether `t` must stay as it is: it is fed or kept, or read by others too. Its memory cannot take a sum. */
const isGiven = (t: Tensor, context: LoweringContext): boolean =>
  t.op === 'parameter' || t.op === 'input' || t.op === 'constant' || context.consumers(t).length > 1;

/**
 * x w^T with few rows of x, as (w x^T)^T: the runtime rearranges its right operand before it multiplies, and that
 * had better be the small one.
 */
const fewRows: Form = {
  op: 'matmul',
  when(node, context) {
    const [x, w] = node.inputs as readonly [Tensor, Tensor];
    return (
      context.fusedOperators &&
      node.shape.length === 2 &&
      x.op !== 'transpose' &&
      w.op === 'transpose' &&
      x.shape[0]! <= FEW_ROWS &&
      x.shape[1]! >= MANY_TERMS
    );
  },
  write(node, context) {
    const [x, w] = node.inputs as readonly [Tensor, Tensor];
    const { writer } = context;
    const flipped = writer.node('MatMul', [
      context.value(w.inputs[0]!),
      writer.transpose(context.value(x), x.shape, [1, 0]),
    ]);
    context.define(node, writer.transpose(flipped, [...node.shape].reverse(), [1, 0]));
  },
};

export const memoryBoundForms: readonly Form[] = [scaledSum, fewRows];
