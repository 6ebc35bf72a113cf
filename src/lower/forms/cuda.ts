// Operations that ONNX Runtime's CUDA provider has no kernel for, written with those it has (its list of operators:
// docs/OperatorKernels.md of ONNX Runtime).
import type { Form } from '../context.js';

/**
 * acos(x) = sqrt(1 - x) (a0 + a1 x + ... + a7 x^7) for 0 <= x <= 1, to 2e-8: Abramowitz and Stegun, Handbook of
 * Mathematical Functions, 4.4.46.
 */
const ACOS = [
  1.570796305, -0.2145988016, 0.0889789874, -0.0501743046, 0.030891881, -0.0170881256, 0.0066700901,
  -0.0012624911,
];

/** With acos(-x) = pi - acos(x). */
const acos: Form = {
  op: 'acos',
  when: (_node, context) => context.options.target === 'cuda',
  write(node, context) {
    const { writer } = context;
    const x = context.value(node.inputs[0]!);
    const size = writer.node('Abs', [x]);
    const series = ACOS.slice(0, -1).reduceRight(
      (sum, a) => writer.node('Add', [writer.node('Mul', [sum, size]), writer.scalar(a)]),
      writer.scalar(ACOS.at(-1)!),
    );
    const root = writer.node('Sqrt', [writer.node('Sub', [writer.scalar(1), size])]);
    const angle = writer.node('Mul', [root, series]);
    const turned = writer.node('Sub', [writer.scalar(Math.PI), angle]);
    context.define(node, writer.node('Where', [writer.node('Less', [x, writer.scalar(0)]), turned, angle]));
  },
};

export const cudaForms: readonly Form[] = [acos];
