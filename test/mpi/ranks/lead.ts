// Rank 0 asks, and says what it was told; the others say that they were let go.
import { UserError } from '../../../src/common/errors.js';
import { follow, Leader, openCommunicator, type Part } from '../../../src/mpi/index.js';

const world = await openCommunicator();
const part = (asked: unknown, bytes: Uint8Array, rank: number): Part => {
  const { fail = [], bug = [] } = asked as { fail?: number[]; bug?: number[] };
  if (fail.includes(rank)) throw new UserError(`rank ${rank} cannot`);
  if (bug.includes(rank)) throw new TypeError(`rank ${rank} is wrong`);
  // As many numbers as the rank, so rank 0 has none.
  return { told: { rank, asked, bytes: [...bytes] }, numbers: new Float32Array(rank).fill(rank / 3) };
};

if (world.rank > 0) {
  await follow(world, { part: async (asked, bytes, rank) => part(asked, bytes, rank) });
  console.log(JSON.stringify({ followed: world.rank }));
} else {
  const leader = new Leader(world);
  const ask = async (asked: object, bytes?: Uint8Array) => {
    try {
      const parts = await leader.ask(
        'part',
        asked,
        async () => part(asked, bytes ?? new Uint8Array(0), 0),
        bytes,
      );
      return parts.map(({ told, numbers }) => ({ ...(told as object), numbers: [...numbers] }));
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
  };
  // The first two are asked together.
  const [plain, withBytes] = await Promise.all([ask({ text: 'zwölf\n' }), ask({}, Uint8Array.of(3, 200))]);
  const failed = [await ask({ fail: [2, 1] }), await ask({ fail: [0, 2] }), await ask({ bug: [1] })];
  const after = await ask({ text: 'again' });
  await leader.end();
  console.log(JSON.stringify({ plain, withBytes, failed, after }));
}
await world.close();
