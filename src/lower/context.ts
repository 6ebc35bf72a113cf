// What a lowering sees while it writes one node: the values already written (in which memory layouts), the
// ways to ask for an input, and the target's abilities. Writing is driven by demand, so a node that a
// neighbour absorbs, or that nothing needs, is never written.
import { nameOf, type Shape, sameShape, type Tensor } from '../graph/index.js';
import { between, isPlain, type Layout, physicalShape, plainLayout, sameLayout } from './layout.js';
import type { OnnxWriter } from './writer.js';

/** Where the graph will run. */
export type Target = 'cpu' | 'webgpu' | 'cuda' | 'coreml' | 'dml';
/** `plain`: the default way of every operation. `fast`: better forms where they pay. */
export type Formulations = 'fast' | 'plain';

/** One way to write an operation. `addend` is a tensor of the node's shape to add to the result. */
export interface Form {
  readonly op: string;
  /** Whether this form fits the node and the target; a form without it always fits. */
  when?(node: Tensor, context: LoweringContext): boolean;
  /** Whether `addend` can be added at no cost of its own. */
  absorbs?(node: Tensor, addend: Tensor, context: LoweringContext): boolean;
  write(node: Tensor, context: LoweringContext, addend?: Tensor): void;
}

export interface LoweringOptions {
  readonly target: Target;
  readonly formulations: Formulations;
  /** The leading axis of all inputs (size 1 in the graph) may have any length when the model runs. */
  readonly freeBatch?: boolean;
}

interface Written {
  readonly name: string;
  readonly layout: Layout;
}

export class LoweringContext {
  readonly #written = new Map<Tensor, Written[]>();
  readonly #consumers = new Map<Tensor, Tensor[]>();
  /** Tensors whose value depends on what is fed: with a free batch their leading axis is free. */
  readonly #fed = new Set<Tensor>();

  constructor(
    readonly writer: OnnxWriter,
    readonly options: LoweringOptions,
    order: readonly Tensor[],
    outputs: readonly Tensor[],
    private readonly formOf: (node: Tensor, context: LoweringContext) => Form,
  ) {
    for (const node of order) {
      for (const input of node.inputs) this.#consumersOf(input).push(node);
      if (node.op === 'input' || node.inputs.some((input) => this.#fed.has(input))) this.#fed.add(node);
    }
    // A graph's own outputs count as consumers, so that no neighbour absorbs them.
    for (const output of outputs) this.#consumersOf(output).push(output);
  }

  #consumersOf(t: Tensor): Tensor[] {
    const list = this.#consumers.get(t) ?? [];
    this.#consumers.set(t, list);
    return list;
  }

  get fast(): boolean {
    return this.options.formulations === 'fast';
  }

  /** Whether ONNX Runtime's fused operators (FusedConv, FusedMatMul) can be used: its CPU provider alone. */
  get fusedOperators(): boolean {
    return this.fast && this.options.target === 'cpu';
  }

  /** Nodes that read `t`. */
  consumers(t: Tensor): readonly Tensor[] {
    return this.#consumers.get(t) ?? [];
  }

  /** Whether the leading axis of `t` is the batch and free. */
  hasFreeBatch(t: Tensor): boolean {
    return this.options.freeBatch === true && this.#fed.has(t);
  }

  /** Says that `t` is now available under `name`, laid out as `layout` (default: plain). */
  define(t: Tensor, name: string, layout: Layout = plainLayout(t.shape.length)): void {
    this.#written.set(t, [{ name, layout }]);
  }

  isWritten(t: Tensor): boolean {
    return this.#written.has(t);
  }

  /** The layout in which `t` was written first; writes it if need be. */
  nativeLayout(t: Tensor): Layout {
    return this.#versions(t)[0]!.layout;
  }

  /** The ONNX value of `t` in plain layout or in the one asked for; transposes at most once a layout. */
  value(t: Tensor, layout: Layout = plainLayout(t.shape.length)): string {
    const versions = this.#versions(t);
    const ready = versions.find((v) => sameLayout(v.layout, layout));
    if (ready) return ready.name;
    const from = versions[0]!;
    const perm = between(from.layout, layout);
    const name = this.writer.transpose(from.name, physicalShape(t.shape, from.layout), perm);
    versions.push({ name, layout });
    return name;
  }

  #versions(t: Tensor): Written[] {
    if (!this.#written.has(t)) this.write(t);
    const versions = this.#written.get(t);
    if (!versions) throw new Error(`the lowering of '${t.op}' defined no value`);
    return versions;
  }

  /** Writes `t` unless that has been done. */
  write(t: Tensor): void {
    if (this.#written.has(t)) return;
    if (t.op === 'input' || t.op === 'parameter')
      throw new Error(`'${nameOf(t)}' is neither fed nor part of the state`);
    this.formOf(t, this).write(t, this);
  }

  /** The form of `t`, when it is still unwritten, `by` is its only reader, and it can absorb `addend`. */
  absorbing(t: Tensor, by: Tensor, addend: Tensor): Form | undefined {
    if (this.isWritten(t) || t.inputs.length === 0) return undefined;
    const readers = this.consumers(t);
    if (readers.length !== 1 || readers[0] !== by) return undefined;
    const form = this.formOf(t, this);
    return form.absorbs?.(t, addend, this) ? form : undefined;
  }

  /** The layout in which to write an elementwise node: that of its first full-size input that has a special one. */
  elementwiseLayout(node: Tensor): Layout {
    for (const t of node.inputs) {
      // A broadcast has no special layout, and is left unwritten where ONNX broadcasts by itself.
      if (t.op !== 'broadcastTo' && t.shape.length === 4 && sameShape(t.shape, node.shape)) {
        const layout = this.nativeLayout(t);
        if (!isPlain(layout)) return layout;
      }
    }
    return plainLayout(node.shape.length);
  }

  /** An operand of an elementwise node whose value is laid out as `layout`; broadcasting is left to ONNX. */
  operand(t: Tensor, shape: Shape, layout: Layout): string {
    const rank = shape.length;
    if (t.shape.length === rank) return this.value(t, layout);
    if (isPlain(layout) || t.shape.length === 0) return this.value(t);
    const padded = [...new Array(rank - t.shape.length).fill(1), ...t.shape];
    const aligned = this.writer.reshape(this.value(t), padded);
    return this.writer.transpose(aligned, padded, layout);
  }
}
