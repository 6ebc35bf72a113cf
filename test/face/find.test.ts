// Faces in a list of photographs: in its order, in groups, and a bad file costs nothing but itself.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Detector, findFaces } from '../../src/face/index.js';
import { encode, noise, temporaryFolder, write } from '../data/pictures.js';
import { faceAt, knownPlaces } from './known-places.js';

/** Photographs of the given widths, 4 pixels high; a width of 0 is a file that is no image. */
async function photographs(...widths: number[]): Promise<string[]> {
  const folder = temporaryFolder();
  return Promise.all(
    widths.map(async (width, i) =>
      write(
        join(folder, `${i}.png`),
        width === 0 ? 'no image' : await encode(noise(4, width, 3), 4, width, 'png'),
      ),
    ),
  );
}
const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};
const large = faceAt(1, 0, 0.03, 0.6);
const small = { ...large, score: 0.9, box: { x: 2, y: 1, width: 1, height: 1 } };

test('every photograph comes in its place with its own faces, every bad file as one line', async () => {
  const paths = await photographs(7, 0, 9, 8, 7, 0, 0, 0, 0, 9, 8);
  paths.push(join(paths[0]!, '..', 'missing.png'));
  const detector = knownPlaces({ 7: [small], 8: [small, large] });
  const all = await collect(findFaces(detector, paths, { batch: 3 }));
  expect(all.map(({ path }) => path)).toEqual(paths);
  const found = all.map((item) => ('problem' in item ? item.problem : item.found.length));
  const problem = (i: number) => expect.stringContaining(`${paths[i]}: `);
  expect(found).toEqual([
    ...[1, problem(1), 0, 2, 1, problem(5), problem(6), problem(7), problem(8), 0, 2, problem(11)],
  ]);
  for (const item of all) if ('found' in item) expect(item.photograph.width).toBeGreaterThan(6);
  expect(detector.groups.every((count) => count <= 3)).toBe(true);
  expect(detector.groups.reduce((sum, count) => sum + count)).toBe(6);
});

test('the face that is meant is chosen, and all that were found are told', async () => {
  const paths = await photographs(8);
  for (const [choice, expected] of [
    [undefined, [large]],
    ['best', [small]],
    ['all', [small, large]],
  ] as const) {
    const [item] = await collect(findFaces(knownPlaces({ 8: [small, large] }), paths, { choice }));
    expect(item).toMatchObject({ found: [small, large], chosen: expected });
  }
});

test('of no photographs there is nothing, and the detector is not asked', async () => {
  const detector = knownPlaces({});
  expect(await collect(findFaces(detector, []))).toEqual([]);
  expect(detector.groups).toEqual([]);
});

test('a consumer that leaves stops the work', async () => {
  const paths = await photographs(...Array(40).fill(7));
  const detector = knownPlaces({ 7: [small] });
  for await (const item of findFaces(detector, paths, { batch: 4 })) if (item.path === paths[1]) break;
  expect(detector.groups).toEqual([4]);
});

test('a failing detector is a failure, not an unreadable photograph', async () => {
  const broken: Detector = {
    ...knownPlaces({}),
    async detect() {
      throw new Error('out of memory');
    },
  };
  await expect(collect(findFaces(broken, await photographs(7)))).rejects.toThrow('out of memory');
});
