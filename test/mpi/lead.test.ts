// Work that one rank leads, on real ranks.
import { describe, expect, test } from 'vitest';
import { jsonOfRanks, noMpi } from '../support/ranks.js';

const script = new URL('./ranks/lead.ts', import.meta.url);

describe.skipIf(noMpi)(`work that one rank leads${noMpi ? ` (${noMpi})` : ''}`, () => {
  test('every rank does its part, errors are those of the lowest rank, and the work goes on', async () => {
    const [told, ...others] = await jsonOfRanks<Record<string, unknown>>(3, script);
    const parts = (asked: object, bytes: number[] = []) =>
      [0, 1, 2].map((rank) => ({
        ...{ rank, asked, bytes },
        numbers: new Array(rank).fill(Math.fround(rank / 3)),
      }));
    expect(told).toEqual({
      plain: parts({ text: 'zwölf\n' }),
      withBytes: parts({}, [3, 200]),
      failed: ['UserError: rank 1 cannot', 'UserError: rank 0 cannot', 'Error: rank 1 is wrong'],
      after: parts({ text: 'again' }),
    });
    expect(others).toEqual([{ followed: 1 }, { followed: 2 }]);
  });
});
