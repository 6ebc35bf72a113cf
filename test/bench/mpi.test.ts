// The benchmark of MPI runs: short sums between two ranks. How fast they were is not asked.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { noMpi } from '../support/ranks.js';

test.skipIf(noMpi)(`sums of three lengths are timed${noMpi ? ` (${noMpi})` : ''}`, () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'bench/mpi/main.ts', '--smoke', '--json'],
    { encoding: 'utf8' },
  );
  expect([status, stderr]).toEqual([0, '']);
  const { ranks, rows } = JSON.parse(stdout) as { ranks: number; rows: Record<string, number>[] };
  expect(ranks).toBe(2);
  expect(rows.map(({ numbers }) => numbers)).toEqual([1, 256, 65_536]);
  for (const { numbers, milliseconds, gigabytesPerSecond } of rows) {
    expect(milliseconds).toBeGreaterThan(0);
    expect(gigabytesPerSecond).toBeCloseTo((4 * numbers!) / 1e6 / milliseconds!, 9);
  }
});
