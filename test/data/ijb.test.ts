// The metadata of IJB-B and IJB-C in the field's files, and every way in which they can be wrong.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import { readIjb } from '../../src/data/ijb.js';
import { readIjbPairs } from '../../src/data/ijb-pairs.js';
import { layout, writeIjb } from './ijb-layout.js';

const parent = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(parent, { recursive: true }));

describe('the metadata', () => {
  it('holds images with template and medium, pairs, galleries and probes', async () => {
    const meta = await readIjb(writeIjb(parent, 'whole'));
    expect(meta.set).toBe('IJB-C');
    expect([...meta.templates]).toEqual([100, 101, 102, 103, 200, 201, 202, 203, 204]);
    expect(meta.images.names.slice(0, 3)).toEqual(['1.jpg', '2.jpg', '3.jpg']);
    expect([...meta.images.template]).toEqual([0, 0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8]);
    expect([...meta.images.medium.subarray(0, 4)]).toEqual([7, 8, 8, 9]);
    const { first, second, same, repeated, selves } = meta.pairs!;
    expect([[...first], [...second], [...same]]).toEqual([
      [0, 1, 0, 2, 1, 2],
      [4, 5, 5, 7, 4, 8],
      [1, 1, 0, 1, 0, 0],
    ]);
    expect([repeated, selves]).toEqual([0, 0]);
    // Several lines of one template are one template.
    const [one, two] = meta.search!.galleries;
    expect([[...one.rows], [...one.subjects], [...two.rows], [...two.subjects]]).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    expect([...meta.search!.probes.subjects]).toEqual([1, 2, 1, 3, 4]);
    expect(meta.subjectOf.get(6)).toBe(1);
  });

  it('of IJB-B has galleries S1 and S2', async () => {
    const { '1N_gallery_G1.csv': one, '1N_gallery_G2.csv': two } = layout;
    const folder = writeIjb(
      parent,
      'b',
      {
        '1N_gallery_G1.csv': null,
        '1N_gallery_G2.csv': null,
        '1N_gallery_S1.csv': one!,
        '1N_gallery_S2.csv': two!,
      },
      'ijbb_',
    );
    const meta = await readIjb(folder);
    expect(meta.set).toBe('IJB-B');
    expect(meta.search!.galleries[1].subjects).toEqual(Uint32Array.of(3, 4));
  });

  it('may lack pairs, or the tables', async () => {
    const tables = { '1N_gallery_G1.csv': null, '1N_gallery_G2.csv': null, '1N_probe_mixed.csv': null };
    const pairsOnly = await readIjb(writeIjb(parent, 'pairs', tables));
    expect(pairsOnly.search).toBeUndefined();
    expect(pairsOnly.pairs!.same).toHaveLength(6);
    const searchOnly = await readIjb(writeIjb(parent, 'search', { 'template_pair_label.txt': null }));
    expect(searchOnly.pairs).toBeUndefined();
    expect(searchOnly.search).toBeDefined();
    await expect(
      readIjb(writeIjb(parent, 'neither', { ...tables, 'template_pair_label.txt': null })),
    ).rejects.toThrow('neither ijbc_template_pair_label.txt nor ijbc_1N_gallery_G1.csv');
  });

  it("has the detector's scores when they are asked for", async () => {
    const points = '1 2 3 4 5 6 7 8 9 10';
    const lines = Array.from({ length: 12 }, (_, i) => `${i + 1}.jpg ${points} 0.${i + 10}`);
    const folder = writeIjb(parent, 'scores', { 'name_5pts_score.txt': lines.join('\n') });
    const meta = await readIjb(folder, { detectorScores: true });
    expect(meta.detectorScores![2]).toBe(0.12);
    await expect(readIjb(join(parent, 'whole'), { detectorScores: true })).rejects.toThrow(
      'ijbc_name_5pts_score.txt, which is missing',
    );
    writeFileSync(join(folder, 'ijbc_name_5pts_score.txt'), lines.slice(1).join('\n'));
    await expect(readIjb(folder, { detectorScores: true })).rejects.toThrow('has no score of 1.jpg');
    writeFileSync(join(folder, 'ijbc_name_5pts_score.txt'), `1.jpg ${points} nan`);
    await expect(readIjb(folder, { detectorScores: true })).rejects.toThrow('line 1: the last column');
  });
});

describe('what is wrong is named', () => {
  const change = (file: string, from: string, to: string) => ({ [file]: layout[file]!.replace(from, to) });
  test.each<[string, Record<string, string | null>, RegExp]>([
    ['no list of images', { 'face_tid_mid.txt': null }, /needed is ijbb_face_tid_mid\.txt or ijbc_/],
    ['an empty list of images', { 'face_tid_mid.txt': '\n\n' }, /face_tid_mid\.txt: there is no image/],
    [
      'a line without a medium',
      change('face_tid_mid.txt', '4.jpg 101 9', '4.jpg 101'),
      /face_tid_mid\.txt line 4: needed are an image, the number of its template and that of its medium/,
    ],
    [
      'an image twice in a template',
      change('face_tid_mid.txt', '2.jpg', '1.jpg'),
      /line 2: 1\.jpg is in template 100 already/,
    ],
    [
      'one of the tables missing',
      { '1N_gallery_G2.csv': null },
      /: ijbc_1N_gallery_G2\.csv missing; .*all three/,
    ],
    [
      'a table without its header',
      { '1N_probe_mixed.csv': '200,1,a\n' },
      /its first line must name the columns/,
    ],
    [
      'an empty table',
      { '1N_probe_mixed.csv': 'TEMPLATE_ID,SUBJECT_ID\n' },
      /mixed\.csv: there is no template/,
    ],
    [
      'a template that is no number',
      change('1N_probe_mixed.csv', '201,2', 'x,2'),
      /line 3: TEMPLATE_ID 'x' and SUBJECT_ID '2' must be whole numbers/,
    ],
    [
      'a template without images',
      change('1N_probe_mixed.csv', '201,2', '299,2'),
      /line 3: template 299 has no image in the list of images/,
    ],
    [
      'a template of two subjects',
      change('1N_gallery_G1.csv', '100,1,frames/2.png', '100,2,frames/2.png'),
      /line 3: template 100 is of subject 2 here and of 1 elsewhere/,
    ],
    [
      'two templates of a subject in a gallery',
      change('1N_gallery_G1.csv', '101,2', '101,1'),
      /subject 1 has the templates 100 and 101/,
    ],
    [
      'an empty list of pairs',
      { 'template_pair_label.txt': '\n' },
      /pair_label\.txt: there is no pair in it/,
    ],
    [
      'a pair without a label',
      { 'template_pair_label.txt': '100 200 1\n100 201\n' },
      /pair_label\.txt line 2: needed are two templates and 1 or 0/,
    ],
    [
      'a label of 2',
      { 'template_pair_label.txt': '100 200 2' },
      /line 1: needed are two templates and 1 or 0/,
    ],
    ['a pair of four numbers', { 'template_pair_label.txt': '100 200 1 1\n' }, /line 1: needed are two/],
    ['a letter in a pair', { 'template_pair_label.txt': '\n100 2o0 1' }, /line 2: needed are two templates/],
    [
      'a pair of a template without images',
      { 'template_pair_label.txt': '100 200 1\n100 999 0' },
      /line 2: template 999 has no image/,
    ],
  ])('%s', async (name, changes, message) => {
    await expect(readIjb(writeIjb(parent, name.replaceAll(' ', '-'), changes))).rejects.toThrow(message);
  });

  it('a folder that is not there, or two benchmarks in one', async () => {
    await expect(readIjb(join(parent, 'nowhere'))).rejects.toThrow('nowhere: no such folder');
    const folder = writeIjb(parent, 'both');
    writeIjb(parent, 'both', {}, 'ijbb_');
    await expect(readIjb(folder)).rejects.toThrow('give each benchmark a folder of its own');
  });
});

describe('a list of pairs', () => {
  it('is read whole across the pieces of a stream, with or without a last line end', async () => {
    // Some 3 MB: three pieces, cut somewhere inside of lines.
    const count = 250_000;
    const rowOf = new Map(Array.from({ length: 1000 }, (_, row) => [10_000 + row, row]));
    const lines = Array.from({ length: count }, (_, i) => [
      i % 1000,
      (i * 7 + 3) % 1000,
      i % 5 === 0 ? 1 : 0,
    ]);
    const file = join(parent, 'many.txt');
    writeFileSync(file, lines.map(([a, b, same]) => `${10_000 + a!} ${10_000 + b!} ${same}`).join('\n'));
    const pairs = await readIjbPairs(file, rowOf);
    expect(pairs.first).toHaveLength(count);
    const wrong = lines.findIndex(
      ([a, b, same], i) => pairs.first[i] !== a || pairs.second[i] !== b || pairs.same[i] !== same,
    );
    expect(wrong).toBe(-1);
  });

  it('counts pairs that recur, in either order, and templates paired with themselves', async () => {
    const rowOf = new Map([1, 2, 3].map((template, row) => [template, row]));
    const file = join(parent, 'again.txt');
    writeFileSync(file, '1 2 1\n2 1 1\n1 3 0\n1 2 1\n3 3 1\n');
    expect(await readIjbPairs(file, rowOf)).toMatchObject({ repeated: 2, selves: 1 });
    await expect(readIjbPairs(join(parent, 'no.txt'), rowOf)).rejects.toThrow('no.txt: no such file');
  });
});
