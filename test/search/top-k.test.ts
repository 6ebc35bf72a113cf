import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { Best } from '../../src/search/best.js';
import { memoryTemplates, Search, type TemplateSource, topK } from '../../src/search/index.js';
import { plainScores, plainTop, unitRows } from './rows.js';

const D = 16;

describe('the heap of the best', () => {
  test('keeps what a sort keeps, whatever the order and however many ties', () => {
    const offers = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(offers, fc.integer({ min: 1, max: 12 }), fc.integer(), (values, wanted, seed) => {
        const k = Math.min(wanted, values.length);
        const order = values.map((_, row) => row);
        order.sort((a, b) => Math.imul(a + 1, seed | 1) - Math.imul(b + 1, seed | 1));
        const best = new Best(1, k);
        for (const row of order) best.offer(0, values[row]!, row);
        const top = plainTop(values, k);
        expect([...best.sorted().rows]).toEqual(top);
        expect([...best.sorted().scores]).toEqual(top.map((row) => values[row]));
        expect(best.worst(0)).toBe(values[top[k - 1]!]);
      }),
    );
  });
});

describe('the k best', () => {
  const templates = unitRows(3000, D, 1);
  const probes = unitRows(9, D, 2);
  const plain = plainScores(probes, templates, D);

  test('are those of a plain sort in double precision, for any size of block and any k', async () => {
    const anyOptions = fc.record({
      rows: fc.integer({ min: 1, max: 4000 }),
      probes: fc.integer({ min: 2, max: 12 }),
      k: fc.integer({ min: 1, max: 200 }),
    });
    await fc.assert(
      fc.asyncProperty(anyOptions, async (options) => {
        const { rows, scores, k } = await topK(probes, memoryTemplates(templates, D), {
          ...options,
          threads: 1,
        });
        for (const [p, row] of plain.entries()) {
          const expected = plainTop(row, k);
          expect([...rows.subarray(p * k, (p + 1) * k)]).toEqual(expected);
          expected.forEach((t, i) => {
            expect(Math.abs(scores[p * k + i]! - row[t]!)).toBeLessThan(1e-6);
          });
        }
      }),
      { numRuns: 25 },
    );
  });

  test('one probe is answered like many', async () => {
    const source = memoryTemplates(templates, D);
    const many = await topK(probes, source, { k: 5 });
    for (let p = 0; p < 9; p++) {
      const one = await topK(probes.slice(p * D, (p + 1) * D), source, { k: 5 });
      expect([...one.rows]).toEqual([...many.rows.subarray(p * 5, (p + 1) * 5)]);
    }
  });

  test('searches of one gallery may overlap, fail, and follow one another', async () => {
    const { view: _, ...read } = memoryTemplates(templates, D);
    let broken = false;
    const source: TemplateSource = {
      ...read,
      async read(first, count, into) {
        await new Promise((resolve) => setImmediate(resolve));
        if (broken && first === 1024) throw new UserError('the disk is gone');
        await read.read(first, count, into);
      },
    };
    const search = await Search.open(source);
    const expected = await search.topK(probes, { k: 3, rows: 1024 });
    const [one, many, stopped] = await Promise.allSettled([
      search.topK(probes.slice(0, D), { k: 3, rows: 1024 }),
      search.topK(probes, { k: 3, rows: 2048 }),
      search.topK(probes, { k: 3, rows: 1024, signal: AbortSignal.abort(new UserError('stopped')) }),
    ]);
    expect(one).toMatchObject({ value: { rows: expected.rows.subarray(0, 3) } });
    expect(many).toMatchObject({ value: { rows: expected.rows } });
    expect(stopped).toMatchObject({ reason: { message: 'stopped' } });
    broken = true;
    await expect(search.topK(probes, { k: 3, rows: 1024 })).rejects.toThrow('the disk is gone');
    broken = false;
    expect((await search.topK(probes, { k: 3, rows: 1024 })).rows).toEqual(expected.rows);
    await search.close();
  });

  test('k above the number of templates gives them all, in order', async () => {
    const { k, rows } = await topK(probes, memoryTemplates(templates.slice(0, 50 * D), D), { k: 80 });
    expect(k).toBe(50);
    expect([...rows.subarray(0, 50)]).toEqual(plainTop(plain[0]!.subarray(0, 50), 50));
  });

  test('equal templates come in the order of their rows, through all blocks', async () => {
    const doubled = templates.slice();
    // The nearest of probe 0 lies in the last block; it is repeated in every one.
    const nearest = unitRows(1, D, 2);
    const places = [2999, 17, 1500, 1023, 1024, 2048];
    for (const row of places) doubled.set(nearest, row * D);
    for (const rows of [1024, 2048, 4096]) {
      const found = await topK(probes, memoryTemplates(doubled, D), { k: 4, rows });
      expect([...found.rows.subarray(0, 4)]).toEqual([17, 1023, 1024, 1500]);
      expect(new Set(found.scores.subarray(0, 4)).size).toBe(1);
    }
  });

  test('scores that only grow, the hardest order, are all seen', async () => {
    // Row i at an angle of (3000 - i) / 1000 to the probe: each template beats all before it.
    const grow = new Float32Array(3000 * 2);
    for (let i = 0; i < 3000; i++)
      grow.set([Math.cos((3000 - i) / 1000), Math.sin((3000 - i) / 1000)], i * 2);
    const { rows } = await topK(Float32Array.of(1, 0), memoryTemplates(grow, 2), { k: 3, rows: 1024 });
    expect([...rows]).toEqual([2999, 2998, 2997]);
  });

  test('negative scores beat the zeros that fill up the last block', async () => {
    const { k, rows, scores } = await topK(
      Float32Array.of(1, 0),
      memoryTemplates(Float32Array.of(-1, 0, 0, 1, -0.6, 0.8), 2),
      { k: 5 },
    );
    expect(k).toBe(3);
    expect([...rows]).toEqual([1, 2, 0]);
    expect([...scores]).toEqual([0, Math.fround(-0.6), -1]);
  });
});

describe('candidates scored again', () => {
  const exact = unitRows(400, D, 3);
  const probes = unitRows(6, D, 4);
  const rough = unitRows(400, D, 3);
  // Rounded to a grid so coarse that order changes.
  for (let i = 0; i < rough.length; i++) rough[i] = Math.round(rough[i]! * 4) / 4 + 1e-3;
  for (let r = 0; r < 400; r++) {
    const row = rough.subarray(r * D, (r + 1) * D);
    row.set(row.map((v) => v / Math.hypot(...row)));
  }
  const plain = plainScores(probes, exact, D);

  test('give the exact answer when there are enough of them, and a rougher one without', async () => {
    const options = { k: 5, exact: memoryTemplates(exact, D), candidates: 400 };
    const again = await topK(probes, memoryTemplates(rough, D), options);
    const without = await topK(probes, memoryTemplates(rough, D), { k: 5 });
    const expected = plain.flatMap((row) => plainTop(row, 5));
    expect([...again.rows]).toEqual(expected);
    expect([...without.rows]).not.toEqual(expected);
    expected.forEach((row, i) => {
      expect(again.scores[i]).toBe(Math.fround(plain[Math.floor(i / 5)]![row]!));
    });
  });

  test('are found by the rounded scores alone: with k of them, only the order is mended', async () => {
    const few = { k: 5, exact: memoryTemplates(exact, D), candidates: 5 };
    const again = await topK(probes, memoryTemplates(rough, D), few);
    const without = await topK(probes, memoryTemplates(rough, D), { k: 5 });
    for (let p = 0; p < 6; p++) {
      const one = [...again.rows.subarray(p * 5, p * 5 + 5)];
      expect([...one].sort()).toEqual([...without.rows.subarray(p * 5, p * 5 + 5)].sort());
      expect(one).toEqual([...one].sort((a, b) => plain[p]![b]! - plain[p]![a]! || a - b));
    }
  });

  test('of equal exact scores the lower row comes first', async () => {
    const same = exact.slice();
    for (const row of [300, 7, 20]) same.set(probes.subarray(0, D), row * D);
    const { rows } = await topK(probes, memoryTemplates(same, D), { k: 3, exact: memoryTemplates(same, D) });
    expect([...rows.subarray(0, 3)]).toEqual([7, 20, 300]);
  });
});

describe('bad input', () => {
  const templates = memoryTemplates(unitRows(5, D, 1), D);
  const probe = unitRows(1, D, 2);
  test.each([
    [
      'an empty gallery',
      () => topK(probe, memoryTemplates(new Float32Array(0), D), { k: 1 }),
      /the gallery is empty/,
    ],
    ['k of 0', () => topK(probe, templates, { k: 0 }), /k must be a whole number from 1 on, not 0/],
    ['k of 1.5', () => topK(probe, templates, { k: 1.5 }), /k must be/],
    ['blocks of no rows', () => topK(probe, templates, { k: 1, rows: 0 }), /rows a block must be/],
    [
      'exact templates of other rows',
      () => topK(probe, templates, { k: 1, exact: memoryTemplates(unitRows(4, D, 1), D) }),
      /the exact templates are \[4, 16\], those that are searched \[5, 16\]/,
    ],
  ])('%s is one sentence', async (_, attempt, message) => {
    await expect(attempt()).rejects.toThrow(UserError);
    await expect(attempt()).rejects.toThrow(message);
  });

  test('no probes have no candidates', async () => {
    expect((await topK(new Float32Array(0), templates, { k: 2 })).rows.length).toBe(0);
  });
});
