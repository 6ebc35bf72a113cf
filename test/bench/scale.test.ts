// The benchmark of scale runs: its smallest cases, once, on 1 and 2 ranks. Its figures are not asked.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { noMpi } from '../support/ranks.js';

if (noMpi) console.log(noMpi);

const bench = (...flags: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'bench/scale/main.ts', ...flags], { encoding: 'utf8' });

test.skipIf(noMpi)(
  'all ways to share a step are timed, and the ranks agree on the loss',
  () => {
    const { status, stdout, stderr } = bench('--smoke', '--json', '--questions', 'classes,exchange');
    expect([status, stderr]).toEqual([0, '']);
    const { rounds, exchanges } = JSON.parse(stdout) as {
      rounds: { measured: Record<string, number>[] }[];
      exchanges: { bytes: number; milliseconds: number }[];
    };
    expect(exchanges).toEqual([{ bytes: 64, milliseconds: expect.any(Number), least: expect.any(Number) }]);
    const [{ measured }] = rounds as [(typeof rounds)[0]];
    expect(measured.map(({ ranks, shared, sampled }) => [ranks, shared, sampled])).toEqual([
      ...[[1, false, 1] as const, [2, false, 1] as const, [2, true, 1] as const],
      ...[0.1, 0.01].flatMap((sampled) => [[1, false, sampled] as const, [2, true, sampled] as const]),
    ]);
    for (const { ranks, peak, exchanged } of measured) {
      expect(peak).toBeGreaterThan(2 ** 20);
      if (ranks === 1) expect(exchanged).toBe(0);
      else expect(exchanged).toBeGreaterThan(2 ** 20);
    }
    // With all classes a step is the same step, however it is shared.
    const losses = measured.map(({ losses }) => losses as unknown as number[]);
    for (const shared of losses.slice(1, 3))
      for (const [i, loss] of shared.entries()) expect(loss).toBeCloseTo(losses[0]![i]!, 3);
  },
  600_000,
);

test('a question that is none is refused', () => {
  const { status, stderr } = bench('--questions', 'none');
  expect(status).toBe(1);
  expect(stderr).toMatch(/no question is called 'none'/);
});
