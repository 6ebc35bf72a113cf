// A step whose ranks exchange values (allReduce, allGather), as several ONNX models with the exchanges between
// them. Nobody says where to cut: a node belongs to the first stage in which all it needs has been exchanged, and
// what a later stage needs of an earlier one is handed on, or computed again where that is cheaper than memory.
import { isExchange, nameOf, type Tensor, topological } from '../graph/index.js';
import { type Formulations, LoweringContext, type LoweringOptions, type Target } from './context.js';
import { formOf } from './forms/index.js';
import { type Layout, physicalShape, plainLayout } from './layout.js';
import { encodeModel, type OnnxValue } from './onnx.js';
import { simplify } from './simplify.js';
import { stateLayouts } from './state-layout.js';
import {
  checkedNames,
  checkState,
  type LoweredState,
  type LoweredValue,
  loweredInputs,
  loweredState,
  nextName,
  OPSET,
  type StepGraph,
  writeAll,
} from './step.js';
import { OnnxWriter } from './writer.js';

export interface StagesOptions {
  readonly target: Target;
  /** Default 'fast'. */
  readonly formulations?: Formulations;
  /**
   * Values of the graph in groups that are to be computed one after the other: what a group needs comes into a
   * stage before the next group's, so that exchanges of its values run beside the stages behind it.
   */
  readonly inOrder?: readonly (readonly Tensor[])[];
}

/** Values exchanged between all ranks after a stage. */
export interface Exchange {
  readonly kind: 'allReduce' | 'allGather';
  /** Of an allReduce. */
  readonly reduction?: 'sum' | 'max';
  /** The stage that makes the value. */
  readonly after: number;
  /** The first stage that needs the result; the number of stages where only the outputs do. */
  readonly before: number;
  /** Name of this rank's value among the outputs of the stage. */
  readonly value: string;
  /** Name of the result among the inputs of later stages. */
  readonly result: string;
  /** Of the result. */
  readonly physicalShape: readonly number[];
}

export interface LoweredStage {
  readonly model: Uint8Array;
  /** Names of what the model is fed: inputs of the step, state, exchanged values, values of earlier stages. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** A step as ONNX models, run in order, and what is exchanged between them. */
export interface LoweredStages {
  readonly stages: readonly LoweredStage[];
  readonly exchanges: readonly Exchange[];
  readonly inputs: readonly LoweredValue[];
  /** Outputs of the step, and the name that each has among the stages' outputs or the exchanges' results. */
  readonly outputs: readonly (LoweredValue & { readonly from: string })[];
  /** Its outputs are names among the stages' outputs or the exchanges' results. */
  readonly state: readonly LoweredState[];
}

/** Operations whose value is worth its memory; anything else is computed again in a later stage that needs it. */
const KEPT = new Set([
  ...['conv2d', 'conv2dInputGradient', 'conv2dKernelGradient', 'matmul', 'gather', 'sum', 'max', 'argMax'],
  ...['depthwiseConv2d', 'depthwiseConv2dInputGradient', 'depthwiseConv2dKernelGradient'],
  ...['maxPool2d', 'maxPool2dGradient', 'preluSlopeGradient', 'softmax', 'logSoftmax'],
]);

const isLeaf = ({ op }: Tensor): boolean => op === 'input' || op === 'parameter';

/** The stage of every node, counted from 0. */
function stagesOf(order: readonly Tensor[], groups: readonly (readonly Tensor[])[]): Map<Tensor, number> {
  const group = new Map<Tensor, number>();
  groups.forEach((roots, i) => {
    for (const node of topological(roots)) if (!group.has(node)) group.set(node, i);
  });
  const stages = new Map<Tensor, number>();
  let floor = 0;
  for (let i = 0; i <= groups.length; i++) {
    // What is in no group comes last. A group needs nothing of those behind it.
    const nodes = order.filter((node) => (group.get(node) ?? groups.length) === i);
    for (const node of nodes) {
      // A constant, an input or state is there from the start.
      const ready = node.inputs.map((t) => stages.get(t)! + (isExchange(t) ? 1 : 0));
      stages.set(node, node.inputs.length === 0 ? 0 : Math.max(floor, ...ready));
    }
    floor = 1 + Math.max(floor - 1, ...nodes.filter(isExchange).map((node) => stages.get(node)!));
  }
  return stages;
}

/** What a stage computes, in order, and the values it takes from earlier ones. */
function partOf(stage: number, roots: readonly Tensor[], stages: ReadonlyMap<Tensor, number>) {
  const given = (t: Tensor): boolean =>
    isLeaf(t) || isExchange(t) || (stages.get(t)! < stage && KEPT.has(t.op));
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  const visit = (t: Tensor): void => {
    if (seen.has(t)) return;
    seen.add(t);
    // Roots are computed here, whatever they are.
    if (!given(t)) for (const input of t.inputs) visit(input);
    order.push(t);
  };
  for (const root of roots) visit(root);
  return { order, given: order.filter(given), own: order.filter((t) => !given(t)) };
}

/** Names of the values that stages hand on, unlike all others. */
class ValueNames {
  readonly #names = new Map<Tensor, string>();
  readonly taken: Set<string>;

  constructor(taken: Iterable<string>) {
    this.taken = new Set(taken);
  }

  of(t: Tensor): string {
    let name = this.#names.get(t);
    if (name === undefined) {
      let number = this.#names.size;
      do name = `${t.op}:${number++}`;
      while (this.taken.has(name));
      this.#names.set(t, name);
      this.taken.add(name);
    }
    return name;
  }
}

/** Lowers a step in stages; see `StagesOptions`. A step without exchanges becomes one stage. */
export function lowerStages(step: StepGraph, options: StagesOptions): LoweredStages {
  const { target, formulations = 'fast', inOrder = [] } = options;
  const lowering: LoweringOptions = { target, formulations };
  const taken = checkedNames(step);
  step.state.forEach(checkState);
  const names = Object.keys(step.outputs);
  const kept = step.state.filter((s) => s.next);
  const sizes = [names.length, kept.length, ...inOrder.map((group) => group.length)];
  const tidy = simplify([
    ...names.map((name) => step.outputs[name]!),
    ...kept.map((s) => s.next!),
    ...inOrder.flat(),
  ]);
  const parts = sizes.map((size, i) => {
    const start = sizes.slice(0, i).reduce((a, b) => a + b, 0);
    return tidy.slice(start, start + size);
  });
  const [outputs, nexts, ...groups] = parts as [Tensor[], Tensor[], ...Tensor[][]];
  const wanted = [...outputs, ...nexts];
  const order = topological(wanted);
  const stages = stagesOf(order, groups);
  const count = 1 + Math.max(0, ...wanted.map((t) => stages.get(t)!));
  const whole = new LoweringContext(new OnnxWriter(taken), lowering, order, wanted, formOf);
  const next = new Map(kept.map((s, i) => [s.parameter, nexts[i]!]));
  const states = step.state.map(({ parameter }) => ({ parameter, next: next.get(parameter) }));
  const layouts = stateLayouts(states, whole);
  // What comes from an exchange as it is, without a stage behind it, is exchanged as it is kept.
  for (const { parameter, next: then } of states)
    if (then && isExchange(then)) layouts.set(parameter, plainLayout(parameter.shape.length));

  const exchanged = order.filter(isExchange);
  const roots = Array.from({ length: count }, (): Set<Tensor> => new Set());
  for (const t of exchanged) roots[stages.get(t)!]!.add(t.inputs[0]!);
  for (const t of wanted) if (!isExchange(t)) roots[stages.get(t)!]!.add(t);
  // A stage's parts are known once those behind it have said what they take.
  const partsOf: ReturnType<typeof partOf>[] = [];
  for (let stage = count - 1; stage >= 0; stage--) {
    const part = partOf(stage, [...roots[stage]!], stages);
    partsOf[stage] = part;
    for (const t of part.given) if (!isLeaf(t) && !isExchange(t)) roots[stages.get(t)!]!.add(t);
  }

  const named = new ValueNames(taken);
  const native = new Map<Tensor, Layout>();
  const stagesLowered = partsOf.map((part, stage): LoweredStage => {
    for (const t of [...part.given, ...roots[stage]!]) if (!isLeaf(t)) named.of(t);
    const writer = new OnnxWriter(named.taken);
    const made = [...roots[stage]!];
    const context = new LoweringContext(writer, lowering, part.order, made, formOf);
    const inputs: OnnxValue[] = [];
    for (const t of part.given) {
      const layout = (t.op === 'parameter' ? layouts.get(t) : native.get(t)) ?? plainLayout(t.shape.length);
      const name = isLeaf(t) ? nameOf(t) : named.of(t);
      context.define(t, name, layout);
      inputs.push({ name, dtype: t.dtype, shape: physicalShape(t.shape, layout) });
    }
    writeAll(context, part.own);
    const exported = new Map<string, string>();
    const results: OnnxValue[] = [];
    const give = (name: string, t: Tensor, layout: Layout) => {
      exported.set(name, context.value(t, layout));
      results.push({ name, dtype: t.dtype, shape: physicalShape(t.shape, layout) });
    };
    for (const t of made) {
      // Gathered rows lie behind each other only in plain layout, and results of the step have it.
      const own = exchanged.filter((e) => e.inputs[0] === t);
      const plain = own.some((e) => e.op === 'allGather' || wanted.includes(e));
      const layout = plain ? plainLayout(t.shape.length) : context.nativeLayout(t);
      native.set(t, layout);
      const later = partsOf.some(({ given }, i) => i > stage && given.includes(t));
      if (own.length > 0 || (later && !isLeaf(t))) give(named.of(t), t, layout);
      outputs.forEach((o, i) => {
        if (o === t) give(names[i]!, t, plainLayout(t.shape.length));
      });
      states.forEach(({ parameter, next: then }) => {
        if (then === t) give(nextName(parameter), t, layouts.get(parameter)!);
      });
    }
    for (const e of exchanged) if (stages.get(e) === stage) native.set(e, native.get(e.inputs[0]!)!);
    writer.export(exported);
    const graph = { name: `stage${stage}`, nodes: writer.nodes, initializers: writer.initializers };
    return {
      model: encodeModel({ graph: { ...graph, inputs, outputs: results }, opset: OPSET }),
      inputs: inputs.map(({ name }) => name),
      outputs: results.map(({ name }) => name),
    };
  });
  return {
    stages: stagesLowered,
    exchanges: exchanged.map((e): Exchange => {
      const readers = partsOf.flatMap(({ given }, stage) => (given.includes(e) ? [stage] : []));
      return {
        kind: e.op as Exchange['kind'],
        ...(e.op === 'allReduce' && { reduction: e.attributes.reduction as 'sum' | 'max' }),
        after: stages.get(e)!,
        before: Math.min(count, ...readers),
        value: named.of(e.inputs[0]!),
        result: named.of(e),
        physicalShape: physicalShape(e.shape, native.get(e)!),
      };
    }),
    inputs: loweredInputs(step),
    outputs: outputs.map((t, i) => ({
      name: names[i]!,
      shape: t.shape,
      dtype: t.dtype,
      from: isExchange(t) ? named.of(t) : names[i]!,
    })),
    state: states.map((s) => ({
      ...loweredState(s, layouts.get(s.parameter)!),
      ...(s.next && isExchange(s.next) && { output: named.of(s.next) }),
    })),
  };
}
