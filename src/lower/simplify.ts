// Tidies a graph before it is lowered: equal subexpressions become one node, and arithmetic that changes
// nothing (adding zero, a transpose and its inverse) disappears. Inputs and parameters keep their identity.
import {
  type Attributes,
  matmul,
  sameShape,
  sizeOf,
  type Tensor,
  topological,
  transposeLast,
  withInputs,
} from '../graph/index.js';

/** The value of every element, when all are the same small constant; otherwise undefined. */
function uniformValue(t: Tensor): number | undefined {
  if (t.op === 'broadcastTo' || t.op === 'reshape') return uniformValue(t.inputs[0]!);
  // What carries only a gradient, x - stopGradient(x), has no value of its own.
  if (t.op === 'sub' && t.inputs[0] === t.inputs[1]) return 0;
  if (t.op !== 'constant') return undefined;
  const data = t.attributes.data as Float32Array | Int32Array;
  return data.every((v) => v === data[0]) ? data[0] : undefined;
}

/** What a node can be replaced by; `alone` says that nothing else reads the node's first input. */
type Rule = (node: Tensor, alone: boolean) => Tensor | undefined;

/** `other` when it already has the node's shape: what remains once the neutral operand is gone. */
const keep = (node: Tensor, other: Tensor): Tensor | undefined =>
  sameShape(other.shape, node.shape) && other.dtype === node.dtype ? other : undefined;

/** Drops the operand of a commutative operation that equals its neutral element. */
const neutral =
  (element: number): Rule =>
  (node) => {
    const [a, b] = node.inputs as readonly [Tensor, Tensor];
    if (uniformValue(b) === element) return keep(node, a);
    if (uniformValue(a) === element) return keep(node, b);
    return undefined;
  };

const neutralRight =
  (element: number): Rule =>
  (node) =>
    uniformValue(node.inputs[1]!) === element ? keep(node, node.inputs[0]!) : undefined;

/** The transpose of a matrix, which of a transpose is the matrix itself. */
const flipped = (x: Tensor): Tensor => (x.op === 'transpose' ? x.inputs[0]! : transposeLast(x));

const rules: Record<string, Rule> = {
  add: neutral(0),
  mul: neutral(1),
  sub: neutralRight(0),
  div: neutralRight(1),
  stopGradient: (node) => node.inputs[0],
  eachRank: (node) => node.inputs[0],
  below: (node) => node.inputs[0],
  reshape: (node) => {
    const x = node.inputs[0]!;
    if (sameShape(x.shape, node.shape)) return x;
    return x.op === 'reshape' ? withInputs(node, x.inputs) : undefined;
  },
  transpose: (node, alone) => {
    const x = node.inputs[0]!;
    const perm = node.attributes.perm as readonly number[];
    if (perm.every((axis, i) => axis === i)) return x;
    // (A B)^T = B^T A^T: a product can take transposed operands at no cost, its result cannot.
    if (x.op === 'matmul' && x.shape.length === 2 && alone) {
      const [a, b] = x.inputs as readonly [Tensor, Tensor];
      return matmul(flipped(b), flipped(a));
    }
    if (x.op !== 'transpose') return undefined;
    const inner = x.attributes.perm as readonly number[];
    return perm.every((axis, i) => inner[axis] === i) ? x.inputs[0] : undefined;
  },
};

/** A text that is equal for nodes that compute the same value. */
function signature(node: Tensor, numbers: Map<Tensor, number>): string {
  return `${node.op}(${node.inputs.map((input) => numbers.get(input)).join()})${showAttributes(node.attributes)}`;
}

function showAttributes(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}=${value}`)
    .join(';');
}

/** Constants longer than this are told apart by identity, not by value. */
const LARGEST_SHARED_CONSTANT = 4096;

/** The same outputs over a graph with shared subexpressions and without no-ops. */
export function simplify(outputs: readonly Tensor[]): Tensor[] {
  const order = topological(outputs);
  const replacement = new Map<Tensor, Tensor>();
  const readers = new Map<Tensor, number>();
  for (const t of [...order.flatMap((node) => node.inputs), ...outputs]) {
    readers.set(t, (readers.get(t) ?? 0) + 1);
  }
  const numbers = new Map<Tensor, number>();
  const known = new Map<string, Tensor>();
  /** The one node that stands for all that compute what `fresh` does. */
  const shared = (fresh: Tensor): Tensor => {
    if (numbers.has(fresh)) return fresh;
    const node = withInputs(fresh, fresh.inputs.map(shared));
    const distinct =
      node.op === 'input' ||
      node.op === 'parameter' ||
      (node.op === 'constant' && sizeOf(node.shape) > LARGEST_SHARED_CONSTANT);
    const key = distinct ? undefined : signature(node, numbers);
    const twin = key === undefined ? undefined : known.get(key);
    if (twin) return twin;
    if (key !== undefined) known.set(key, node);
    numbers.set(node, numbers.size);
    return node;
  };
  for (const original of order) {
    const inputs = original.inputs.map((input) => replacement.get(input)!);
    const node = withInputs(original, inputs);
    const alone = readers.get(original.inputs[0]!) === 1;
    replacement.set(original, shared(rules[node.op]?.(node, alone) ?? node));
  }
  return outputs.map((output) => replacement.get(output)!);
}
