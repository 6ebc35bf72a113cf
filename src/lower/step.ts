// A graph that is run many times with state (a training step) as an ONNX model: state goes in under the
// parameter's name and comes out under `<name>.next`. With several steps a call, the graph becomes the body
// of an ONNX Loop that carries the state and takes its inputs from the k rows it is fed.
import {
  type DType,
  nameOf,
  type Shape,
  sameShape,
  showShape,
  type Tensor,
  topological,
} from '../graph/index.js';
import { type Formulations, LoweringContext, type Target } from './context.js';
import { formOf } from './forms/index.js';
import { type Layout, physicalShape } from './layout.js';
import { encodeModel, type OnnxGraph, type OnnxValue } from './onnx.js';
import { simplify } from './simplify.js';
import { type State, stateLayouts } from './state-layout.js';
import { OnnxWriter } from './writer.js';

/** Version of the standard ONNX operators that is written. */
export const OPSET = 17;

/** What is fed, what is kept, and what is read back. */
export interface StepGraph {
  readonly inputs: readonly Tensor[];
  readonly state: readonly State[];
  readonly outputs: Readonly<Record<string, Tensor>>;
}

export interface StepOptions {
  readonly target: Target;
  /** Default 'fast'. */
  readonly formulations?: Formulations;
  /** Steps in one call (default 1); above 1 every input and output gets a leading axis of this length. */
  readonly stepsPerCall?: number;
}

export interface LoweredValue {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Of an input of whole numbers: all are in [0, below). */
  readonly below?: number;
}

export interface LoweredState {
  readonly name: string;
  /** Logical shape. */
  readonly shape: Shape;
  /** Physical axis i holds logical axis `layout[i]`. */
  readonly layout: Layout;
  readonly physicalShape: readonly number[];
  /** ONNX names; a state that is only read has no output. */
  readonly input: string;
  readonly output?: string;
}

/** A step as ONNX bytes, with the names and shapes that are needed to run it. */
export interface LoweredStep {
  readonly model: Uint8Array;
  readonly inputs: readonly LoweredValue[];
  readonly outputs: readonly LoweredValue[];
  readonly state: readonly LoweredState[];
  readonly stepsPerCall: number;
}

/** Nodes that are written only when something needs them: they may vanish into their reader. */
const ON_DEMAND = new Set(['constant', 'reshape', 'transpose', 'broadcastTo', 'input', 'parameter']);

/** Writes the nodes of `order`, each after its inputs, letting neighbours absorb what they can. */
export function writeAll(context: LoweringContext, order: readonly Tensor[]): void {
  for (const node of order) {
    if (ON_DEMAND.has(node.op) || context.isWritten(node)) continue;
    const readers = context.consumers(node);
    const reader = readers[0];
    if (readers.length === 1 && reader !== node && reader!.op === 'add') {
      const other = reader!.inputs.find((t) => t !== node);
      if (other && context.absorbing(node, reader!, other)) continue;
    }
    context.write(node);
  }
}

const value = ({ name, shape, dtype }: LoweredValue): OnnxValue => ({ name, dtype, shape: [...shape] });

/** The inputs of a step, and what its graph states of their values. */
export function loweredInputs({ inputs, outputs, state }: StepGraph): LoweredValue[] {
  const all = topological([...Object.values(outputs), ...state.flatMap(({ next }) => next ?? [])]);
  const counts = new Map<Tensor, number>();
  for (const { op, inputs: of, attributes } of all) {
    if (op !== 'below') continue;
    const before = counts.get(of[0]!) ?? Number.POSITIVE_INFINITY;
    counts.set(of[0]!, Math.min(before, attributes.count as number));
  }
  return inputs.map((t) => {
    const below = counts.get(t);
    return { name: nameOf(t), shape: t.shape, dtype: t.dtype, ...(below !== undefined && { below }) };
  });
}

/** The name of a state's next value in the model. */
export const nextName = (parameter: Tensor): string => `${nameOf(parameter)}.next`;

/** All names that the step's inputs, outputs and state have in the model. */
export function checkedNames(step: StepGraph): string[] {
  const names = [
    ...step.inputs.map(nameOf),
    ...step.state.map((s) => nameOf(s.parameter)),
    ...step.state.filter((s) => s.next).map((s) => nextName(s.parameter)),
    ...Object.keys(step.outputs),
  ];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new Error(`'${twice}' names two inputs, state tensors or outputs of one step`);
  }
  return names;
}

/** Throws when a state's next value does not fit it. */
export function checkState({ parameter, next }: State): void {
  if (!next || (sameShape(next.shape, parameter.shape) && next.dtype === parameter.dtype)) return;
  const [now, then] = [parameter, next].map((t) => `${showShape(t.shape)} ${t.dtype}`);
  throw new Error(`state '${nameOf(parameter)}' is ${now}, but its next value is ${then}`);
}

/** How a state is named and lies in a model. */
export function loweredState({ parameter, next }: State, layout: Layout): LoweredState {
  const name = nameOf(parameter);
  return {
    name,
    shape: parameter.shape,
    layout,
    physicalShape: physicalShape(parameter.shape, layout),
    input: name,
    ...(next && { output: nextName(parameter) }),
  };
}

/** Lowers a step; see `StepGraph` and `StepOptions`. */
export function lowerStep(step: StepGraph, options: StepOptions): LoweredStep {
  const { target, formulations = 'fast', stepsPerCall = 1 } = options;
  if (!Number.isInteger(stepsPerCall) || stepsPerCall < 1) {
    throw new Error(`stepsPerCall must be a whole number from 1 on, not ${stepsPerCall}`);
  }
  const taken = checkedNames(step);
  step.state.forEach(checkState);
  const names = Object.keys(step.outputs);
  const kept = step.state.filter((s) => s.next);
  const tidy = simplify([...names.map((name) => step.outputs[name]!), ...kept.map((s) => s.next!)]);
  const outputs = tidy.slice(0, names.length);
  const next = new Map(kept.map((s, i) => [s.parameter, tidy[names.length + i]!]));

  const writer = new OnnxWriter(taken);
  const order = topological(tidy);
  const context = new LoweringContext(writer, { target, formulations }, order, tidy, formOf);
  const states = step.state.map(({ parameter }) => ({ parameter, next: next.get(parameter) }));
  const layouts = stateLayouts(states, context);
  const inside = stepsPerCall > 1 ? (name: string) => `${name}@step` : (name: string) => name;
  for (const t of step.inputs) context.define(t, inside(nameOf(t)));
  for (const { parameter } of states)
    context.define(parameter, inside(nameOf(parameter)), layouts.get(parameter));
  writeAll(context, order);

  const exported = new Map<string, string>();
  outputs.forEach((t, i) => {
    exported.set(inside(names[i]!), context.value(t));
  });
  const state: LoweredState[] = states.map(({ parameter, next: then }) => {
    const layout = layouts.get(parameter)!;
    if (then) exported.set(inside(nextName(parameter)), context.value(then, layout));
    return loweredState({ parameter, next: then }, layout);
  });
  writer.export(exported);

  const signature = {
    inputs: loweredInputs(step),
    outputs: outputs.map((t, i) => ({ name: names[i]!, shape: t.shape, dtype: t.dtype })),
    state,
  };
  const graph = stepsPerCall > 1 ? loopGraph(writer, signature, stepsPerCall) : stepGraph(writer, signature);
  return { model: encodeModel({ graph, opset: OPSET }), ...signature, stepsPerCall };
}

interface Signature {
  inputs: LoweredValue[];
  outputs: LoweredValue[];
  state: LoweredState[];
}

const stateInput = (s: LoweredState): LoweredValue => ({
  name: s.input,
  shape: s.physicalShape,
  dtype: 'float32',
});
const stateOutput = (s: LoweredState): LoweredValue => ({
  name: s.output!,
  shape: s.physicalShape,
  dtype: 'float32',
});

function stepGraph(writer: OnnxWriter, { inputs, outputs, state }: Signature): OnnxGraph {
  return {
    name: 'step',
    nodes: writer.nodes,
    initializers: writer.initializers,
    inputs: [...inputs, ...state.map(stateInput)].map(value),
    outputs: [...outputs, ...state.filter((s) => s.output).map(stateOutput)].map(value),
  };
}

function loopGraph(writer: OnnxWriter, { inputs, outputs, state }: Signature, steps: number): OnnxGraph {
  const inner = ({ name, ...rest }: LoweredValue): OnnxValue => value({ name: `${name}@step`, ...rest });
  const rows = ({ shape, ...rest }: LoweredValue): OnnxValue => value({ shape: [steps, ...shape], ...rest });
  const carried = state.filter((s) => s.output);
  const go = writer.freshName('go');
  const goOn = writer.freshName('go_on');
  const trip = writer.freshName('trip');
  const start = writer.freshName('start');
  const iteration = { name: writer.freshName('iteration'), dtype: 'int64' as const, shape: [] };
  const condition = (name: string): OnnxValue => ({ name, dtype: 'bool', shape: [] });
  const body: OnnxGraph = {
    name: 'body',
    nodes: [
      ...inputs.map(({ name }) => ({
        opType: 'Gather',
        inputs: [name, iteration.name],
        outputs: [`${name}@step`],
        attributes: { axis: 0 },
        name: `take_${name}`,
      })),
      // State that is only read is seen from the outer graph under an inner name.
      ...state
        .filter((s) => !s.output)
        .map(({ name }) => ({
          opType: 'Identity',
          inputs: [name],
          outputs: [`${name}@step`],
          name: `see_${name}`,
        })),
      ...writer.nodes,
      { opType: 'Identity', inputs: [go], outputs: [goOn], name: 'go_on' },
    ],
    initializers: writer.initializers,
    inputs: [iteration, condition(go), ...carried.map(stateInput).map(inner)],
    outputs: [condition(goOn), ...carried.map(stateOutput).map(inner), ...outputs.map(inner)],
  };
  return {
    name: 'steps',
    nodes: [
      {
        opType: 'Loop',
        inputs: [trip, start, ...carried.map((s) => s.input)],
        outputs: [...carried.map((s) => s.output!), ...outputs.map((o) => o.name)],
        attributes: { body: { graph: body } },
        name: 'steps',
      },
    ],
    initializers: [
      { name: trip, dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(steps)) },
      { name: start, dtype: 'bool', shape: [], data: Uint8Array.of(1) },
    ],
    inputs: [...inputs.map(rows), ...state.map(stateInput).map(value)],
    outputs: [...carried.map(stateOutput).map(value), ...outputs.map(rows)],
  };
}
