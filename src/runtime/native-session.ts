// What every session through the C interface begins with: how it is opened, and the tensors that are kept or fed.
import { type Address, type CInterface, written } from './c-interface.js';
import type { Engine } from './engine.js';
import { ResidentValue, type TypeName } from './resident-value.js';
import { type SessionSettings, tensorOf } from './session.js';

/** Level of the graph optimisations: all. */
const ALL = 99;
/** Severities from which the runtime logs: errors, or what ends the process. */
const ERRORS = 3;
const FATAL = 4;

/** What a session is told beside its settings. */
export interface NativeOptions {
  /** Fail rather than let the CPU run what the device cannot. Default false. */
  strict?: boolean;
  /** Makes a device's provider part of the session's options. */
  provider?: (options: Address) => void;
}

/** Opens a session under the settings that `openSession` gives its own. Throws what the runtime says. */
export function openNativeSession(
  model: Uint8Array,
  { threads, spin }: Pick<SessionSettings, 'threads' | 'spin'>,
  { call, environment, release }: CInterface,
  { strict = false, provider }: NativeOptions = {},
): Address {
  const options = written((result) => call.createOptions(result));
  try {
    call.setLogSeverity(options, strict ? FATAL : ERRORS);
    call.setOptimization(options, ALL);
    // The pattern is one piece of memory for everything, beside that in which the first run found out how much it
    // needs: a training step takes .60 to .85 of the memory without it, and the same time.
    call.disableMemoryPattern(options);
    call.setThreads(options, threads);
    call.setConcurrentOperations(options, 1);
    call.addOption(options, 'session.intra_op.allow_spinning', spin ? '1' : '0');
    if (strict) call.addOption(options, 'session.disable_cpu_ep_fallback', '1');
    provider?.(options);
    return written((result) => call.createSession(environment, model, model.length, options, result));
  } finally {
    release.options(options);
  }
}

/** An engine's `keep` and `feed`; what is fed is written into the same tensors at every run. */
export function nativeValues(c: CInterface): Pick<Engine, 'keep' | 'feed'> & { release(): void } {
  const fed = new Map<string, ResidentValue>();
  return {
    keep(data, shape) {
      const value = ResidentValue.of('float32', shape, c);
      value.write(data);
      return value;
    },
    feed(name, dtype, numbers, shape) {
      let value = fed.get(name);
      if (!value) {
        value = ResidentValue.of(dtype as TypeName, shape, c);
        fed.set(name, value);
      }
      value.write(tensorOf(dtype, numbers, shape).data as ArrayLike<number>);
      return value;
    },
    release() {
      for (const value of fed.values()) value.dispose();
      fed.clear();
    },
  };
}
