// Collects ONNX nodes and constants. Every node is pure, so one that would compute what an earlier one
// computes is not written again: lowerings can ask for the same mask or transform without coordination.
import type { OnnxAttribute, OnnxNode, OnnxTensor } from './onnx.js';

/** Domain of ONNX Runtime's own operators (FusedConv, FusedMatMul). */
export const MICROSOFT = 'com.microsoft';

export interface NodeOptions {
  domain?: string;
  /** Number of outputs (default 1). */
  outputs?: number;
}

export class OnnxWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #known = new Map<string, string[]>();
  readonly #taken: ReadonlySet<string>;
  #names = 0;

  /** `taken` are the names of a graph's inputs and outputs, which no value of the writer's own may bear. */
  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set(taken);
  }

  /** The first output of a node; `''` stands for an optional input that is left out. */
  node(
    opType: string,
    inputs: string[],
    attributes: Record<string, OnnxAttribute> = {},
    options: NodeOptions = {},
  ): string {
    return this.nodeOutputs(opType, inputs, attributes, options)[0]!;
  }

  /** All outputs of a node. */
  nodeOutputs(
    opType: string,
    inputs: string[],
    attributes: Record<string, OnnxAttribute> = {},
    { domain = '', outputs = 1 }: NodeOptions = {},
  ): string[] {
    const key = JSON.stringify([domain, opType, inputs, attributes, outputs]);
    let names = this.#known.get(key);
    if (!names) {
      names = Array.from({ length: outputs }, () => this.freshName('v'));
      this.nodes.push({ opType, inputs, outputs: names, attributes, domain, name: `${opType}_${names[0]}` });
      this.#known.set(key, names);
    }
    return names;
  }

  /** A constant tensor; small ones with equal contents are shared. */
  constant(data: Float32Array | Int32Array | BigInt64Array, shape: readonly number[]): string {
    const dtype = data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'int64';
    const key = data.length <= 4096 ? `${dtype}[${shape}]${data.join()}` : undefined;
    const known = key && this.#known.get(key);
    if (known) return known[0]!;
    const name = this.freshName('c');
    this.initializers.push({ name, dtype, shape: [...shape], data });
    if (key) this.#known.set(key, [name]);
    return name;
  }

  /** A float32 scalar. */
  scalar(value: number): string {
    return this.constant(Float32Array.of(value), []);
  }

  /** An int64 list, as shapes, axes and pads are given. */
  integers(values: readonly number[]): string {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length]);
  }

  reshape(value: string, shape: readonly number[]): string {
    return this.node('Reshape', [value, this.integers(shape)]);
  }

  /**
   * Reorders the axes of a value of `shape`. Axes of size one are dropped and axes that stay neighbours
   * are merged first, so that most reorderings become a plain two- or three-axis transpose, which is fast.
   */
  transpose(value: string, shape: readonly number[], perm: readonly number[]): string {
    const kept = perm.filter((axis) => shape[axis] !== 1);
    const groups: number[][] = [];
    for (const axis of kept) {
      const last = groups[groups.length - 1];
      const follows = last && shape.slice(last[last.length - 1]! + 1, axis).every((n) => n === 1);
      if (last && axis > last[last.length - 1]! && follows) last.push(axis);
      else groups.push([axis]);
    }
    const result = perm.map((axis) => shape[axis]!);
    const inOrder = [...groups].sort((a, b) => a[0]! - b[0]!);
    const order = groups.map((group) => inOrder.indexOf(group));
    if (order.every((g, i) => g === i)) return this.reshape(value, result);
    const merged = this.reshape(
      value,
      inOrder.map((group) => group.reduce((n, axis) => n * shape[axis]!, 1)),
    );
    return this.reshape(this.node('Transpose', [merged], { perm: order }), result);
  }

  /** Gives values the names they are known by outside; an alias of a value that has one already is copied. */
  export(names: ReadonlyMap<string, string>): void {
    const renamed = new Map<string, string>();
    const produced = new Set(this.nodes.flatMap((n) => n.outputs));
    for (const [external, internal] of names) {
      if (produced.has(internal) && !renamed.has(internal)) renamed.set(internal, external);
      else
        this.nodes.push({
          opType: 'Identity',
          inputs: [internal],
          outputs: [external],
          name: `copy_${external}`,
        });
    }
    const rename = (name: string) => renamed.get(name) ?? name;
    for (const node of this.nodes) {
      node.inputs = node.inputs.map(rename);
      node.outputs = node.outputs.map(rename);
    }
  }

  /** A name that nothing else bears. */
  freshName(kind: string): string {
    let name: string;
    do name = `${kind}${this.#names++}`;
    while (this.#taken.has(name));
    return name;
  }
}
