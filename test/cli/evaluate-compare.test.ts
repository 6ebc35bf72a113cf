// evaluate compare as a user's shell runs it: folders in, a page out, one clear line for what is no evaluation.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeEvaluation } from '../../src/report/index.js';
import { evaluationOf, verificationOf } from '../support/evaluations.js';
import { hypersphere } from './hypersphere.js';

const parent = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(parent, { recursive: true }));
const [one, two] = [join(parent, 'one'), join(parent, 'two')];
beforeAll(async () => {
  for (const [i, folder] of [one, two].entries())
    await writeEvaluation(
      folder,
      evaluationOf({
        model: { name: `model-${i}`, file: `${i}.onnx`, length: 8 },
        verification: verificationOf(200),
      }),
    );
});

const compare = (...flags: string[]) => hypersphere('evaluate', 'compare', ...flags);

describe('evaluate compare', () => {
  test('writes the page and its plots, and says what it compared', async () => {
    const report = join(parent, 'both');
    const { code, stdout } = await compare(one, join(two, 'evaluation.json'), '--report', report, '--json');
    expect(code).toBe(0);
    const { page, files, runs, comparable } = JSON.parse(stdout);
    expect({ runs, comparable }).toEqual({ runs: ['model-0', 'model-1'], comparable: true });
    expect(readFileSync(page, 'utf8')).toContain('All 2 were measured in the same way');
    for (const file of files) expect(existsSync(file)).toBe(true);
  });

  test('says on the terminal, too, when figures must not be compared', async () => {
    const other = join(parent, 'other');
    await writeEvaluation(other, evaluationOf({ title: 'another mode', verification: verificationOf(200) }));
    const { code, stdout } = await compare(one, other, '--report', join(parent, 'apart'));
    expect(code).toBe(0);
    expect(stdout).toContain('must not be compared');
  });

  test.each<[string, number, RegExp, () => string[]]>([
    ['one evaluation', 2, /two evaluations or more/, () => [one]],
    ['no evaluation there', 4, /gone: not there; name a folder/, () => [one, join(parent, 'gone')]],
    [
      'a damaged one',
      3,
      /bad\.json: is cut off or no JSON; make it again/,
      () => [one, join(parent, 'bad.json')],
    ],
  ])('%s is one clear line', async (_, exit, words, places) => {
    writeFileSync(join(parent, 'bad.json'), '{"format":');
    const { code, stdout, stderr } = await compare(...places(), '--report', join(parent, 'none'));
    expect([code, stdout]).toEqual([exit, '']);
    expect(stderr).toMatch(words);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(existsSync(join(parent, 'none'))).toBe(false);
  });
});
