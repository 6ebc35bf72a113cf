// What ONNX Runtime computes for a lowered graph, in both formulations and on every device, against the graph's
// meaning in double precision; and what the lowering leaves out.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/graph/index.js';
import * as graph from '../../src/graph/index.js';
import {
  decodeModel,
  type Formulations,
  lowerStep,
  type OnnxGraph,
  type StepGraph,
  type Target,
} from '../../src/lower/index.js';
import { type Device, openDevice, Program } from '../../src/runtime/index.js';
import { devicesHere } from '../runtime/devices-here.js';
import { buildExample, distinctValues, type Example, weighed } from '../support/example.js';
import { interpret, type Values } from '../support/interpreter.js';
import { EXAMPLES, WIDE_EXAMPLES } from '../support/operations.js';

const FORMULATIONS = ['plain', 'fast'] as const;
/** How operations are written, for which target, and where that is run. */
type Way = readonly [formulations: Formulations, target: Target, where: Target];
const WAYS: Way[] = [
  ['plain', 'cpu', 'cpu'],
  ['fast', 'cpu', 'cpu'],
  // Without the fused operators of ONNX Runtime's CPU provider.
  ['fast', 'coreml', 'cpu'],
  ['fast', 'cuda', 'cpu'],
  ['fast', 'webgpu', (await devicesHere()).includes('webgpu') ? 'webgpu' : 'cpu'],
];

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

const rounded = (values: Record<string, Values>): Record<string, Values> =>
  Object.fromEntries(
    Object.entries(values).map(([name, v]) => [name, Float64Array.from(Float32Array.from(v))]),
  );

/** An example's value and the gradients of a weighed sum of it, as a step. */
function stepOf(example: Example): { step: StepGraph; values: Record<string, Values> } {
  const { leaves, values, floats, output } = buildExample(example);
  const outputs: Record<string, Tensor> = { value: output };
  graph.gradients(weighed(output), floats).forEach((g, i) => {
    outputs[`d_${graph.nameOf(floats[i]!)}`] = g;
  });
  const step = {
    inputs: leaves.filter((t) => t.op === 'input'),
    state: leaves.filter((t) => t.op === 'parameter').map((parameter) => ({ parameter })),
    outputs,
  };
  return { step, values: rounded(values) };
}

function feedsOf(tensors: readonly Tensor[], values: Record<string, Values>) {
  return Object.fromEntries(
    tensors.map((t) => {
      const data = values[graph.nameOf(t)]!;
      return [graph.nameOf(t), t.dtype === 'int32' ? Int32Array.from(data) : Float32Array.from(data)];
    }),
  );
}

/** Every entry within `tolerance` of the largest. */
function expectClose(actual: ArrayLike<number>, expected: Values, tolerance: number, what: string): void {
  expect(actual.length, `${what}: length`).toBe(expected.length);
  const scale = expected.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-3);
  let worst = 0;
  expected.forEach((v, i) => {
    const difference = Math.abs(actual[i]! - v);
    worst = Math.max(worst, difference);
  });
  expect(worst / scale, what).toBeLessThan(tolerance);
}

/** What an example means, computed once for all ways to write it. */
const meanings = new Map<string, Values[]>();
function meaningOf({ title }: Example, outputs: readonly Tensor[], values: Record<string, Values>): Values[] {
  const known = meanings.get(title) ?? interpret(outputs, values);
  meanings.set(title, known);
  return known;
}

async function expectAgreement(
  example: Example,
  [formulations, target, where]: Way,
  tolerance: number,
): Promise<void> {
  const { step, values } = stepOf(example);
  const lowered = lowerStep(step, { target, formulations });
  const program = await Program.open(lowered, { target: where, threads: 1, spin: false });
  const parameters = step.state.map((s) => s.parameter);
  await program.setState(feedsOf(parameters, values) as Record<string, Float32Array>);
  const results = await program.run(feedsOf(step.inputs, values));
  const names = Object.keys(step.outputs);
  const expected = meaningOf(example, Object.values(step.outputs), values);
  names.forEach((name, i) => {
    expect(results[name]!.shape, `${name}: shape`).toEqual([...step.outputs[name]!.shape]);
    expectClose(results[name]!.data, expected[i]!, tolerance, name);
  });
  await program.dispose();
}

describe.each(WAYS)('%s formulation for %s, on %s', (...way) => {
  // Graphics devices compute exponentials and square roots less exactly.
  const slack = way[2] === 'cpu' ? 1 : 5;

  const alone = EXAMPLES.filter(({ exchange }) => !exchange);
  test.each(alone.map((example) => [example.title, example] as const))('%s', (_, example) =>
    expectAgreement(example, way, (way[2] === 'webgpu' && example.onWebGpu) || 5e-6 * slack),
  );

  test.each(WIDE_EXAMPLES.map((example) => [example.title, example] as const))('%s', (_, example) =>
    expectAgreement(example, way, 1e-5 * slack),
  );
});

const convolutions = WIDE_EXAMPLES.filter(({ title }) => title.startsWith('3x3 convolution'));
describe.skipIf(WAYS.every(([, , where]) => where !== 'webgpu'))(
  'plain formulation for webgpu, on webgpu',
  () => {
    test.each(convolutions.map((example) => [example.title, example] as const))('%s', (_, example) =>
      expectAgreement(example, ['plain', 'webgpu', 'webgpu'], 5e-5),
    );
  },
);

describe.each(FORMULATIONS)('%s formulation', (formulations) => {
  test.each([
    [4, 5],
    [128, 128],
  ])('updates of state, %i to %i channels, also several steps a call', async (c, k) => {
    const x = graph.input('x', [2, c, 3, 4]);
    const rate = graph.input('rate', []);
    const w = graph.parameter('w', [k, c, 3, 3]);
    const velocity = graph.parameter('w.velocity', [k, c, 3, 3]);
    const factor = graph.parameter('factor', [k, 1, 1]);
    const y = graph.mul(graph.conv2d(x, w, { padding: 1 }), factor);
    const loss = graph.mean(graph.square(graph.sub(y, 1)));
    const [g] = graph.gradients(loss, [w], rate) as [Tensor];
    const next = graph.add(g, graph.add(graph.mul(velocity, 0.9), graph.mul(w, graph.mul(rate, 0.01))));
    const step: StepGraph = {
      inputs: [x, rate],
      state: [
        { parameter: w, next: graph.sub(w, next) },
        { parameter: velocity, next },
        { parameter: factor },
      ],
      outputs: { loss },
    };
    const values = rounded({
      x: distinctValues(2 * c * 12),
      rate: Float64Array.of(0.05),
      w: distinctValues(k * c * 9, 1).map((v) => v / Math.sqrt(9 * c)),
      'w.velocity': distinctValues(k * c * 9, 2).map((v) => v / 100),
      factor: distinctValues(k, 1),
    });
    const start = { w: values.w!, 'w.velocity': values['w.velocity']!, factor: values.factor! };
    const state = Object.fromEntries(Object.entries(start).map(([name, v]) => [name, Float32Array.from(v)]));
    const expected: number[] = [];
    const truth = { ...values };
    for (let i = 0; i < 3; i++) {
      const [l, nextW, nextV] = interpret([loss, step.state[0]!.next!, next], truth);
      expected.push(l![0]!);
      Object.assign(truth, { w: nextW!, 'w.velocity': nextV! });
    }

    const single = await device.compile(step, { formulations });
    await single.setState(state);
    const losses: number[] = [];
    const feeds = { x: Float32Array.from(values.x!), rate: 0.05 };
    for (let i = 0; i < 3; i++) losses.push((await single.run(feeds)).loss!.data[0]!);
    expectClose(losses, Float64Array.from(expected), 1e-5, 'losses');
    const after = await single.getState();
    for (const name of ['w', 'w.velocity', 'factor']) {
      expectClose(after.get(name)!, truth[name as keyof typeof truth]!, 1e-5, name);
    }

    const looped = await device.compile(step, { formulations, stepsPerCall: 3 });
    await looped.setState(state);
    const three = await looped.run({
      x: Float32Array.from([...values.x!, ...values.x!, ...values.x!]),
      rate: Float32Array.of(0.05, 0.05, 0.05),
    });
    expectClose(three.loss!.data, Float64Array.from(expected), 1e-5, 'losses in one call');
    expectClose((await looped.getState()).get('w')!, truth.w!, 1e-5, 'weights after one call');
    await single.dispose();
    await looped.dispose();
  });
});

describe('what is left out', () => {
  const lowered = (outputs: Record<string, Tensor>, inputs: Tensor[]): OnnxGraph =>
    decodeModel(lowerStep({ inputs, state: [], outputs }, { target: 'cpu' }).model).graph;
  const count = ({ nodes }: OnnxGraph, opType: string): number =>
    nodes.filter((n) => n.opType === opType).length;

  test('equal subexpressions are computed once', () => {
    const x = graph.input('x', [4]);
    const y = graph.add(graph.exp(graph.mul(x, 2)), graph.log(graph.exp(graph.mul(x, 2))));
    const model = lowered({ y }, [x]);
    expect(count(model, 'Exp')).toBe(1);
    expect(count(model, 'Mul')).toBe(1);
  });

  test('equal operations with other attributes or inputs are kept apart', () => {
    const x = graph.input('x', [2, 2]);
    const y = graph.concat([graph.sum(x, [0]), graph.sum(x, [1]), graph.exp(graph.sum(x, [0]))], 0);
    expect(count(lowered({ y }, [x]), 'ReduceSum')).toBe(2);
  });

  test('what no output needs is not there', () => {
    const x = graph.input('x', [4]);
    graph.log(x);
    const y = graph.exp(x);
    const [g] = graph.gradients(graph.sum(graph.sqrt(x)), [x]);
    expect(g).toBeDefined();
    expect(lowered({ y }, [x]).nodes.map((n) => n.opType)).toEqual(['Exp']);
  });

  test('arithmetic that changes nothing disappears', () => {
    const x = graph.input('x', [2, 3]);
    const same = graph.add(graph.mul(graph.transpose(graph.transpose(x, [1, 0]), [1, 0]), 1), 0);
    const carried = graph.add(graph.stopGradient(graph.exp(same)), graph.sub(same, graph.stopGradient(same)));
    expect(lowered({ y: carried }, [x]).nodes.map((n) => n.opType)).toEqual(['Exp']);
  });

  test('an input that is an output is copied, and one value may have two names', () => {
    const x = graph.input('x', [2]);
    const y = graph.exp(x);
    const model = lowered({ same: x, y, again: y }, [x]);
    expect(model.outputs.map((o) => o.name)).toEqual(['same', 'y', 'again']);
    expect(count(model, 'Exp')).toBe(1);
  });

  test('a name that is used twice in one step is an error', () => {
    const x = graph.input('x', [2]);
    expect(() => lowered({ x: graph.exp(x) }, [x])).toThrow(/'x'/);
  });
});
