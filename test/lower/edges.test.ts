// Steps of unusual form: outputs that are leaves, state that takes the value of another state, names like those
// that the lowering would choose itself. One step and several steps a call, in both formulations.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as graph from '../../src/graph/index.js';
import { decodeModel, lowerStep, type StepGraph } from '../../src/lower/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { distinctValues } from '../support/example.js';
import { interpret } from '../support/interpreter.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

/** Runs two steps, as two calls or as one, and compares outputs and state with the graph's meaning. */
async function expectTruth(
  step: StepGraph,
  formulations: 'plain' | 'fast',
  stepsPerCall: 1 | 2,
): Promise<void> {
  const leaves = [...step.inputs, ...step.state.map((s) => s.parameter)];
  const given = Object.fromEntries(
    leaves.map((t, i) => [
      graph.nameOf(t),
      t.dtype === 'int32'
        ? Float64Array.from({ length: graph.sizeOf(t.shape) }, (_, k) => k % 2)
        : Float64Array.from(Float32Array.from(distinctValues(graph.sizeOf(t.shape), i))),
    ]),
  );
  const names = Object.keys(step.outputs);
  const kept = step.state.filter((s) => s.next);
  const wanted = [...names.map((name) => step.outputs[name]!), ...kept.map((s) => s.next!)];
  const expected = names.map((): number[] => []);
  const truth = { ...given };
  for (let i = 0; i < 2; i++) {
    const values = interpret(wanted, truth);
    names.forEach((_, k) => {
      expected[k]!.push(...values[k]!);
    });
    kept.forEach((s, k) => {
      truth[graph.nameOf(s.parameter)] = values[names.length + k]! as Float64Array<ArrayBuffer>;
    });
  }
  const program = await device.compile(step, { formulations, stepsPerCall });
  program.setState(
    Object.fromEntries(
      step.state.map(({ parameter }) => [
        graph.nameOf(parameter),
        Float32Array.from(given[graph.nameOf(parameter)]!),
      ]),
    ),
  );
  const feeds = Object.fromEntries(
    step.inputs.map((t) => {
      const once = [...given[graph.nameOf(t)]!];
      const all = stepsPerCall === 1 ? once : [...once, ...once];
      return [graph.nameOf(t), t.dtype === 'int32' ? Int32Array.from(all) : Float32Array.from(all)];
    }),
  );
  const actual = names.map((): number[] => []);
  for (let call = 0; call < 2 / stepsPerCall; call++) {
    const results = await program.run(feeds);
    names.forEach((name, k) => {
      const lead = stepsPerCall === 1 ? [] : [2];
      expect(results[name]!.shape, name).toEqual([...lead, ...step.outputs[name]!.shape]);
      actual[k]!.push(...results[name]!.data);
    });
  }
  const state = await program.getState();
  await program.dispose();
  const close = (found: ArrayLike<number>, right: ArrayLike<number>, what: string) => {
    expect(found.length, what).toBe(right.length);
    Array.from(right).forEach((v, i) => {
      expect(found[i], `${what}[${i}]`).toBeCloseTo(v, 4);
    });
  };
  names.forEach((name, k) => {
    close(actual[k]!, expected[k]!, name);
  });
  for (const { parameter } of step.state) {
    const name = graph.nameOf(parameter);
    close(state.get(name)!, truth[name]!, `state ${name}`);
  }
}

/** Every step is built anew, because a graph's leaves belong to it. */
const STEPS: Record<string, () => StepGraph> = {
  'outputs that are leaves, of every type': () => {
    const x = graph.input('x', [2]);
    const labels = graph.input('labels', [2], 'int32');
    const w = graph.parameter('w', [2, 2]);
    const fixed = graph.constant(Float32Array.of(1, 2, 3));
    return {
      inputs: [x, labels],
      state: [{ parameter: w, next: graph.mul(w, 2) }],
      outputs: { same: x, who: labels, before: w, fixed, two: graph.constant(2), truth: graph.less(x, 0) },
    };
  },
  'one value under two names, and as an output and the next state': () => {
    const x = graph.input('x', []);
    const w = graph.parameter('w', []);
    const next = graph.add(w, x);
    return { inputs: [x], state: [{ parameter: w, next }], outputs: { a: next, b: next } };
  },
  'state that changes places, stays, is replaced by a feed, and by a constant': () => {
    const x = graph.input('x', [3]);
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name) => graph.parameter(name, [3])) as [
      graph.Tensor,
      graph.Tensor,
      graph.Tensor,
      graph.Tensor,
      graph.Tensor,
    ];
    return {
      inputs: [x],
      state: [
        { parameter: a, next: b },
        { parameter: b, next: a },
        { parameter: c, next: c },
        { parameter: d, next: x },
        { parameter: e, next: graph.broadcastTo(graph.constant(7), [3]) },
      ],
      outputs: { total: graph.sum(graph.add(graph.sub(a, b), graph.mul(c, graph.mul(d, e)))) },
    };
  },
  'kernels in a memory layout of their own that change places and are read back': () => {
    const x = graph.input('x', [1, 1, 3, 4]);
    const v = graph.parameter('v', [2, 1, 3, 3]);
    const w = graph.parameter('w', [2, 1, 3, 3]);
    const average = graph.parameter('average', [2, 1, 3, 3]);
    return {
      inputs: [x],
      state: [
        { parameter: v, next: w },
        { parameter: w, next: v },
        { parameter: average, next: graph.add(graph.mul(average, 0.9), graph.mul(w, 0.1)) },
      ],
      outputs: { y: graph.conv2d(x, v, { padding: 1 }), before: v },
    };
  },
  'nothing is carried from step to step': () => {
    const x = graph.input('x', [2]);
    const w = graph.parameter('w', [2]);
    return { inputs: [x], state: [{ parameter: w }], outputs: { y: graph.mul(x, w), kept: w } };
  },
  'a feed that nothing reads, and a state that nothing reads': () => {
    const x = graph.input('x', [2]);
    const unread = graph.input('unread', [2]);
    const w = graph.parameter('w', [2]);
    return { inputs: [x, unread], state: [{ parameter: w }], outputs: { y: graph.neg(x) } };
  },
  'reductions over no axes': () => {
    const x = graph.input('x', [2, 3]);
    const y = graph.mul(graph.sum(x, []), graph.max(x, []));
    const [g] = graph.gradients(graph.sum(graph.mul(y, graph.mean(x, []))), [x]);
    return { inputs: [x], state: [], outputs: { y, g: g!, scalar: graph.sum(graph.sum(x)) } };
  },
  'names that the lowering might choose itself': () => {
    const names = ['v0', 'v1', 'v2', 'c0', 'c1', 'iteration', 'go', 'trip', 'start'];
    const xs = names.map((name) => graph.input(name, []));
    const w = graph.parameter('c2', []);
    const total = graph.mul(graph.exp(xs.reduce((a, b) => graph.add(a, b))), graph.add(w, 3));
    return {
      inputs: xs,
      state: [{ parameter: w, next: graph.div(w, 2) }],
      outputs: { v3: total, 'go.next': graph.neg(total) },
    };
  },
};

describe.each(['plain', 'fast'] as const)('%s formulation', (formulations) => {
  describe.each([1, 2] as const)('%i step(s) a call', (stepsPerCall) => {
    test.each(Object.keys(STEPS))('%s', (name) => expectTruth(STEPS[name]!(), formulations, stepsPerCall));
  });
});

describe('steps that make no sense are refused', () => {
  const lowered = (step: StepGraph) => lowerStep(step, { target: 'cpu' });

  test('a next value of another shape or type', () => {
    const w = graph.parameter('w', [2, 3]);
    const step = (next: graph.Tensor) => () =>
      lowered({ inputs: [], state: [{ parameter: w, next }], outputs: {} });
    expect(step(graph.sum(w, [0]))).toThrow("state 'w' is [2, 3] float32, but its next value is [3] float32");
    expect(step(graph.cast(w, 'int32'))).toThrow(/its next value is \[2, 3\] int32/);
  });

  test('half a step a call', () => {
    const step = { inputs: [], state: [], outputs: {} };
    expect(() => lowerStep(step, { target: 'cpu', stepsPerCall: 1.5 })).toThrow(/stepsPerCall.*1.5/);
  });

  test('a name that another state needs for its next value', () => {
    const [w, other] = [graph.parameter('w', []), graph.parameter('w.next', [])];
    const state = [{ parameter: w, next: graph.neg(w) }, { parameter: other }];
    expect(() => lowered({ inputs: [], state, outputs: {} })).toThrow(/'w.next' names two/);
  });
});

test('a broadcast that ONNX does by itself is not written', () => {
  const x = graph.input('x', [2, 3, 4, 5]);
  const factors = graph.input('factors', [1, 3, 1, 1]);
  const y = graph.mul(graph.broadcastTo(factors, x.shape), x);
  const { model } = lowerStep({ inputs: [x, factors], state: [], outputs: { y } }, { target: 'cpu' });
  expect(decodeModel(model).graph.nodes.map((n) => n.opType)).toEqual(['Mul']);
});
