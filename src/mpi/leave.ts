// The end of a process that still waits in MPI.
import { foreign } from '../common/foreign.js';

/**
 * Ends this process at once. `process.exit` joins the threads that are in a call, and a collective whose peer is
 * dead never returns.
 */
export async function leave(code: number): Promise<never> {
  const { load } = await foreign();
  return load(null).func('void _exit(int)')(code) as never;
}
