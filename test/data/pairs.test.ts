// LFW's pair list: what it says, what is wrong with a bad one, and where the images are.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { locatePairs, parsePairs, readPairs } from '../../src/data/pairs.js';
import { temporaryFolder, write } from './pictures.js';

const good = ['2\t1', 'Ann\t1\t2', 'Ann\t1\tBob\t3', 'Cy\t2\t1', 'Bob\t3\tCy\t1'];
const changed = (line: number, text: string) =>
  good.map((old, i) => (i === line - 1 ? text : old)).join('\n');

describe('a pair list', () => {
  test('has in each fold the same pairs, then the different ones', () => {
    expect(parsePairs(`${good.join('\r\n')}\r\n\n`)).toMatchObject({
      folds: 2,
      pairsPerKind: 1,
      pairs: [
        {
          first: { name: 'Ann', number: 1 },
          second: { name: 'Ann', number: 2 },
          same: true,
          fold: 0,
          line: 2,
        },
        { first: { name: 'Ann', number: 1 }, second: { name: 'Bob', number: 3 }, same: false, fold: 0 },
        { same: true, fold: 1 },
        { same: false, fold: 1, line: 5 },
      ],
    });
  });

  test('with one number at its head is a single fold', () => {
    expect(parsePairs('1\nAnn 1 2\nAnn 1 Bob 1')).toMatchObject({ folds: 1, pairsPerKind: 1 });
  });

  const bad: [string, string, RegExp][] = [
    ['an empty file', '', /line 1: the first line/],
    ['no header', good.slice(1).join('\n'), /line 1: the first line/],
    ['a header of words', changed(1, 'ten pairs'), /line 1: 'ten'/],
    ['too few pairs', good.slice(0, 4).join('\n'), /line 4: 3 pairs in the list, 4 announced/],
    ['a different pair where a same one is due', changed(4, 'Ann\t1\tBob\t3'), /line 4: a same-person pair/],
    ['a same pair where a different one is due', changed(3, 'Ann\t1\t3'), /line 3: a pair 'Name 1 Other 3'/],
    ['a photograph number that is none', changed(5, 'Bob\tx\tCy\t1'), /line 5: 'x'/],
    ['photograph 0', changed(2, 'Ann\t0\t2'), /line 2: '0'/],
    ['a photograph with itself', changed(2, 'Ann\t2\t2'), /line 2: .*itself/],
    ['one person as two', changed(3, 'Ann\t1\tAnn\t3'), /line 3: Ann is paired as two/],
  ];
  test.for(bad)('%s is an error that names the line', ([, text, message]) => {
    expect(() => parsePairs(text, 'pairs.txt')).toThrow(message);
  });

  test('is refused when a pair comes twice, in either order', async () => {
    const file = join(temporaryFolder(), 'pairs.txt');
    writeFileSync(file, '2 1\nAnn 1 2\nAnn 1 Bob 3\nAnn 2 1\nBob 1 Cy 1\n');
    await expect(readPairs(file)).rejects.toThrow(
      /pairs.txt lines 2 and 4: the pair Ann 1 and Ann 2 is listed twice/,
    );
    writeFileSync(file, '2 1\nAnn 1 2\nAnn 1 Bob 3\nAnn 1 3\nBob 3 Ann 1\n');
    await expect(readPairs(file)).rejects.toThrow(/lines 3 and 5: the pair Ann 1 and Bob 3 is listed twice/);
  });

  test('that is missing is an error that names it', async () => {
    await expect(readPairs('/nowhere/pairs.txt')).rejects.toThrow('/nowhere/pairs.txt: no such file');
  });
});

describe('the images of a pair list', () => {
  test('are found with any image ending, each once', async () => {
    const folder = temporaryFolder();
    for (const file of [
      'Ann/Ann_0001.jpg',
      'Ann/Ann_0002.png',
      'Bob/Bob_0003.JPG',
      'Cy/Cy_0001.webp',
      'Cy/Cy_0002.pgm',
    ])
      write(join(folder, file), '');
    const { paths, people, pairs } = await locatePairs(parsePairs(good.join('\n')), folder);
    expect(paths.map((path) => path.slice(folder.length + 1))).toEqual([
      'Ann/Ann_0001.jpg',
      'Ann/Ann_0002.png',
      'Bob/Bob_0003.JPG',
      'Cy/Cy_0002.pgm',
      'Cy/Cy_0001.webp',
    ]);
    expect(people).toEqual(['Ann', 'Ann', 'Bob', 'Cy', 'Cy']);
    expect(pairs.map((pair) => [pair.first, pair.second])).toEqual([
      [0, 1],
      [0, 2],
      [3, 4],
      [2, 4],
    ]);
  });

  test('that are missing are an error that names the image and the line', async () => {
    const folder = temporaryFolder();
    write(join(folder, 'Ann/Ann_0001.jpg'), '');
    await expect(locatePairs(parsePairs(good.join('\n'), 'pairs.txt'), folder)).rejects.toThrow(
      /Ann.Ann_0002: no such image .*pairs.txt line 2/,
    );
  });

  const lfw = '../shared/data/lfw';
  test.skipIf(!existsSync(lfw))('of LFW itself (skipped where ../shared/data/lfw is absent)', async () => {
    const list = await readPairs(join(lfw, 'pairs.txt'));
    expect([list.folds, list.pairsPerKind, list.pairs.length]).toEqual([10, 300, 6000]);
    const { paths } = await locatePairs(list, join(lfw, 'aligned-112'));
    expect(paths.length).toBe(7701);
  });
});
