// What becomes of the other ranks when one dies, fails, or when mpirun is stopped.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noMpi, onRanks, type Run, type RunOptions } from '../support/ranks.js';

const SCRIPT = new URL('./ranks/survivor.ts', import.meta.url);
// Three times as long as usual until survivors are killed, for machines that are busy with other things.
const PATIENT = ['--mca', 'odls_base_sigkill_timeout', '3'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'survive-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Told {
  rank: number;
  reason: string;
  ranks: number[];
  first: boolean;
}

let runs = 0;
async function run(size: number, event: string, victim: number, options: RunOptions = {}) {
  const file = join(folder, String(runs++));
  await writeFile(file, '');
  const outcome = await onRanks(size, SCRIPT, [event, victim, file], { mpirun: PATIENT, ...options });
  const told = (await readFile(file, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Told)
    .sort((a, b) => a.rank - b.rank);
  return { ...outcome, told };
}
const lines = ({ ranks }: Run): string[] =>
  ranks.flatMap(({ stderr }) => stderr.split('\n')).filter((line) => line !== '' && line !== 'started');

describe.skipIf(noMpi)(`the end of a rank${noMpi ? ` (${noMpi})` : ''}`, () => {
  test.each([
    [2, 1],
    [4, 0],
  ])('of %i ranks, killed rank %s is named once, by the first survivor', async (size, victim) => {
    const outcome = await run(size, 'kill', victim);
    expect(outcome.code).not.toBe(0);
    expect(lines(outcome)).toEqual([`rank ${victim} ended; saved`]);
    const survivors = Array.from({ length: size }, (_, rank) => rank).filter((rank) => rank !== victim);
    expect(outcome.told).toEqual(
      survivors.map((rank, i) => ({
        rank,
        reason: `rank ${victim} ended`,
        ranks: [victim],
        first: i === 0,
      })),
    );
  });

  test.skipIf(process.platform !== 'linux')(
    'a rank that is stopped is waited for as long as stated, and then ended',
    async () => {
      const outcome = await run(3, 'stop', 1, { env: { HYPERSPHERE_RANK_SECONDS: '5' } });
      const own = lines(outcome).filter((line) => !/Warning|--trace-warnings/.test(line));
      // On a busy machine one survivor may have ended it before the other has begun to look.
      expect(own).toEqual([expect.stringMatching(/^rank 1 (was stopped and has been )?ended; saved$/)]);
      expect(outcome.told.map(({ rank, ranks }) => [rank, ranks])).toEqual([
        [0, [1]],
        [2, [1]],
      ]);
    },
  );

  test('ranks that wait for another one say so, once', async () => {
    const outcome = await run(2, 'slow', 1, { env: { HYPERSPHERE_RANK_SECONDS: '1' } });
    expect(outcome.code).toBe(0);
    const waited = lines(outcome).filter((line) => line.includes('waited'));
    expect(waited).toEqual([expect.stringMatching(/Warning: rank 0 has waited 1 s for other ranks/)]);
  });

  test('a survivor in the middle of a long step says so', async () => {
    const outcome = await run(2, 'busy', 1, { mpirun: ['--mca', 'odls_base_sigkill_timeout', '4'] });
    expect(lines(outcome)).toEqual([
      'hypersphere: another rank ended; this one is in the middle of a step, and what it last saved stands',
    ]);
  });

  test('an error on one rank ends all with that line and its exit code', async () => {
    const outcome = await run(4, 'error', 2);
    expect(outcome.code).toBe(3);
    expect(outcome.ranks[2]!.stderr).toBe('hypersphere: rank 2 cannot read its file\n');
    // The others were told, and one of them saved.
    expect(lines(outcome)).toEqual([
      expect.stringMatching(/; saved$/),
      expect.stringMatching(/^hypersphere/),
    ]);
    expect(outcome.told.filter(({ first }) => first)).toHaveLength(1);
  });

  test('an error on all ranks is told once', async () => {
    const outcome = await run(3, 'error', -1);
    expect(outcome.code).toBe(3);
    expect(lines(outcome)).toEqual(['hypersphere: rank 0 cannot read its file']);
    expect(outcome.told).toEqual([]);
  });

  test('an error that nobody caught ends all ranks', async () => {
    const outcome = await run(2, 'uncaught', 1);
    expect(outcome.code).toBe(1);
    expect(outcome.ranks[1]!.stderr).toContain('not foreseen');
  });

  test('Ctrl-C at mpirun reaches all ranks, and one saves', async () => {
    const outcome = await run(2, 'interrupt', 1);
    expect(outcome.told.map(({ first }) => first)).toEqual([true, false]);
    expect(lines(outcome)).toEqual(['mpirun ends the run; saved']);
  });
});
