// The collectives on real ranks, against plain sums in this process.
import { describe, expect, test } from 'vitest';
import { alone, openCommunicator } from '../../src/mpi/index.js';
import { jsonOfRanks, noMpi } from '../support/ranks.js';

const script = (name: string): URL => new URL(`./ranks/${name}.ts`, import.meta.url);
const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

test('a plain run is alone and exchanges nothing', async () => {
  const world = await openCommunicator();
  expect(world).toBe(alone);
  const values = Float32Array.of(1, 2);
  await world.allReduce(values, 'sum');
  const gathered = await world.allGather(values);
  expect([...gathered]).toEqual([1, 2]);
  expect(gathered).not.toBe(values);
  await world.close();
});

describe.skipIf(noMpi)(`collectives${noMpi ? ` (${noMpi})` : ''}`, () => {
  test.each([
    [2, undefined],
    [3, 4],
    [4, 2],
  ])('are what their names say on %i ranks, with at most %s numbers in a call', async (size, largest) => {
    const ranks = range(size);
    const total = (size * (size - 1)) / 2;
    const outputs = await jsonOfRanks<Record<string, unknown>>(
      size,
      script('collectives'),
      largest === undefined ? [] : [largest],
    );
    for (const [rank, output] of outputs.entries())
      expect(output).toEqual({
        rank,
        size,
        sum: range(10).map((i) => 10 * total + size * i),
        sumOfDoubles: [expect.closeTo(total + size * 1e-12, 14)],
        max: [size - 1, 0, 7],
        min: [0, 1 - size, 7],
        bytes: [(size * (size + 1)) / 2, (100 * size) % 256],
        whole: [1, 1, 1, 1, 1, 1].map((one, i) => (i === 2 || i === 3 ? total + size : one + rank)),
        gathered: ranks.flatMap((other) => new Array(3 * other).fill(other)),
        single: ranks.map((other) => other / 3),
        nothing: [],
        fromLast: new Array(7).fill(size - 1),
        fromFirst: [0, 200],
        type: 'Int32Array',
      });
  });

  test('every rank gets the same bits of a sum that rounds, whole and in pieces', async () => {
    for (const largest of [2 ** 27, 40_000]) {
      const outputs = await jsonOfRanks<{
        bits: string;
        error: number;
        gathered: number;
        lastGathered: number;
      }>(4, script('large'), [largest]);
      for (const output of outputs) expect(output).toEqual(outputs[0]);
      expect(outputs[0]!.error).toBeLessThan(2 ** -22);
      expect(outputs[0]!.gathered).toBe(10_000);
    }
  });

  test('a rank that waits for a slow one serves its events, and calls settle in their order', async () => {
    const outputs = await jsonOfRanks<{ ticks: number; order: string[] }>(3, script('events'));
    for (const { order } of outputs) expect(order).toEqual(['sum 3', 'max 3', 'sum 9']);
    // 600 ms hold 120 intervals; a blocked thread would see one or two.
    for (const { ticks } of outputs) expect(ticks).toBeGreaterThan(10);
  });
});
