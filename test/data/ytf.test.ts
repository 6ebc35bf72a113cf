// The pair lists of YouTube Faces as they are published, and the frames of their videos.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findVideos, parseVideoPairs, readVideoPairs } from '../../src/data/ytf.js';

describe('pair lists', () => {
  test('splits.txt has five fields and a header', () => {
    const text =
      'split number, pair number in split, first name, second name, is same:\r\n' +
      '1, 1, Ann_Lee/0, Ann_Lee/3, 1\r\n1, 2, Ann_Lee/0, Bob/10, 0\r\n10, 1, Bob/1, Carl/0, 0\r\n';
    expect(parseVideoPairs(text)).toEqual({
      file: 'splits',
      folds: [1, 10],
      corrected: 0,
      repeated: [],
      pairs: [
        { first: 'Ann_Lee/0', second: 'Ann_Lee/3', same: true, fold: 1, line: 2 },
        { first: 'Ann_Lee/0', second: 'Bob/10', same: false, fold: 1, line: 3 },
        { first: 'Bob/1', second: 'Carl/0', same: false, fold: 10, line: 4 },
      ],
    });
  });

  test('splits_corrected.txt has a sixth field, the label that counts', () => {
    const { pairs, corrected } = parseVideoPairs(
      'split number, pair number, first name, second name, is same, is same (corrected)\n' +
        '1, 1, Ann/0, Ann/1, 1, 0\n1, 2, Ann/0, Bob/1, 0, 0\n2, 1, Bob/0, Bob/1, 1, 1\n\n',
    );
    expect(corrected).toBe(1);
    expect(pairs.map(({ same }) => same)).toEqual([false, false, true]);
  });

  test('a list without pair numbers, or with scores beside the label, is read by its videos', () => {
    const { pairs, corrected } = parseVideoPairs('1, Ann/0, Ann/1, 0.37, 1\n2,Ann/0,Bob/1,0.2,0,\n');
    expect(corrected).toBe(0);
    expect(pairs).toMatchObject([
      { first: 'Ann/0', second: 'Ann/1', same: true, fold: 1 },
      { first: 'Ann/0', second: 'Bob/1', same: false, fold: 2 },
    ]);
  });

  test('pairs that are listed again are known', () => {
    const { pairs, repeated } = parseVideoPairs(
      '1, 1, Ann/0, Bob/0, 0\n1, 2, Ann/0, Ann/1, 1\n2, 1, Bob/0, Ann/0, 0',
    );
    expect(pairs).toHaveLength(3);
    expect(repeated).toEqual([[1, 3]]);
  });

  test.each([
    ['1, 1, Ann/0, Bob/1, 0\none, 2, Ann/0, Bob/2, 0', "list line 2: 'one' is not the number of a split"],
    ['0, 1, Ann/0, Bob/1, 0', "list line 1: '0' is not the number of a split"],
    ['1, 1, Ann/0, Bob, 0', 'list line 1: 1 videos of the form Name/Number'],
    ['1 1 Ann/0 Bob/1 0', "list line 1: '1 1 Ann/0 Bob/1 0' is not the number of a split"],
    ['1, 1, Ann/0, Bob/1, yes', "1 or 0, not 'yes'"],
    ['1, 1, Ann/0, Bob/1', "1 or 0, not ''"],
    ['1, 1, Ann/0, Ann/0, 1', 'list line 1: Ann/0 is paired with itself'],
    [
      '1, 1, Ann/0, Bob/0, 0\n2, 1, Bob/0, Ann/0, 1',
      'list line 2: Bob/0 and Ann/0 are one person, and the contrary on line 1',
    ],
    ['split number, first name\n\n', 'list: there is no pair in it'],
    ['', 'list: there is no pair in it'],
  ])('%j is refused in one line', (text, message) => {
    expect(() => parseVideoPairs(text, 'list')).toThrow(message);
  });

  test('a file is read, and a missing one named', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
    try {
      writeFileSync(join(folder, 'splits.txt'), '1, 1, Ann/0, Bob/1, 0\n');
      expect((await readVideoPairs(join(folder, 'splits.txt'))).pairs).toHaveLength(1);
      await expect(readVideoPairs(join(folder, 'other.txt'))).rejects.toThrow('other.txt: no such file');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('videos', () => {
  const list = parseVideoPairs('1, 1, Ann/0, Ann/1, 1\n1, 2, Ann/1, Bob/0, 0\n', 'list');

  test('frames are found in the order of their numbers, each video once', () => {
    const paths = [
      'Ann/0/aligned_detect_0.1000.jpg',
      'Ann/0/aligned_detect_0.999.jpg',
      'Ann/1/aligned_detect_1.5.jpg',
      'Ann/portrait.jpg',
      'Bob/0/aligned_detect_0.7.jpg',
      'Carl/0/aligned_detect_0.1.jpg',
    ];
    expect(findVideos(list, paths, 'data')).toEqual({
      videos: [
        { name: 'Ann/0', person: 'Ann', rows: [1, 0] },
        { name: 'Ann/1', person: 'Ann', rows: [2] },
        { name: 'Bob/0', person: 'Bob', rows: [4] },
      ],
      pairs: [
        { first: 0, second: 1, same: true, fold: 1 },
        { first: 1, second: 2, same: false, fold: 1 },
      ],
    });
  });

  test('folders above the people do not matter', () => {
    const paths = ['db/Ann/0/a.jpg', 'db/Ann/1/a.jpg', 'db/Bob/0/a.jpg'];
    expect(findVideos(list, paths, 'data').videos.map(({ name }) => name)).toEqual([
      'Ann/0',
      'Ann/1',
      'Bob/0',
    ]);
  });

  test('a video without frames is named, with the line that asks for it', () => {
    expect(() => findVideos(list, ['Ann/0/a.jpg', 'Bob/0/a.jpg'], 'data')).toThrow(
      'data: there is no frame of video Ann/1, asked for by list line 1',
    );
    expect(() => findVideos(list, ['Ann/a.jpg'], 'data')).toThrow(
      'data: none of its 1 images lies in a folder of a video; the layout is Name/Number/frame.jpg',
    );
  });
});
