// Ctrl-C as a wish to stop: long commands finish the step at hand and save it.
import { errorCodes } from '../common/errors.js';
import { note } from './output.js';

/**
 * A signal that Ctrl-C aborts, and so do SIGTERM and the end of the terminal (SIGHUP); the second ends the process at
 * once. To the `ranks` of a run SIGTERM is mpirun's notice that another has ended already, and no further step is begun.
 */
export function interruptible({ ranks = 1 } = {}): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(errorCodes.interrupted.exit);
    note('', 'stopping after the step at hand, which is saved (again to stop at once)');
    controller.abort();
  };
  const names = ranks === 1 ? (['SIGINT', 'SIGTERM', 'SIGHUP'] as const) : (['SIGINT', 'SIGHUP'] as const);
  for (const name of names) process.on(name, stop);
  return {
    signal: controller.signal,
    end() {
      for (const name of names) process.off(name, stop);
    },
  };
}
