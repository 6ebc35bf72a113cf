// Work on a list with a few items under way at once, and the results in the list's order: how images are decoded
// ahead of a network without holding more than a few of them.

/**
 * Calls `work` for every item, at most `ahead` of them under way or waiting to be taken, and yields the results
 * in order. The first failure ends the iteration with that error, once it is its turn. When the consumer stops
 * early, no further work is begun.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  ahead: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const pending: Promise<Result>[] = [];
  const begin = (item: Item) => {
    const result = work(item);
    result.catch(() => {}); // It is awaited below, in its turn.
    pending.push(result);
  };
  for (const item of items) {
    begin(item);
    if (pending.length >= ahead) yield await pending.shift()!;
  }
  while (pending.length > 0) yield await pending.shift()!;
}

/** The items in groups of `size`; the last may be smaller. */
export async function* grouped<Item>(
  items: AsyncIterable<Item>,
  size: number,
): AsyncGenerator<Item[], void, undefined> {
  let group: Item[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
