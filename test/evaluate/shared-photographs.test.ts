// The most alike training images against plain loops, what counts as one photograph with pixels and without, and
// templates that are held for a second use.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { NearestImages } from '../../src/evaluate/overlap/nearest-images.js';
import { remembered } from '../../src/evaluate/overlap/remembered.js';
import { type PhotographSide, sharedPhotographs } from '../../src/evaluate/overlap/shared-photographs.js';

const D = 12;
const drawn = (count: number, name: string): number[][] => {
  const draw = random(5, name);
  return Array.from({ length: count }, () => {
    const vector = Array.from({ length: D }, () => draw.normal());
    return vector.map((value) => value / Math.hypot(...vector));
  });
};
const vectors = (rows: number[][]) => ({ length: D, original: Float64Array.from(rows.flat()) });
const dot = (a: number[], b: number[]) => a.reduce((sum, value, d) => sum + value * b[d]!, 0);
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('nearest images', () => {
  const [train, held] = [drawn(90, 'train'), drawn(40, 'test')];
  const personOf = (row: number) => Math.floor(row / 9);

  test('are those of plain loops, whatever the portions, each with the best of another person', async () => {
    for (const portion of [90, 7]) {
      const nearest = new NearestImages(range(40), vectors(held));
      for (let first = 0; first < 90; first += portion) {
        const rows = range(90).slice(first, first + portion);
        // Of any length: only the direction counts.
        await nearest.take(rows, vectors(rows.map((row) => train[row]!.map((v) => 3 * v))), personOf);
      }
      const pairs = nearest.pairs();
      expect(pairs.length).toBe(80);
      held.forEach((probe, i) => {
        const order = range(90).sort((a, b) => dot(probe, train[b]!) - dot(probe, train[a]!));
        const other = order.find((row) => personOf(row) !== personOf(order[0]!))!;
        expect([pairs[2 * i]!.train, pairs[2 * i + 1]!.train]).toEqual([order[0], other]);
        expect([pairs[2 * i]!.test, pairs[2 * i + 1]!.test]).toEqual([i, i]);
        expect(pairs[2 * i]!.similarity).toBeCloseTo(dot(probe, train[order[0]!]!), 5);
        expect(nearest.secondDistances()[i]).toBeCloseTo(1 - dot(probe, train[other]!), 5);
      });
    }
  });

  test('leave out what could not be read, and have no second with one person', async () => {
    const zeros = new Array(D).fill(0);
    const nearest = new NearestImages([4, 8], vectors([zeros, held[0]!]));
    await nearest.take([10], vectors([zeros]), () => 0);
    expect(nearest.pairs()).toEqual([]);
    await nearest.take([11, 12], vectors([train[0]!, held[0]!]), () => 0);
    expect(nearest.pairs()).toMatchObject([{ test: 8, train: 12 }]);
    expect(nearest.secondDistances()).toEqual([]);
  });

  test('of equal ones are the first', async () => {
    const nearest = new NearestImages([0], vectors([held[0]!]));
    await nearest.take([0, 1, 2, 3], vectors([train[0]!, held[0]!, held[0]!, held[0]!]), (row) => row);
    expect(nearest.pairs().map(({ train: row }) => row)).toEqual([1, 2]);
  });
});

describe('shared photographs', () => {
  // Test images 0 and 1 are near training images 20 and 33, of people 10 and 16; all else are strangers.
  const train = drawn(60, 'people');
  const held = drawn(30, 'held');
  const near = (row: number, away: number, towards: number[]) =>
    train[row]!.map((value, d) => Math.cos(away) * value + Math.sin(away) * towards[d]!);
  held[0] = near(20, 0.1, held[0]!);
  held[1] = near(33, 0.5, held[1]!);
  const scene = (seed: number) => {
    const draw = random(seed, 'detail');
    return Float32Array.from({ length: 4096 }, () => draw.normal());
  };
  const side = (which: string, details: (row: number) => number | undefined): PhotographSide => ({
    paths: range(60).map((row) => `${which}${row}.jpg`),
    personOf: (row) => `${which}${which === 'a' ? Math.floor(row / 2) : row}`,
    async detailOf(row) {
      const seed = details(row);
      return seed === undefined ? undefined : scene(seed);
    },
  });
  const compared = async (people = (row: number) => Math.floor(row / 2)) => {
    const nearest = new NearestImages(range(30), vectors(held));
    await nearest.take(range(60), vectors(train), people);
    return [nearest];
  };
  const unknown = () => undefined;

  test('without pixels are those ten times nearer than strangers', async () => {
    const scan = await sharedPhotographs(await compared(), side('a', unknown), side('b', unknown));
    const distances = (await compared())[0]!.secondDistances().sort((x, y) => x - y);
    expect(scan.strangers).toBe(distances[15]);
    expect(scan.found).toMatchObject([
      { train: 'a10', test: 'b0', photographs: [{ train: 'a20.jpg', test: 'b0.jpg' }] },
    ]);
    const [one] = scan.found[0]!.photographs;
    expect(one!.ratio).toBeCloseTo((1 - one!.similarity) / scan.strangers!, 10);
    expect(one).not.toHaveProperty('correlation');
    expect(scan.compared).toBe(0);
    expect(scan.unseen).toBeGreaterThan(0);
  });

  test('with pixels are those whose pixels say so, however near the network finds them', async () => {
    // 20 and 0 are different photographs, 33 and 1 are one.
    const a = side('a', (row) => 100 + row);
    const b = side('b', (row) => (row === 1 ? 133 : row));
    const scan = await sharedPhotographs(await compared(), a, b);
    expect(scan.found.map(({ train: person, test: other }) => [person, other])).toEqual([['a16', 'b1']]);
    expect(scan.found[0]!.photographs[0]!.correlation).toBeCloseTo(1, 6);
    expect(scan.unseen).toBe(0);
    // An image that cannot be had is judged by its embedding.
    const gone = await sharedPhotographs(
      await compared(),
      a,
      side('b', (row) => (row === 0 ? undefined : row)),
    );
    expect(gone.found.map(({ test: other }) => other)).toEqual(['b0']);
    expect(gone.unseen).toBeGreaterThan(0);
  });

  test('are found under two labels that have the photograph', async () => {
    const twice = (row: number) => (row === 21 ? 29 : Math.floor(row / 2));
    const kept = train[21]!;
    train[21] = train[20]!;
    const a = side('a', (row) => (row === 21 ? 20 : row));
    const labelled = { ...a, personOf: (row: number) => `a${twice(row)}` };
    const scan = await sharedPhotographs(
      await compared(twice),
      labelled,
      side('b', (row) => (row === 0 ? 20 : 200 + row)),
    );
    train[21] = kept;
    expect(scan.found.map(({ train: person }) => person).sort()).toEqual(['a10', 'a29']);
  });

  test('with few training people, only pixels can tell', async () => {
    const same = (pixels: (row: number) => number | undefined, own = pixels) =>
      compared((row) => row % 19).then((nearest) =>
        sharedPhotographs(nearest, side('a', pixels), side('b', own)),
      );
    expect(await same(unknown)).toMatchObject({ found: [], compared: 0 });
    expect(await same(unknown)).not.toHaveProperty('strangers');
    const seen = await same(
      (row) => row,
      (row) => (row === 0 ? 20 : 300 + row),
    );
    expect(seen.found).toMatchObject([{ test: 'b0' }]);
    expect(seen.found[0]!.photographs[0]).not.toHaveProperty('ratio');
  });
});

describe('templates that are held', () => {
  const counted = (asked: number[][]) => async (rows: readonly number[]) => {
    asked.push([...rows]);
    return { length: 2, original: Float64Array.from(rows.flatMap((row) => [row, row + 0.5])) };
  };

  test('are computed once while there is room, in whatever order they are asked for', async () => {
    const asked: number[][] = [];
    const templates = remembered(counted(asked), 6);
    await templates([1, 2]);
    expect([...(await templates([3, 2, 4, 1])).original]).toEqual([3, 3.5, 2, 2.5, 4, 4.5, 1, 1.5]);
    expect([...(await templates([4, 3])).original]).toEqual([4, 4.5, 3, 3.5]);
    expect([...(await templates([1, 2, 3])).original]).toEqual([1, 1.5, 2, 2.5, 3, 3.5]);
    expect(asked).toEqual([[1, 2], [3, 4], [4]]);
  });

  test('with no room are computed each time', async () => {
    const asked: number[][] = [];
    const templates = remembered(counted(asked), 0);
    await templates([1]);
    expect([...(await templates([1])).original]).toEqual([1, 1.5]);
    expect(asked).toEqual([[1], [1]]);
  });
});
