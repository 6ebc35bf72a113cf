// A session on the CPU whose outputs stay where they were computed, through the C interface.
import { setImmediate } from 'node:timers/promises';
import type { CInterface } from './c-interface.js';
import type { Engine } from './engine.js';
import { nativeValues, openNativeSession } from './native-session.js';
import { ResidentValue } from './resident-value.js';
import type { SessionSettings } from './session.js';

/** How an engine runs. */
export interface ResidentOptions {
  /** Runs go on beside this thread, which serves events meanwhile. Default: they hold it up. */
  background?: boolean;
}

/** Opens a session on the CPU under the settings that `openSession` gives its own. Throws what the runtime says. */
export function residentEngine(
  model: Uint8Array,
  settings: SessionSettings,
  c: CInterface,
  { background = false }: ResidentOptions = {},
): Engine {
  const session = openNativeSession(model, settings, c);
  const { keep, feed, release } = nativeValues(c);
  return {
    keep,
    feed,
    async run(feeds, outputs) {
      await setImmediate();
      const names = Object.keys(feeds);
      const inputs = BigUint64Array.from(names, (name) => (feeds[name] as ResidentValue).address);
      const results = new BigUint64Array(outputs.length);
      const run = background ? c.later.run : c.call.run;
      await run(session, null, names, inputs, names.length, outputs, outputs.length, results);
      return Object.fromEntries(outputs.map((name, i) => [name, new ResidentValue(results[i]!, c)]));
    },
    async release() {
      release();
      c.release.session(session);
    },
  };
}
