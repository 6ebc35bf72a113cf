// What the launcher of a run tells its processes through the environment, before MPI is started or even found.

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
