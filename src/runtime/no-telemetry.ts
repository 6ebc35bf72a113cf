// ONNX Runtime from 1.29 on reports what it runs to its makers: events, among them every model's metadata, are
// queued in the user's cache folder and uploaded. It reads ORT_DISABLE_TELEMETRY once, when its environment is
// created, so this module is imported before the runtime is. What the variable was set to does not matter: nothing
// leaves the machine.
import { isMainThread } from 'node:worker_threads';
import { UserError } from '../common/errors.js';
import { foreignNow } from '../common/foreign.js';

const NAME = 'ORT_DISABLE_TELEMETRY';

/** Sets the variable in the environment of the process, which children inherit and C code reads. */
function disable(): void {
  const inherited = process.env[NAME] === '1';
  process.env[NAME] = '1';
  // Windows has its own telemetry, which is turned off through the C interface (session.ts).
  if (isMainThread || process.platform === 'win32') return;
  // In a worker thread process.env is a copy, and C code does not see what is written there.
  let setVariable: (name: string, value: string, overwrite: number) => number;
  try {
    setVariable = foreignNow().load(null).func('int setenv(const char *, const char *, int)');
  } catch {
    // Without koffi: the main thread has set it if it imported Hypersphere before it started this thread.
    if (inherited) return;
    throw new UserError(
      `ONNX Runtime's telemetry cannot be turned off from a worker thread without koffi: set ${NAME}=1, or import hypersphere in the main thread first`,
    );
  }
  setVariable(NAME, '1', 1);
}

disable();
