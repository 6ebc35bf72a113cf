// Finding the library of MPI, and what is said where it is not.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { launched, localRanks } from '../../src/mpi/launch.js';
import { loadLibrary } from '../../src/mpi/library.js';
import { noMpi, onRanks } from '../support/ranks.js';

const SCRIPT = fileURLToPath(new URL('./ranks/open.ts', import.meta.url));

afterEach(() => vi.unstubAllEnvs());

test('both families say who this process is', () => {
  expect(launched({})).toBeUndefined();
  expect(localRanks({})).toEqual({ rank: 0, size: 1 });
  const openMpi = {
    ...{ OMPI_COMM_WORLD_SIZE: '8', OMPI_COMM_WORLD_RANK: '5' },
    ...{ OMPI_COMM_WORLD_LOCAL_SIZE: '4', OMPI_COMM_WORLD_LOCAL_RANK: '1' },
  };
  expect(launched(openMpi)).toEqual({ launcher: 'Open MPI', rank: 5, size: 8 });
  expect(localRanks(openMpi)).toEqual({ rank: 1, size: 4 });
  const mpich = { PMI_SIZE: '8', PMI_RANK: '5', MPI_LOCALNRANKS: '4', MPI_LOCALRANKID: '1' };
  expect(launched(mpich)).toEqual({ launcher: 'MPICH', rank: 5, size: 8 });
  expect(localRanks(mpich)).toEqual({ rank: 1, size: 4 });
});

test.each([
  ['Open MPI', 'openmpi-bin'],
  ['MPICH', 'mpich'],
] as const)('without the library of %s the message says what to install', (launcher, installed) => {
  vi.stubEnv('HYPERSPHERE_MPI', undefined);
  // The loader of a machine that has no such library.
  const load = (file: string | null): never => {
    throw new Error(`${file}: cannot open shared object file`);
  };
  const attempt = () => loadLibrary(load, { launcher, rank: 0, size: 2 });
  expect(attempt).toThrow(UserError);
  expect(attempt).toThrow(new RegExp(`the library of ${launcher}.*apt-get install ${installed}`));
  expect(attempt).toThrow(/a run without mpirun needs none/);
});

describe.skipIf(noMpi)(`with mpirun${noMpi ? ` (${noMpi})` : ''}`, () => {
  test('a file that is no MPI library is named once, not by every rank', async () => {
    for (const named of ['libc.so.6', '/nowhere/libmpi.so']) {
      const { code, ranks } = await onRanks(2, SCRIPT, [], { env: { HYPERSPHERE_MPI: named } });
      expect(code).not.toBe(0);
      expect(ranks.map(({ stderr }) => stderr)).toEqual([
        `HYPERSPHERE_MPI: ${named} is no MPI library that can be loaded\n`,
        '',
      ]);
    }
  });

  test("another launcher's ranks would each be alone: the library says so", () => {
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', SCRIPT], {
      encoding: 'utf8',
      env: { ...process.env, PMI_SIZE: '2', PMI_RANK: '0', HYPERSPHERE_MPI: 'libmpi.so.40' },
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /libmpi\.so\.40 is of Open MPI and sees 1 of the 2 ranks that MPICH started: use the/,
    );
  });
});
