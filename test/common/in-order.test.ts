// Work ahead of a consumer: the order is the list's whatever finishes first, and never more is under way than asked.
import { describe, expect, test } from 'vitest';
import { grouped, inOrder } from '../../src/common/in-order.js';

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};
/** Promises that are settled from outside, by the item. */
function settling() {
  const waiting = new Map<number, { resolve: (value: number) => void; reject: (error: Error) => void }>();
  const begun: number[] = [];
  const work = (item: number) => {
    begun.push(item);
    return new Promise<number>((resolve, reject) => waiting.set(item, { resolve, reject }));
  };
  return { waiting, begun, work };
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('results', () => {
  test('come in the order of the items, whichever is ready first', async () => {
    const { waiting, begun, work } = settling();
    const all = collect(inOrder([0, 1, 2], 3, work));
    await turn();
    expect(begun).toEqual([0, 1, 2]);
    for (const item of [2, 0, 1]) waiting.get(item)!.resolve(item * 10);
    expect(await all).toEqual([0, 10, 20]);
  });

  test.each([1, 2, 5, 50])('are never more than %i ahead of the consumer', async (ahead) => {
    let [begun, taken, most] = [0, 0, 0];
    const items = Array.from({ length: 23 }, (_, i) => i);
    const results = inOrder(items, ahead, async (item) => {
      most = Math.max(most, ++begun - taken);
      await turn();
      return item;
    });
    const all: number[] = [];
    for await (const item of results) {
      taken++;
      all.push(item);
    }
    expect(all).toEqual(items);
    expect(most).toBe(Math.min(ahead, items.length));
  });

  test('of no items are none', async () => {
    expect(await collect(inOrder([], 4, async (item) => item))).toEqual([]);
  });

  test('a failure waits for its turn, and ends the work', async () => {
    const begun: number[] = [];
    const seen: number[] = [];
    const results = inOrder([0, 1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      begun.push(item);
      if (item === 2) throw new Error('two is broken');
      return item;
    });
    const all = (async () => {
      for await (const item of results) {
        await turn(); // The failure has long happened when it is asked for.
        seen.push(item);
      }
    })();
    await expect(all).rejects.toThrow('two is broken');
    expect(seen).toEqual([0, 1]);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  test('nothing is begun after the consumer has left', async () => {
    const begun: number[] = [];
    for await (const item of inOrder(Array(100).keys(), 4, async (item) => {
      begun.push(item);
      return item;
    }))
      if (item === 2) break;
    await turn();
    expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('groups', () => {
  const items = async function* (count: number) {
    for (let i = 0; i < count; i++) yield i;
  };
  test.each([
    [0, 3, []],
    [2, 3, [[0, 1]]],
    [6, 3, [[0, 1, 2], [3, 4, 5]]], // biome-ignore format: a table
    [7, 3, [[0, 1, 2], [3, 4, 5], [6]]], // biome-ignore format: a table
    [2, 1, [[0], [1]]],
  ])('%i items by %i', async (count, size, expected) => {
    expect(await collect(grouped(items(count), size))).toEqual(expected);
  });
});
