// Whether all ranks hold the same: what would otherwise show as a hang, or as numbers that mean nothing.
import { createHash } from 'node:crypto';
import type { Communicator } from './communicator.js';

/** The first rank whose `what` (as JSON) is not this rank's, or undefined where all have the same. A collective. */
export async function firstUnlike(communicator: Communicator, what: unknown): Promise<number | undefined> {
  const own = createHash('sha256').update(JSON.stringify(what)).digest();
  const all = await communicator.allGather(new Uint8Array(own));
  return Array.from({ length: communicator.size }, (_, rank) => rank).find(
    (rank) => !own.equals(all.subarray(rank * own.length, (rank + 1) * own.length)),
  );
}
