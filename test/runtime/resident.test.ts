// Sessions through the C interface: the same numbers as through the Node binding, and errors in the runtime's words.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeModel } from '../../src/lower/onnx.js';
import { type CInterface, cInterface } from '../../src/runtime/c-interface.js';
import { bindingEngine, type Engine } from '../../src/runtime/engine.js';
import { residentEngine } from '../../src/runtime/resident.js';
import { tinyFeeds, tinyState, tinyStep } from './tiny-step.js';

const settings = { target: 'cpu', threads: 1, spin: false } as const;
type DType = 'float32' | 'int32' | 'int64' | 'bool' | 'uint8';

let c: CInterface;
beforeAll(async () => {
  const found = await cInterface();
  expect(found, 'the C interface of ONNX Runtime').toBeDefined();
  c = found!;
});

/** A model that gives back its input. */
const echo = (dtype: DType, shape: number[]) =>
  encodeModel({
    opset: 17,
    graph: {
      name: 'echo',
      nodes: [{ opType: 'Identity', inputs: ['x'], outputs: ['y'] }],
      inputs: [{ name: 'x', dtype, shape }],
      outputs: [{ name: 'y', dtype, shape }],
      initializers: [],
    },
  });

describe('one run after another', () => {
  const step = tinyStep();
  const engines: Engine[] = [];
  afterAll(() => Promise.all(engines.map((engine) => engine.release())));

  test('gives the same numbers as the Node binding, bit for bit', async () => {
    engines.push(residentEngine(step.model, settings, c), await bindingEngine(step.model, settings));
    const names = ['loss', ...step.state.flatMap(({ output }) => output ?? [])];
    const runs = await Promise.all(
      engines.map(async (engine) => {
        const state = Object.fromEntries(
          step.state.map(({ name, input, physicalShape }) => [
            input,
            engine.keep(Float32Array.from(tinyState[name as keyof typeof tinyState]), physicalShape),
          ]),
        );
        const seen: unknown[] = [];
        for (let i = 0; i < 5; i++) {
          const feeds = { ...state };
          for (const { name, dtype, shape } of step.inputs)
            feeds[name] = engine.feed(name, dtype, tinyFeeds[name as keyof typeof tinyFeeds], shape);
          const results = await engine.run(feeds, names);
          for (const name of names) seen.push([name, results[name]!.dims, results[name]!.data]);
          for (const { input, output } of step.state) {
            if (output === undefined) continue;
            state[input]!.dispose();
            state[input] = results[output]!;
          }
        }
        return seen;
      }),
    );
    expect(runs[0]).toHaveLength(5 * names.length);
    expect(runs[0]).toEqual(runs[1]);
  });
});

describe('values', () => {
  test.each([
    ['float32', Float32Array.of(1.5, -2, 3), Float32Array.of(1.5, -2, 3)],
    ['int32', Int32Array.of(-1, 2, 3), Int32Array.of(-1, 2, 3)],
    ['int64', Int32Array.of(-1, 2, 3), BigInt64Array.of(-1n, 2n, 3n)],
    ['bool', Int32Array.of(0, 5, 1), Uint8Array.of(0, 1, 1)],
    ['uint8', Uint8Array.of(0, 200, 1), Uint8Array.of(0, 200, 1)],
  ] as const)('of %s go in and come out', async (dtype, given, expected) => {
    const engine = residentEngine(echo(dtype, [3, 1]), settings, c);
    const { y } = await engine.run({ x: engine.feed('x', dtype, given, [3, 1]) }, ['y']);
    expect([y!.type, y!.dims, y!.location]).toEqual([dtype, [3, 1], 'cpu']);
    expect(y!.data).toEqual(expected);
    y!.dispose();
    await engine.release();
  });

  test.each([
    ['a scalar', [], 7, Float32Array.of(7)],
    ['nothing', [0, 3], new Float32Array(0), new Float32Array(0)],
  ])('%s goes in and comes out', async (_, shape, given, expected) => {
    const engine = residentEngine(echo('float32', shape), settings, c);
    const { y } = await engine.run({ x: engine.feed('x', 'float32', given, shape) }, ['y']);
    expect(y!.dims).toEqual(shape);
    expect(y!.data).toEqual(expected);
    y!.dispose();
    await engine.release();
  });

  test('what was read stays when the value is gone', async () => {
    const engine = residentEngine(echo('float32', [2]), settings, c);
    const kept = engine.keep(Float32Array.of(1, 2), [2]);
    const data = kept.data;
    kept.dispose();
    expect(data).toEqual(Float32Array.of(1, 2));
    await engine.release();
  });
});

describe('errors', () => {
  test('a model that is none is refused in the runtime’s words', () => {
    expect(() => residentEngine(Uint8Array.of(1, 2, 3), settings, c)).toThrow(/protobuf/i);
  });

  test('a run with a wrong shape is refused, and the next one works', async () => {
    const engine = residentEngine(echo('float32', [2]), settings, c);
    const wrong = engine.keep(Float32Array.of(1, 2, 3), [3]);
    await expect(engine.run({ x: wrong }, ['y'])).rejects.toThrow(/Got: 3 Expected: 2/);
    const right = engine.keep(Float32Array.of(1, 2), [2]);
    const { y } = await engine.run({ x: right }, ['y']);
    expect(y!.data).toEqual(Float32Array.of(1, 2));
    for (const value of [wrong, right, y!]) value.dispose();
    await engine.release();
  });
});
