// hypersphere reproduce as a user's shell runs it: a table of made-up faces, Ctrl-C and on, and every kind of bad flag.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readMetrics } from '../../src/train/run-folder.js';
import { type LfwLike, lfwLike } from '../evaluate/lfw-like.js';
import { temporaryFolder, writeFaces } from '../train/faces.js';
import { hypersphere, start, until } from './hypersphere.js';

let data: string;
let faces: LfwLike;
beforeAll(async () => {
  data = await writeFaces(4, 8);
  faces = await lfwLike();
});

const table3 = (out: string, steps: number, ...more: string[]): string[] => [
  ...['reproduce', 'table3', '--data', data, '--lfw', faces.folder, '--pairs', faces.pairs, '--out', out],
  ...['--rows', 'softmax,a-softmax-m4', '--seeds', '1', '--steps', String(steps), '--size', '32x32'],
  ...['--batch', '8', '--threads', '1', ...more],
];

describe('hypersphere reproduce', () => {
  test('prints the table as JSON and leaves page, Markdown and JSON', async () => {
    const out = join(temporaryFolder(), 'table');
    const { code, stdout } = await hypersphere(...table3(out, 2, '--json'));
    expect(code).toBe(0);
    const table = JSON.parse(stdout);
    expect(table).toMatchObject({ format: 'hypersphere-table/1', table: 'table3', finished: true });
    expect(JSON.parse(readFileSync(join(out, 'table.json'), 'utf8'))).toEqual(table);
    for (const file of ['table.md', 'index.html']) expect(existsSync(join(out, file)), file).toBe(true);
  });

  test('saves the run at hand at Ctrl-C, says that the same command goes on, and it does', async () => {
    const out = join(temporaryFolder(), 'table');
    const run = join(out, 'runs', 'sphereface-4-softmax-seed1');
    const { child, finished } = start(...table3(out, 100_000));
    await until(() => readMetrics(run).length >= 3);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await finished;
    expect(code).toBe(130);
    expect(stdout).toContain('Not finished: 0 of 2 runs are done.');
    expect(stderr).toMatch(/stopped; repeat the command to go on\n$/);
    const before = readMetrics(run).map(({ step, loss }) => [step, loss]);
    const again = start(...table3(out, 100_000));
    await until(() => readMetrics(run).length > before.length);
    again.child.kill('SIGINT');
    await again.finished;
    const after = readMetrics(run).map(({ step, loss }) => [step, loss]);
    expect(after.slice(0, before.length)).toEqual(before);
  });

  test.each([
    [
      ['reproduce', 'table8', '--data', 'faces'],
      /Allowed choices are table3, table4, table5, table6, table7/,
    ],
    [['reproduce', 'table3'], /required option '--data <dir>' not specified/],
    [['reproduce', 'table3', '--data', 'faces', '--scale', 'large'], /Allowed choices are small, paper/],
    [
      ['reproduce', 'table3', '--data', 'faces', '--steps', '5', '--epochs', '1'],
      /cannot be used with option/,
    ],
    [
      ['reproduce', 'table3', '--data', 'faces', '--pairs', 'pairs.txt'],
      /--pairs is given, and --lfw is missing, which belongs to it/,
    ],
    [
      ['reproduce', 'table5', '--data', 'faces', '--distractors', 'faces'],
      /--distractors is given, and --probes is missing, which belongs to it/,
    ],
  ])('%j is not understood', async (flags, message) => {
    const { code, stdout, stderr } = await hypersphere(...flags);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test('faces that are not there and lists that cannot be read are one line each', async () => {
    const out = join(temporaryFolder(), 'table');
    for (const flags of [
      ['reproduce', 'table3', '--data', join(data, 'none'), '--out', out],
      table3(out, 2, '--exclude', join(data, 'none.txt')),
      table3(out, 2, '--lfw', data),
    ]) {
      const { code, stdout, stderr } = await hypersphere(...flags);
      const lines = stderr.split('\n').filter((line) => line.startsWith('hypersphere: '));
      expect({ code, stdout, lines: lines.length }).toEqual({ code: 4, stdout: '', lines: 1 });
      expect(stderr).toMatch(/no such/);
    }
  });
});
