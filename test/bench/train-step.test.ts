// The benchmark of the training step runs: its smallest case, without rivals. How fast it was is not asked.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const bench = (...flags: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'bench/train-step/main.ts', ...flags], {
    encoding: 'utf8',
  });

test('the smallest case gives figures of our side and of the machine', () => {
  const { status, stdout, stderr } = bench('--smoke', '--json', '--threads', '1');
  expect([status, stderr]).toEqual([0, '']);
  const { results } = JSON.parse(stdout) as { results: Record<string, unknown>[] };
  expect(results).toHaveLength(1);
  const [{ rows, peakGflops, copyGigabytes, ...sizes }] = results as [Record<string, unknown>];
  expect(sizes).toEqual({ depth: 4, batch: 2, classes: 8, threads: 1, steps: 1 });
  expect([peakGflops, copyGigabytes].every((figure) => (figure as number) > 0)).toBe(true);
  const [row, ...others] = rows as Record<string, unknown>[];
  expect(others).toEqual([]);
  expect(row).toMatchObject({ name: 'Hypersphere', milliseconds: expect.any(Number) });
  if (process.platform === 'linux') expect(row!.memory).toBeGreaterThan(100);
  expect(row!.imagesPerSecond).toBeCloseTo(2000 / (row!.milliseconds as number), 6);
  expect(row).not.toHaveProperty('ratio');
});

test('a size that is none is refused', () => {
  const { status, stderr } = bench('--batch', '16,none');
  expect(status).toBe(1);
  expect(stderr).toMatch(/give a whole number from 1 on/);
});
