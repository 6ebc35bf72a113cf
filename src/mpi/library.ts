// The system's MPI library: where it lies, and the handles by which it calls things. The two families do not agree
// about those: Open MPI's are addresses of objects in the library, MPICH's are numbers of its header (mpi.h; the
// same in all libraries of the MPICH ABI).
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { LibraryHandle } from 'koffi';
import { UserError } from '../common/errors.js';
import type { Reduction } from './communicator.js';
import type { Launch } from './launch.js';

type Load = typeof import('koffi').load;

/** A datatype, reduction or communicator, as a call takes it. */
export type Handle = bigint | number;

/** The names of numbers in MPI. */
export type Datatype = 'float' | 'double' | 'int' | 'unsigned char';

/** One MPI library, loaded. */
export interface Library {
  family: Launch['launcher'];
  file: string;
  library: LibraryHandle;
  /** The C type of handles. */
  handle: 'void *' | 'int';
  world: Handle;
  errorsReturn: Handle;
  inPlace: bigint;
  datatype: Record<Datatype, Handle>;
  reduction: Record<Reduction, Handle>;
}

const FILES: Record<Launch['launcher'], string[]> =
  process.platform === 'darwin'
    ? { 'Open MPI': ['libmpi.40.dylib', 'libmpi.dylib'], MPICH: ['libmpi.12.dylib', 'libmpi.dylib'] }
    : {
        'Open MPI': ['libmpi.so.40', 'libmpi.so'],
        MPICH: ['libmpich.so.12', 'libmpi.so.12', 'libmpi.so'],
      };

const INSTALL: Record<Launch['launcher'], string> = {
  'Open MPI': 'Debian: apt-get install openmpi-bin, macOS: brew install open-mpi',
  MPICH: 'Debian: apt-get install mpich, macOS: brew install mpich',
};

/** Where the library of a launcher in PATH lies when the loader does not know it, as with environment modules. */
function foldersOfLaunchers(): string[] {
  const launchers = (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'mpirun'))
    .filter((file) => existsSync(file));
  return launchers
    .flatMap((file) => [path.dirname(file), path.dirname(realpathSync(file))])
    .flatMap((folder) => [path.join(folder, '..', 'lib'), path.join(folder, '..', 'lib64')]);
}

const familyOf = (library: LibraryHandle): Launch['launcher'] | undefined => {
  for (const [symbol, family] of [
    ['ompi_mpi_comm_world', 'Open MPI'],
    ['MPI_Allreduce', 'MPICH'],
  ] as const)
    try {
      library.symbol(symbol);
      return family;
    } catch {}
  return undefined;
};

function handles(
  family: Launch['launcher'],
  library: LibraryHandle,
): Omit<Library, 'file' | 'library' | 'family'> {
  if (family === 'MPICH')
    return {
      handle: 'int',
      world: 0x44000000,
      errorsReturn: 0x54000001,
      inPlace: 2n ** 64n - 1n,
      datatype: { float: 0x4c00040a, double: 0x4c00080b, int: 0x4c000405, 'unsigned char': 0x4c000102 },
      reduction: { max: 0x58000001, min: 0x58000002, sum: 0x58000003 },
    };
  const symbol = (name: string): bigint => library.symbol(`ompi_mpi_${name}`) as bigint;
  return {
    handle: 'void *',
    world: symbol('comm_world'),
    errorsReturn: symbol('errors_return'),
    inPlace: 1n,
    datatype: {
      float: symbol('float'),
      double: symbol('double'),
      int: symbol('int'),
      'unsigned char': symbol('unsigned_char'),
    },
    reduction: { max: symbol('op_max'), min: symbol('op_min'), sum: symbol('op_sum') },
  };
}

/**
 * Loads the library that belongs to the launcher, or the one that HYPERSPHERE_MPI names.
 *
 * @throws UserError that says what to install, when there is none.
 */
export function loadLibrary(load: Load, { launcher }: Launch): Library {
  const named = process.env.HYPERSPHERE_MPI;
  const files = named
    ? [named]
    : ['', ...foldersOfLaunchers()].flatMap((folder) =>
        FILES[launcher].map((file) => (folder === '' ? file : path.join(folder, file))),
      );
  for (const file of files) {
    let found: LibraryHandle;
    try {
      found = load(file);
    } catch {
      continue;
    }
    const family = familyOf(found);
    if (family === undefined || (!named && family !== launcher)) continue;
    // Open MPI's plugins look for its symbols among the global ones.
    const library = load(file, { global: true });
    return { family, file, library, ...handles(family, library) };
  }
  throw new UserError(
    named
      ? `HYPERSPHERE_MPI: ${named} is no MPI library that can be loaded`
      : `the library of ${launcher}, whose launcher started this process, was not found: install it ` +
          `(${INSTALL[launcher]}) or name its file in HYPERSPHERE_MPI; a run without mpirun needs none`,
  );
}
