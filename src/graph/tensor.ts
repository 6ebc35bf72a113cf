// A symbolic tensor: the name of an operation, its inputs and attributes, and the shape and type of its
// value. Graphs are plain immutable values; nothing is computed here. What an operation means lives in
// `ops/`, one definition each; how it becomes ONNX lives in `src/lower`.

/** Element types that a graph can hold. */
export type DType = 'float32' | 'int32' | 'bool';

/** Sizes of the axes, all known when the graph is built. A scalar has shape `[]`. */
export type Shape = readonly number[];

/** What an operation is told beside its inputs. */
export type Attributes = Readonly<
  Record<string, number | boolean | string | readonly number[] | Float32Array | Int32Array>
>;

/** One value of a graph. */
export interface Tensor {
  /** Unique in the process, growing: a tensor's inputs have smaller ids. */
  readonly id: number;
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** The definition of an operation: its shape rule and its vector-Jacobian product, side by side. */
export interface OpDefinition {
  readonly name: string;
  /** Shape and type of the value, or a throw of `ShapeError` when the inputs do not fit. */
  result(inputs: readonly Tensor[], attributes: Attributes): { shape: Shape; dtype: DType };
  /**
   * The vector-Jacobian product: from the gradient `g` of the loss with respect to this node's value (same
   * shape as the value) to the gradients with respect to its inputs, in order. `undefined` where an input
   * has none (labels, indices). Absent when no input has one: the operation is a constant to the gradient.
   */
  gradient?(node: Tensor, g: Tensor): readonly (Tensor | undefined)[];
}

/** Thrown while a graph is being built; names the operation and the shapes that do not fit. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

const definitions = new Map<string, OpDefinition>();
let lastId = 0;

/** Registers an operation and returns the function that makes its nodes. */
export function defineOp(
  definition: OpDefinition,
): (inputs: readonly Tensor[], attributes?: Attributes) => Tensor {
  if (definitions.has(definition.name)) throw new Error(`operation '${definition.name}' is defined twice`);
  definitions.set(definition.name, definition);
  return (inputs, attributes = {}) => {
    const { shape, dtype } = definition.result(inputs, attributes);
    return { id: ++lastId, op: definition.name, inputs, attributes, shape, dtype };
  };
}

/** The definition of `name`. */
export function definitionOf(name: string): OpDefinition {
  const found = definitions.get(name);
  if (!found) throw new Error(`no operation is called '${name}'`);
  return found;
}

/** Names of all operations, for tests that must cover every one. */
export function operationNames(): string[] {
  return [...definitions.keys()].sort();
}

/** A copy of `node` over other inputs (same operation and attributes). */
export function withInputs(node: Tensor, inputs: readonly Tensor[]): Tensor {
  if (inputs.every((input, i) => input === node.inputs[i])) return node;
  return { ...node, id: ++lastId, inputs };
}

/** Number of elements of a shape. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

/** Whether two shapes are the same. */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

/** A shape in words: `[2, 3]`. */
export const showShape = (shape: readonly (number | string)[]): string => `[${shape.join(', ')}]`;

/** Throws a `ShapeError` that names the operation, what is wrong, and every input's shape. */
export function shapeError(op: string, problem: string, inputs: readonly Tensor[]): never {
  const shapes = inputs.map((t) => `${showShape(t.shape)} ${t.dtype}`).join(', ');
  throw new ShapeError(`${op}: ${problem} (inputs: ${shapes})`);
}

/** Throws a `ShapeError` when an input is of another type than `type`. */
export function requireType(op: string, type: DType, inputs: readonly Tensor[]): void {
  if (inputs.some((t) => t.dtype !== type)) shapeError(op, `takes ${type} inputs`, inputs);
}

/** All tensors that `outputs` depend on, each after its inputs. */
export function topological(outputs: readonly Tensor[]): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  const stack: { node: Tensor; next: number }[] = [];
  const visit = (node: Tensor) => {
    if (seen.has(node)) return;
    seen.add(node);
    stack.push({ node, next: 0 });
  };
  for (const output of outputs) {
    visit(output);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const input = top.node.inputs[top.next++];
      if (input) visit(input);
      else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}
