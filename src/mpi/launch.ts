// What the launcher of a run tells its processes through the environment, before MPI is started or even found.
import { availableParallelism, cpus } from 'node:os';

/** How this process was launched. */
export interface Launch {
  /** Whose launcher it was; MPICH stands for all that share its binary interface (Intel MPI, MVAPICH). */
  launcher: 'Open MPI' | 'MPICH';
  rank: number;
  size: number;
}

const number = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text);

/** What a launcher said of this process, or undefined in a plain run. */
export function launched(environment: NodeJS.ProcessEnv = process.env): Launch | undefined {
  const openMpi = number(environment.OMPI_COMM_WORLD_SIZE);
  if (openMpi !== undefined)
    return { launcher: 'Open MPI', rank: Number(environment.OMPI_COMM_WORLD_RANK), size: openMpi };
  const mpich = number(environment.PMI_SIZE);
  if (mpich !== undefined && environment.PMI_RANK !== undefined)
    return { launcher: 'MPICH', rank: Number(environment.PMI_RANK), size: mpich };
  return undefined;
}

/** The ranks of this run on this machine: which of them this one is, from 0, and how many there are. */
export function localRanks(environment: NodeJS.ProcessEnv = process.env): { rank: number; size: number } {
  return {
    rank: number(environment.OMPI_COMM_WORLD_LOCAL_RANK ?? environment.MPI_LOCALRANKID) ?? 0,
    size: number(environment.OMPI_COMM_WORLD_LOCAL_SIZE ?? environment.MPI_LOCALNRANKS) ?? 1,
  };
}

/** Threads of a rank: its share of the machine's cores; alone, undefined: as many as a device takes by itself. */
export function threadsOfRank(): number | undefined {
  const { size } = localRanks();
  if (size === 1) return undefined;
  return Math.max(1, Math.min(availableParallelism(), Math.floor(cpus().length / size)));
}
