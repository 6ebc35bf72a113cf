// Who of several ranks does what of a list.

/**
 * [ranks + 1], where the share of each rank of `count` things begins, and their end: shares follow each other, are
 * whole multiples of `unit` but for the end of the list, and differ by one unit at most. With fewer units than ranks
 * some are empty.
 */
export function shares(count: number, unit: number, ranks: number): number[] {
  const units = Math.ceil(count / unit);
  return Array.from({ length: ranks + 1 }, (_, rank) =>
    Math.min(count, unit * Math.ceil((rank * units) / ranks)),
  );
}
