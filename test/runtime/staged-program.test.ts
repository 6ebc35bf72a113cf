// A program in stages on one rank: what it refuses, what may be asked of it in the middle of a step, and what it frees.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { add, allReduce, input, mul, parameter, sum } from '../../src/graph/index.js';
import { lowerStages } from '../../src/lower/index.js';
import { alone, type Communicator } from '../../src/mpi/index.js';
import { StagedProgram } from '../../src/runtime/index.js';

const SIZE = 2 ** 20;
const settings = { target: 'cpu', threads: 1, spin: false } as const;

const open = (communicator: Communicator) => {
  const [x, w] = [input('x', []), parameter('w', [SIZE])];
  const moved = allReduce(mul(add(w, x), 0.5), 'sum');
  const graph = {
    inputs: [x],
    state: [{ parameter: w, next: add(moved, 1) }],
    outputs: { total: sum(moved) },
  };
  return StagedProgram.open(lowerStages(graph, { target: 'cpu' }), settings, communicator);
};

let program: StagedProgram;
beforeAll(async () => {
  program = await open(alone);
});
afterAll(() => program.dispose());

test('refuses state and feeds that do not fit', async () => {
  await expect(program.run({ x: 1 })).rejects.toThrow("state 'w' was never set");
  expect(() => program.setState(new Map([['v', new Float32Array(1)]]))).toThrow(UserError);
  expect(() => program.setState(new Map([['w', new Float32Array(3)]]))).toThrow(/1048576 values\), but 3/);
  program.setState(new Map([['w', new Float32Array(SIZE)]]));
  await expect(program.run({})).rejects.toThrow("feed 'x' [] float32 is missing");
  await expect(program.run({ x: 1, y: 2 })).rejects.toThrow("feed 'y' is not an input");
  await expect(program.run({ x: [1, 2] as never })).rejects.toThrow(UserError);
});

test('frees what a step makes', async () => {
  program.setState(new Map([['w', new Float32Array(SIZE)]]));
  const take = async (steps: number) => {
    for (let i = 0; i < steps; i++) await program.run({ x: 1 });
  };
  await take(20);
  const before = process.memoryUsage().rss;
  await take(200);
  // One tensor of 4 MiB left behind a step would be 800 MiB.
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
});

test('gives the state before a step while the step waits for others, and refuses a second step', async () => {
  let arrive = () => {};
  const gate = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  // Two ranks in one process: the other has the same numbers, and is late.
  const late: Communicator = {
    ...alone,
    size: 2,
    allGather: async (values) => {
      const twice = new (values.constructor as new (n: number) => typeof values)(2 * values.length);
      twice.set(values as never);
      twice.set(values as never, values.length);
      return twice;
    },
    async allReduce(values) {
      await gate;
      for (let i = 0; i < values.length; i++) values[i]! *= 2;
    },
  };
  const waiting = await open(late);
  waiting.setState(new Map([['w', new Float32Array(SIZE).fill(3)]]));
  const step = waiting.run({ x: 1 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await waiting.getState()).get('w')![SIZE - 1]).toBe(3);
  await expect(waiting.run({ x: 1 })).rejects.toThrow('still running a step');
  await expect(waiting.dispose()).rejects.toThrow('still running a step');
  arrive();
  const { total } = await step;
  expect(total!.data[0]).toBe(4 * SIZE);
  expect((await waiting.getState()).get('w')![0]).toBe(5);
  await waiting.dispose();
});
