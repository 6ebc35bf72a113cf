// Ctrl-C as a wish to stop: long commands finish the step at hand and save it.
import { note } from './output.js';

/** A signal that Ctrl-C (or SIGTERM) aborts; the second Ctrl-C ends the process at once. */
export function interruptible(): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(1);
    note('\nstopping after the step at hand, which is saved (again to stop at once)');
    controller.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, stop);
  return {
    signal: controller.signal,
    end() {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, stop);
    },
  };
}
