// The benchmark of loading runs: once through everything on made-up images, without rivals. Its figures are not asked.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const bench = (...flags: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'bench/loading/main.ts', ...flags], {
    encoding: 'utf8',
    env: { ...process.env, HYPERSPHERE_PYTHON: 'no-such-python' },
  });

test('every source is timed alone and under training steps', () => {
  const { status, stdout, stderr } = bench('--smoke', '--json', '--threads', '1', '--train-threads', '1');
  expect([status, stderr.match(/PyTorch with \w+ left out/g)?.length]).toEqual([0, 2]);
  const { loaded, trained } = JSON.parse(stdout) as Record<'loaded' | 'trained', Record<string, unknown>[]>;
  const sources = ['JPEG folder', 'record file', 'memory'];
  expect(loaded.map(({ name }) => name)).toEqual(sources);
  expect(trained.map(({ name }) => name)).toEqual(['a batch at hand', ...sources]);
  for (const row of [...loaded, ...trained]) expect(row.imagesPerSecond).toBeGreaterThan(0);
  for (const { waited } of trained) {
    expect(waited).toBeGreaterThanOrEqual(0);
    expect(waited).toBeLessThanOrEqual(1);
  }
});

test('without a folder it says so', () => {
  const { status, stderr } = bench();
  expect(status).toBe(1);
  expect(stderr).toMatch(/--data FOLDER is missing/);
});
