// A step cut at its exchanges against the same step whole: on one rank an exchange changes nothing, so the numbers must be
// those of a `Program`.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  add,
  allGather,
  allReduce,
  conv2d,
  eachRank,
  gradients,
  input,
  matmul,
  mean,
  mul,
  parameter,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
} from '../../src/graph/index.js';
import { lowerStages, lowerStep, type StagesOptions, type StepGraph } from '../../src/lower/index.js';
import { alone } from '../../src/mpi/index.js';
import { type Device, type Feeds, openDevice, StagedProgram } from '../../src/runtime/index.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

const wave = (count: number, speed = 1.7) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(1 + speed * i));
const cpu = { target: 'cpu' } as const;
const stagesOf = (graph: StepGraph, options: Partial<StagesOptions> = {}) =>
  lowerStages(graph, { ...cpu, ...options });

/** Outputs and state after some steps, in stages and whole. */
async function both(
  graph: StepGraph,
  whole: StepGraph,
  { feeds, state }: { feeds: Feeds; state: Map<string, Float32Array> },
  options: Partial<StagesOptions> = {},
) {
  const lowered = stagesOf(graph, options);
  const staged = await StagedProgram.open(lowered, { target: 'cpu', threads: 1, spin: false }, alone);
  const program = await device.compile(whole, options);
  staged.setState(state);
  await program.setState(state);
  const outputs: [Record<string, number[]>, Record<string, number[]>][] = [];
  for (let i = 0; i < 3; i++) {
    const [a, b] = [await staged.run(feeds), await program.run(feeds)];
    const plain = (result: typeof a) =>
      Object.fromEntries(
        Object.entries(result).map(([name, { data }]) => [name, [...(data as Float32Array)]]),
      );
    outputs.push([plain(a), plain(b)]);
  }
  const states = [await staged.getState(), await program.getState()] as const;
  await staged.dispose();
  await program.dispose();
  return { lowered, outputs, states };
}

function expectSame({ outputs, states }: Pick<Awaited<ReturnType<typeof both>>, 'outputs' | 'states'>) {
  const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, name: string) => {
    expect(actual.length, name).toBe(expected.length);
    const size = Math.max(1e-6, ...Array.from(expected, Math.abs));
    for (let i = 0; i < expected.length; i++)
      expect(Math.abs(actual[i]! - expected[i]!) / size, `${name}[${i}]`).toBeLessThan(2e-6);
  };
  for (const [actual, expected] of outputs) {
    expect(Object.keys(actual)).toEqual(Object.keys(expected));
    for (const name of Object.keys(expected)) close(actual[name]!, expected[name]!, name);
  }
  const [actual, expected] = states;
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, values] of expected) close(actual.get(name)!, values, name);
}

/** A network of a convolution and a product whose embeddings are gathered, with its update; whole or with exchanges. */
function network(exchanges: boolean) {
  const gather = (x: Tensor) => (exchanges ? allGather(x, { rank: 0, ranks: 1 }) : x);
  const each = (x: Tensor) => (exchanges ? eachRank(x) : x);
  const reduce = (x: Tensor, by: 'sum' | 'max') => (exchanges ? allReduce(x, by) : x);
  const images = input('images', [4, 3, 8, 8]);
  const kernel = parameter('kernel', [16, 3, 3, 3]);
  const weight = parameter('weight', [16 * 64, 5]);
  const statistics = parameter('statistics', [5]);
  const own = conv2d(images, each(kernel), { stride: 1, padding: 1 });
  const features = matmul(reshape(square(own), [4, 16 * 64]), each(weight));
  const embedding = gather(features);
  const loss = mean(square(sub(embedding, 1)));
  const [kernelSlope, weightSlope] = gradients(loss, [kernel, weight]);
  const next = add(mul(statistics, 0.9), mul(mean(features, [0]), 0.1));
  return {
    graph: {
      inputs: [images],
      state: [
        { parameter: kernel, next: sub(kernel, mul(kernelSlope!, 0.01)) },
        { parameter: weight, next: sub(weight, mul(weightSlope!, 0.01)) },
        { parameter: statistics, next: reduce(next, 'sum') },
      ],
      outputs: { loss, largest: reduce(sum(features, [1]), 'max'), embedding },
    } satisfies StepGraph,
    slopes: [kernelSlope!, weightSlope!] as const,
  };
}

const FEEDS: Feeds = { images: wave(4 * 3 * 64) };
const STATE = new Map([
  ['kernel', wave(16 * 27, 0.9).map((x) => x * 0.1)],
  ['weight', wave(16 * 64 * 5, 1.3).map((x) => x * 0.1)],
  ['statistics', wave(5)],
]);

test('a step without exchanges is one stage with the numbers of a program', async () => {
  const { graph } = network(false);
  const result = await both(graph, graph, { feeds: FEEDS, state: STATE });
  expect(result.lowered.stages.length).toBe(1);
  expect(result.lowered.exchanges).toEqual([]);
  expectSame(result);
});

describe('a step with exchanges, on one rank', () => {
  test.each(['fast', 'plain'] as const)(
    'has the numbers of the whole one (%s formulations)',
    async (formulations) => {
      const [cut, whole] = [network(true).graph, network(false).graph];
      const result = await both(cut, whole, { feeds: FEEDS, state: STATE }, { formulations });
      expect(result.lowered.stages.length).toBeGreaterThan(1);
      expect(result.lowered.exchanges.map(({ kind, reduction }) => reduction ?? kind).sort()).toEqual(
        // The embeddings; both gradients and the statistics; the largest.
        ['allGather', 'max', 'sum', 'sum', 'sum'],
      );
      expectSame(result);
    },
  );

  test('in groups has the same numbers, and what a group needs comes before the next', async () => {
    const cut = network(true);
    const [kernelSlope, weightSlope] = cut.slopes;
    const options = { inOrder: [[weightSlope], [kernelSlope]] };
    const result = await both(cut.graph, network(false).graph, { feeds: FEEDS, state: STATE }, options);
    expect(result.lowered.stages.length).toBeGreaterThan(stagesOf(cut.graph).stages.length);
    const after = (shape: number[]) =>
      result.lowered.exchanges.find(
        ({ kind, physicalShape }) => kind === 'allReduce' && physicalShape.join() === shape.join(),
      )!.after;
    expect(after([16 * 64, 5])).toBeLessThan(
      Math.max(...result.lowered.exchanges.map((exchange) => exchange.after)),
    );
    expectSame(result);
  });

  test('keeps state in the layout of a program, and what comes straight from an exchange as it is', () => {
    const { state } = stagesOf(network(true).graph);
    const program = lowerStep(network(false).graph, cpu);
    for (const { name, layout, physicalShape } of program.state)
      expect(state.find((other) => other.name === name)).toMatchObject({ layout, physicalShape });
  });
});

test('convolutions and products are handed on from stage to stage, other values are computed again', () => {
  const { stages, exchanges } = stagesOf(network(true).graph);
  const results = new Set(exchanges.map(({ result }) => result));
  const leaves = ['images', 'kernel', 'weight', 'statistics'];
  const handedOn = stages.flatMap(({ inputs }) =>
    inputs.filter((name) => !leaves.includes(name) && !results.has(name)),
  );
  expect(handedOn.length).toBeGreaterThan(0);
  for (const name of handedOn) expect(name).toMatch(/^(conv2d|matmul|sum)/);
  // Each is made by an earlier stage.
  stages.forEach(({ inputs }, i) => {
    const earlier = new Set(stages.slice(0, i).flatMap(({ outputs }) => outputs));
    for (const name of inputs)
      expect(leaves.includes(name) || results.has(name) || earlier.has(name), name).toBe(true);
  });
});

describe('state whose next value is an exchanged one', () => {
  const x = () => input('x', [6]);
  const [a, b] = [parameter('a', [6]), parameter('b', [6])];
  const state = new Map([
    ['a', wave(6)],
    ['b', wave(6, 0.3)],
  ]);

  test('and is kept beside the value itself, under another name', async () => {
    const graph = (exchanges: boolean): StepGraph => {
      const fed = x();
      const value = add(fed, a);
      const reduced = exchanges ? allReduce(value, 'sum') : value;
      const next = exchanges ? reduced : add(value, 0);
      return {
        inputs: [fed],
        state: [
          { parameter: a, next: value },
          { parameter: b, next },
        ],
        outputs: { value: exchanges ? allReduce(value, 'max') : add(value, 0) },
      };
    };
    expectSame(await both(graph(true), graph(false), { feeds: { x: wave(6, 2) }, state }));
  });

  test('and exchanges of an input and of state as they are', async () => {
    const graph = (exchanges: boolean): StepGraph => {
      const fed = x();
      const reduce = (t: Tensor) => (exchanges ? allReduce(t, 'sum') : t);
      return {
        inputs: [fed],
        state: [
          { parameter: a, next: add(reduce(fed), a) },
          { parameter: b, next: reduce(mul(b, 0.5)) },
        ],
        outputs: { sum: add(reduce(b), reduce(fed)) },
      };
    };
    expectSame(await both(graph(true), graph(false), { feeds: { x: wave(6, 2) }, state }));
  });
});
