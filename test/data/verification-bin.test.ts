// Verification sets as Python 2 and 3 pickle them, what is wrong with damaged ones, and that a hostile one runs nothing.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { distinctPairs, parseVerificationBin, readVerificationBin } from '../../src/data/verification-bin.js';
import { contiguousFolds, foldsOfOneKind } from '../../src/evaluate/verify-list.js';

const folder = fileURLToPath(new URL('../fixtures/bin/', import.meta.url));
const read = (name: string) => readFileSync(`${folder}${name}`);
const expected: { images: string[]; same: boolean[] } = JSON.parse(read('expected.json').toString());
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('a verification set', () => {
  test.each([
    'python2-protocol0.bin',
    'python2-protocol2.bin',
    'protocol2.bin',
    'protocol3.bin',
    'protocol4.bin',
    'protocol5.bin',
    'arrays.bin',
    'marks.bin',
  ])('of %s holds the images and booleans that Python put in', async (name) => {
    const { images, same } = await readVerificationBin(`${folder}${name}`);
    expect(images.map(hex)).toEqual(expected.images);
    expect(same).toEqual(expected.same);
  });

  test('runs nothing that a pickle asks for', () => {
    const place = '/tmp/hypersphere-was-here';
    expect(read('hostile.bin').includes(place)).toBe(true);
    expect(() => parseVerificationBin(read('hostile.bin'), 'x.bin')).toThrow(
      'x.bin: has an object of posix.system where its list of booleans is due',
    );
    expect(() => parseVerificationBin(read('hostile-image.bin'), 'x.bin')).toThrow(
      'x.bin: image 2 (of pair 1) is an object of posix.system, no image',
    );
    expect(existsSync(place)).toBe(false);
  });

  test('that is cut off anywhere is an error that names the file', () => {
    const bytes = read('protocol4.bin');
    for (let length = 0; length < bytes.length; length += 11) {
      const open = () => parseVerificationBin(bytes.subarray(0, length), 'x.bin');
      expect(open).toThrow(UserError);
      expect(open).toThrow(/^x\.bin: /);
    }
  });

  // Pickles of protocol 2, by hand. \xff\xd8\xff begins a JPEG; K is an integer, U a string of Python 2.
  const image = 'U\x03\xff\xd8\xff';
  const bad: [string, string, string][] = [
    ['a list of three', `(]\x88\x88t.`, 'holds a list of 3, and a verification set is a pair'],
    ['a dictionary', '}.', 'holds a dictionary'],
    ['no list of images', `(}]t.`, 'has a dictionary where its list of images is due'],
    ['no list of booleans', `(]}t.`, 'has a dictionary where its list of booleans is due'],
    ['too few images', `((${image}l(\x88lt.`, 'has 1 images for 1 pairs, and 2 are needed'],
    ['no pair', '(]]t.', 'holds no pair'],
    ['an empty image', `((${image}U\x00l(\x88lt.`, 'image 2 (of pair 1) is empty'],
    ['text for an image', `((${image}U\x02hil(\x88lt.`, 'image 2 (of pair 1) begins neither as a JPEG nor'],
    ['a number for an image', `((${image}K\x07l(\x88lt.`, 'image 2 (of pair 1) is a number, no image'],
    ['a mark that is none', `((${image}${image}l(K\x02lt.`, 'pair 1 is marked by what is no boolean'],
    ['something after it', `((${image}${image}l(\x88lt.abc`, '3 bytes follow its pickle'],
    ['nothing', '', 'the file is empty'],
  ];
  test.for(bad)('with %s is an error', ([, text, message]) => {
    const bytes = Buffer.from(text === '' ? '' : `\x80\x02${text}`, 'latin1');
    expect(() => parseVerificationBin(bytes, 'x.bin')).toThrow(`x.bin: ${message}`);
  });

  test('may mark with 0 and 1', () => {
    const bytes = Buffer.from(`\x80\x02((${image.repeat(4)}l(K\x01K\x00lt.`, 'latin1');
    expect(parseVerificationBin(bytes).same).toEqual([true, false]);
  });

  test('that is missing is named', async () => {
    await expect(readVerificationBin('/nowhere/lfw.bin')).rejects.toThrow('/nowhere/lfw.bin: no such file');
  });

  test('has every image once for embedding, its pairs kept', () => {
    const set = parseVerificationBin(read('protocol3.bin'));
    const { images, places, pairs } = distinctPairs(set);
    expect(images).toHaveLength(new Set(expected.images).size);
    expect(images.map(hex)).toEqual([...new Set(expected.images)]);
    expect(places.map((place) => expected.images[place])).toEqual(images.map(hex));
    expect(pairs.map(({ first, second }) => [hex(images[first]!), hex(images[second]!)])).toEqual(
      expected.same.map((_, i) => expected.images.slice(2 * i, 2 * i + 2)),
    );
    expect(pairs.map(({ same }) => same)).toEqual(expected.same);
  });
});

describe('contiguous folds', () => {
  const folds: Record<string, number[] | string> = JSON.parse(read('folds.json').toString());
  test.each(Object.keys(folds))('of %s pairs are those of scikit-learn', (count) => {
    const found = contiguousFolds(Number(count));
    const hash = createHash('sha256').update(JSON.stringify(found)).digest('hex');
    expect(typeof folds[count] === 'string' ? hash : found).toEqual(folds[count]);
  });

  test('of fewer pairs than folds are refused', () => {
    expect(() => contiguousFolds(9)).toThrow('9 pairs cannot make 10 folds');
    expect(contiguousFolds(3, 3)).toEqual([0, 1, 2]);
  });

  test('of one kind are counted', () => {
    const trials = (same: boolean[], folds: number[]) =>
      same.map((mark, i) => ({ same: mark, fold: folds[i]! }));
    expect(foldsOfOneKind(trials([true, false, true, true], [0, 0, 1, 1]))).toMatch(/^1 of 2 folds hold/);
    expect(foldsOfOneKind(trials([true, false, true, false], [0, 0, 1, 1]))).toBeUndefined();
  });
});
