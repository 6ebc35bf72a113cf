import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { eachBlock, memoryTemplates, type TemplateSource } from '../../src/search/index.js';
import { packRows, unpackRows } from '../../src/search/pack.js';
import { plainScores, unitRows } from './rows.js';

const D = 24;

/** All scores [P, N], gathered from the blocks. */
async function gathered(
  probes: Float32Array,
  templates: TemplateSource,
  options: { rows?: number; probes?: number } = {},
): Promise<Float32Array[]> {
  const all = Array.from({ length: probes.length / D }, () => new Float32Array(templates.count).fill(9));
  await eachBlock(probes, templates, {
    ...options,
    threads: 1,
    onBlock(scores, first, count, firstProbe, probeCount) {
      expect(scores.length).toBe(count * probeCount);
      for (let i = 0; i < probeCount; i++)
        all[firstProbe + i]!.set(scores.subarray(i * count, (i + 1) * count), first);
    },
  });
  return all;
}

/** Templates in memory as they are stored in a file of float16 or int8. */
function packed(rows: Float32Array, type: 'float16' | 'int8'): TemplateSource & { rows: Float32Array } {
  const stored = packRows(rows, D, type);
  const unpacked = new Float32Array(rows.length);
  unpackRows(stored, rows.length / D, D, unpacked);
  return {
    ...memoryTemplates(unpacked, D),
    rows: unpacked,
    view: undefined as never,
    packed: {
      type,
      read(first, count, into) {
        into.values.set(stored.values.subarray(first * D, (first + count) * D) as never);
        if (stored.scales) into.scales!.set(stored.scales.subarray(first, first + count));
      },
    },
  };
}

describe('scores in blocks', () => {
  const templates = unitRows(2500, D, 1);
  const probes = unitRows(7, D, 2);
  const plain = plainScores(probes, templates, D);

  test.each([
    {},
    { rows: 1024 },
    { rows: 1 },
    { rows: 2048, probes: 3 },
    { rows: 4096, probes: 1 },
    { rows: 1024, probes: 2 },
  ])('are the cosines of a plain loop with %o', async (options) => {
    const scores = await gathered(probes, memoryTemplates(templates, D), options);
    for (const [p, row] of scores.entries())
      expect(Math.max(...row.map((score, t) => Math.abs(score - plain[p]![t]!)))).toBeLessThan(1e-6);
  });

  test('a source that can only be read gives the same numbers as one that is seen without a copy', async () => {
    const seen = memoryTemplates(templates, D);
    const { view: _, ...read } = seen;
    expect(await gathered(probes, read)).toEqual(await gathered(probes, seen));
  });

  test.each(['float16', 'int8'] as const)('%s templates are scored as what they stand for', async (type) => {
    const source = packed(templates, type);
    const expected = plainScores(probes, source.rows, D);
    for (const [p, row] of (await gathered(probes, source, { rows: 1024 })).entries())
      expect(Math.max(...row.map((score, t) => Math.abs(score - expected[p]![t]!)))).toBeLessThan(1e-6);
  });

  test('equal templates have equal scores wherever they lie, to the last bit', async () => {
    const repeated = new Float32Array(4000 * D);
    const one = unitRows(1, D, 3);
    for (let row = 0; row < 4000; row++) repeated.set(one, row * D);
    for (const options of [{ rows: 1024 }, { rows: 2048 }, { rows: 1024, probes: 1 }])
      for (const row of await gathered(probes, memoryTemplates(repeated, D), options))
        expect(new Set(row).size).toBe(1);
  });

  test('no templates and no probes are no blocks', async () => {
    const none = memoryTemplates(new Float32Array(0), D);
    const never = { onBlock: () => expect.unreachable() };
    await eachBlock(probes, none, never);
    await eachBlock(new Float32Array(0), memoryTemplates(templates, D), never);
  });

  test('progress ends with all, and a signal ends the work', async () => {
    const seen: number[] = [];
    const controller = new AbortController();
    const source = memoryTemplates(templates, D);
    await eachBlock(probes, source, { rows: 1024, onBlock() {}, onProgress: (done) => seen.push(done) });
    expect(seen).toEqual([1024, 2048, 2500]);
    let blocks = 0;
    const stopped = eachBlock(probes, source, {
      rows: 1024,
      signal: controller.signal,
      onBlock() {
        blocks++;
        controller.abort(new UserError('stopped'));
      },
    });
    await expect(stopped).rejects.toThrow('stopped');
    expect(blocks).toBe(1);
  });

  test('what is read ahead may fail: the error comes once, as the rejection', async () => {
    const { view: _, ...source } = memoryTemplates(templates, D);
    const failing: TemplateSource = {
      ...source,
      async read(first, count, into) {
        if (first > 0) throw new UserError('the disk is gone');
        await source.read(first, count, into);
      },
    };
    await expect(eachBlock(probes, failing, { rows: 1024, onBlock() {} })).rejects.toThrow(
      'the disk is gone',
    );
  });

  test.each([
    ['a probe of another length', new Float32Array(D + 1).fill(1), /rows of 24, the templates' length/],
    [
      'a probe that is not of unit length',
      unitRows(2, D, 5).map((v, i) => (i < D ? v : v * 2)),
      /probe 1: its length is 2/,
    ],
    ['a probe of zeros', new Float32Array(D), /probe 0: every number is zero/],
    ['a probe with NaN', new Float32Array(D).fill(Number.NaN), /probe 0: .*not finite/],
  ])('%s is refused', async (_, wrong, message) => {
    const attempt = eachBlock(wrong, memoryTemplates(templates, D), { onBlock() {} });
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.toThrow(message);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('a template with %s is named', async (value) => {
    const broken = templates.slice();
    const { view: _, ...source } = memoryTemplates(templates, D);
    broken[2345 * D + 3] = value;
    const from: TemplateSource = {
      ...source,
      read: (first, count, into) => into.set(broken.subarray(first * D, (first + count) * D)),
    };
    await expect(eachBlock(probes, from, { rows: 1024, onBlock() {} })).rejects.toThrow(
      /template 2345: it holds numbers that are not finite/,
    );
    expect(() => memoryTemplates(broken, D)).toThrow(/template 2345/);
  });
});
