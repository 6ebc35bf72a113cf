// Ctrl-C as a wish to stop: long commands finish the step at hand and save it.
import { note } from './output.js';

/**
 * A signal that Ctrl-C (or SIGTERM) aborts; the second Ctrl-C ends the process at once. To the `ranks` of a run SIGTERM
 * is mpirun's word that another has ended already, which is no time to go on to the next step.
 */
export function interruptible({ ranks = 1 } = {}): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(1);
    note('\nstopping after the step at hand, which is saved (again to stop at once)');
    controller.abort();
  };
  const names = ranks === 1 ? (['SIGINT', 'SIGTERM'] as const) : (['SIGINT'] as const);
  for (const name of names) process.on(name, stop);
  return {
    signal: controller.signal,
    end() {
      for (const name of names) process.off(name, stop);
    },
  };
}
