// Lists of pairs and of scores in every form that is understood, what is refused with which line, and where the images
// are.
import { describe, expect, test } from 'vitest';
import { locateListed, parsePairList, peopleOfPaths, readPairList } from '../../src/data/pair-list.js';
import { parseScores } from '../../src/data/score-list.js';

const pair = (first: string, second: string, same: boolean, fold?: number) => ({ first, second, same, fold });
const without = (list: readonly { line: number }[]) => list.map(({ line: _, ...rest }) => rest);

describe('a list of pairs', () => {
  const two = [pair('a/1.jpg', 'a/2.jpg', true), pair('a/1.jpg', 'b/1.jpg', false)];
  const forms: [string, string][] = [
    ['spaces', 'a/1.jpg a/2.jpg 1\na/1.jpg   b/1.jpg 0'],
    ['tabs', 'a/1.jpg\ta/2.jpg\tsame\na/1.jpg\tb/1.jpg\tdifferent\n'],
    ['commas', 'a/1.jpg, a/2.jpg, True\na/1.jpg, b/1.jpg, False'],
    ['commas and quotes', '"a/1.jpg","a/2.jpg","1"\n"a/1.jpg","b/1.jpg","0"'],
    ['column names', 'path1,path2,label\na/1.jpg,a/2.jpg,1\na/1.jpg,b/1.jpg,0'],
    ['a column named same', 'path1,path2,same\na/1.jpg,a/2.jpg,same\na/1.jpg,b/1.jpg,different'],
    ['comments and empty lines', '# mine\n\na/1.jpg a/2.jpg 1\n  # more\na/1.jpg b/1.jpg 0\n\n'],
    ['a count', '2\na/1.jpg a/2.jpg 1\na/1.jpg b/1.jpg 0'],
    ['folds and pairs of a kind', '1 1\na/1.jpg a/2.jpg 1\na/1.jpg b/1.jpg 0'],
    ["Windows' line ends, slashes and mark", '\uFEFFa\\1.jpg a\\2.jpg 1\r\n.\\a\\1.jpg b\\1.jpg 0\r\n'],
  ];
  test.for(forms)('with %s is read', ([, text]) => {
    const list = parsePairList(text);
    expect(without(list.pairs)).toEqual(two);
    expect(list).toMatchObject({ format: 'paths', repeated: 0 });
  });

  test('may name folds, and keeps paths with spaces between tabs', () => {
    expect(without(parsePairList('a b/1.jpg\ta b/2.jpg\t1\t3\nc/1.jpg\ta b/1.jpg\t0\t9').pairs)).toEqual([
      pair('a b/1.jpg', 'a b/2.jpg', true, 3),
      pair('c/1.jpg', 'a b/1.jpg', false, 9),
    ]);
  });

  test("is LFW's when it looks like it", () => {
    const list = parsePairList('2\t1\nAnn\t1\t2\nAnn\t1\tBob\t3\nCy\t2\t1\nBob\t3\tCy\t1\n');
    expect(list.format).toBe('LFW');
    expect(list.pairs).toEqual([
      { ...pair('Ann/Ann_0001', 'Ann/Ann_0002', true, 0), line: 2 },
      { ...pair('Ann/Ann_0001', 'Bob/Bob_0003', false, 0), line: 3 },
      { ...pair('Cy/Cy_0002', 'Cy/Cy_0001', true, 1), line: 4 },
      { ...pair('Bob/Bob_0003', 'Cy/Cy_0001', false, 1), line: 5 },
    ]);
    expect(() => parsePairList('2\t1\nAnn\t1\t2\nAnn\t1\tBob\t3', 'p')).toThrow(
      '2 pairs in the list, 4 announced',
    );
  });

  const bad: [string, string, string][] = [
    ['nothing', '', 'p: is empty'],
    ['comments only', '# a\n', 'p: is empty'],
    ['column names only', 'path1 path2 label', 'p: holds no pair'],
    ['a number only', '7', 'p: holds no pair'],
    ['two fields', 'a b 1\na b', "p line 2: 'path path 0|1', perhaps with a fold, is due here, not 2 fields"],
    ['a label that is none', 'a b 1\nc d maybe', "p line 2: 'maybe' is neither 1 or 0"],
    ['a label that is none in its first line', 'a b maybe', "p line 1: 'maybe' is neither"],
    ['a fold that is none', 'a b 1 x', "p line 1: 'x' is not the number of a fold"],
    ['a fold in some lines', 'a b 1 0\nc d 0', 'p line 2: has no fold, and the lines before it have one'],
    ['a fold in later lines', 'a b 1\nc d 0 1', 'p line 2: has a fold, and the lines before it have none'],
    ['another length than announced', '3\na b 1\nc d 0', 'p: 2 pairs in the list, 3 announced in line 1'],
    ['other folds than announced', '5 10\na b 1\nc d 0', 'p: 2 pairs in the list, 100 announced'],
    ['an image with itself', '# x\na b 1\nc c 1', 'p line 3: c is paired with itself'],
    ['a pair twice', 'a b 1\nc d 0\na b 1', 'p lines 1 and 3: a and b are listed twice; --allow-duplicates'],
    ['a pair turned round', 'a b 1\nc d 0\n\nb a 1', 'p lines 1 and 4: b and a are listed twice'],
    [
      'a contradiction',
      'a b 1\nc d 0\nb a 0',
      'p lines 1 and 3: b and a are listed as one person and as two',
    ],
  ];
  test.for(bad)('with %s is refused', ([, text, message]) => {
    expect(() => parsePairList(text, 'p')).toThrow(message);
  });

  test('with a pair twice counts it once where that is allowed, by its first line', () => {
    const list = parsePairList('a b 1 0\nc d 0 1\nb a same 1\na b 1 0', 'p', { allowDuplicates: true });
    expect(list.repeated).toBe(2);
    expect(list.pairs).toEqual([
      { ...pair('a', 'b', true, 0), line: 1 },
      { ...pair('c', 'd', false, 1), line: 2 },
    ]);
    const contradiction = () => parsePairList('a b 1\nb a 0', 'p', { allowDuplicates: true });
    expect(contradiction).toThrow('p lines 1 and 2: b and a are listed as one person and as two');
  });

  test('that is missing is named', async () => {
    await expect(readPairList('/nowhere/p.txt')).rejects.toThrow('/nowhere/p.txt: no such file');
  });
});

describe('the images of a list', () => {
  const images = ['Ann/1.jpg', 'Ann/2.PNG', 'bob/1.jpg', 'Bob/1.jpg', 'loose.webp'];

  test('are found as written, else in another case, else with an ending; each once', () => {
    const { pairs } = parsePairList('Ann/1.jpg Ann/2 1\nbob/1.jpg ann/1.JPG 0\nBob/1.jpg loose 0');
    const found = locateListed(pairs, images);
    expect(found.rows.map((row) => images[row])).toEqual([
      'Ann/1.jpg',
      'Ann/2.PNG',
      'bob/1.jpg',
      'Bob/1.jpg',
      'loose.webp',
    ]);
    expect(found.pairs.map(({ first, second }) => [first, second])).toEqual([
      [0, 1],
      [2, 0],
      [3, 4],
    ]);
    expect([found.missing, found.without]).toEqual([[], 0]);
  });

  test('that are missing are all found out, and their pairs left out', () => {
    const { pairs } = parsePairList('Ann/1.jpg Ann/9.jpg 1\nbob/1.jpg Ann/1.jpg 0\nAnn/9.jpg Cy/1.jpg 0');
    const found = locateListed(pairs, images);
    expect(found.missing).toEqual(['Ann/9.jpg', 'Cy/1.jpg']);
    expect(found.without).toBe(2);
    expect(found.pairs).toMatchObject([{ index: 1, same: false, line: 2 }]);
  });

  test('are of people by their folders, if every pair agrees', () => {
    const paths = ['x/Ann/1.jpg', 'x/Ann/2.jpg', 'x/Bob/1.jpg'];
    const same = { first: 0, second: 1, same: true };
    const different = { first: 0, second: 2, same: false };
    expect(peopleOfPaths(paths, [same, different])).toEqual(['Ann', 'Ann', 'Bob']);
    expect(peopleOfPaths(paths, [same, { ...different, same: true }])).toBeUndefined();
    expect(peopleOfPaths(paths, [{ ...same, same: false }])).toBeUndefined();
    expect(peopleOfPaths(['1.jpg', '2.jpg'], [{ first: 0, second: 1, same: true }])).toBeUndefined();
  });
});

describe('a list of scores', () => {
  test('has scores alone or beside paths', () => {
    expect(parseScores('0.5 1\n-1e-3 0').pairs).toEqual([
      { score: 0.5, same: true, fold: undefined, line: 1 },
      { score: -0.001, same: false, fold: undefined, line: 2 },
    ]);
    expect(parseScores('score,label,fold\n.5,1,0\n2,0,1').pairs).toMatchObject([
      { score: 0.5, same: true, fold: 0 },
      { score: 2, same: false, fold: 1 },
    ]);
    expect(parseScores('a\tb\t3\tsame\na\tc\t4\tdifferent').pairs).toMatchObject([
      { first: 'a', second: 'b', score: 3, same: true },
      { first: 'a', second: 'c', score: 4, same: false },
    ]);
    expect(parseScores('a b 3 1 0\na c 4 0 1').pairs).toMatchObject([{ fold: 0 }, { fold: 1 }]);
    // Two scores alike are no pair twice: without paths nothing tells.
    expect(parseScores('1 1\n1 1').pairs).toHaveLength(2);
  });

  const bad: [string, string, string][] = [
    ['NaN', '1 1\nnan 0', 's line 2: its score is NaN, not a number'],
    ['a word', '1 1\nhigh 0', "s line 2: its score 'high' is not a finite number"],
    ['infinity', 'a b inf 1', "s line 1: its score 'inf' is not a finite number"],
    ['an overflow', '1e999 1', "s line 1: its score '1e999' is not a finite number"],
    ['no label', '1 1\n2', "s line 2: 'score 0|1', perhaps with a fold, is due here, not 1 fields"],
    ['a label that is none', '1 2', "s line 1: '2' is neither 1 or 0"],
    ['a pair twice', 'a b 1 1\nb a 1 1', 's lines 1 and 2: b and a are listed twice'],
    ['column names only', 'score label', 's: holds no score'],
    ['nothing', '\n', 's: is empty'],
  ];
  test.for(bad)('with %s is refused', ([, text, message]) => {
    expect(() => parseScores(text, 's')).toThrow(message);
  });
});
