// A session on an accelerator whose outputs stay on it, through the C interface: before a run every input is bound to
// a value, wherever that lies, and every output to the memory it is to be left in. The Node binding can do this for
// WebGPU alone.
import { setImmediate } from 'node:timers/promises';
import { type Address, type CInterface, written } from './c-interface.js';
import type { Engine } from './engine.js';
import { nativeValues, openNativeSession } from './native-session.js';
import { ResidentValue } from './resident-value.js';
import type { SessionSettings } from './session.js';

/** Kinds of allocator and of memory (OrtAllocatorType, OrtMemType). */
const DEVICE_ALLOCATOR = 0;
const DEFAULT_MEMORY = 0;

/** Devices that can be bound, with the runtime's name for their memory. */
const MEMORY = { cuda: 'Cuda', webgpu: 'WebGPU_Buf' } as const;
export type Bindable = keyof typeof MEMORY;

/** Whether a device's outputs can stay on it by this way. */
export const isBindable = (target: string): target is Bindable => target in MEMORY;

/** Makes the provider of `target` part of a session's options. */
function addProvider(c: CInterface, options: Address, target: Bindable): void {
  if (target === 'webgpu') {
    c.call.addProvider(options, 'WebGPU', [], [], 0);
    return;
  }
  const cuda = written((result) => c.call.createCudaOptions(result));
  try {
    c.call.addCuda(options, cuda);
  } finally {
    c.release.cudaOptions(cuda);
  }
}

/** `resident` names the outputs that stay on the device. Throws what the runtime says. */
export function boundEngine(
  model: Uint8Array,
  settings: SessionSettings & { target: Bindable },
  c: CInterface,
  { resident = [], strict = false }: { resident?: readonly string[]; strict?: boolean } = {},
): Engine {
  const { call, release } = c;
  const { target } = settings;
  const provider = (options: Address) => addProvider(c, options, target);
  const session = openNativeSession(model, settings, c, { strict, provider });
  const values = nativeValues(c);
  const memoryOf = (name: string) =>
    written((result) => call.createMemoryInfo(name, DEVICE_ALLOCATOR, 0, DEFAULT_MEMORY, result));
  const [onDevice, onCpu] = [memoryOf(MEMORY[target]), memoryOf('Cpu')];
  const binding = written((result) => call.createBinding(session, result));
  const stays = new Set(resident);

  /** The outputs of the last run, in the order in which they were bound. */
  const takeOutputs = (count: number): BigUint64Array => {
    const list = new BigUint64Array(1);
    const found = new BigUint64Array(1);
    call.boundOutputs(binding, c.allocator, list, found);
    const values = new BigUint64Array(c.memory(list[0]!, 8 * count).slice(0));
    call.free(c.allocator, list[0]!);
    return values;
  };

  return {
    keep: values.keep,
    feed: values.feed,
    async run(feeds, outputs) {
      try {
        for (const [name, value] of Object.entries(feeds))
          call.bindInput(binding, name, (value as ResidentValue).address);
        for (const name of outputs) call.bindOutputTo(binding, name, stays.has(name) ? onDevice : onCpu);
        // Sessions on WebGPU share one queue of commands that only one thread may fill.
        if (target === 'webgpu') {
          await setImmediate();
          call.runBound(session, null, binding);
        } else await c.later.runBound(session, null, binding);
        const taken = takeOutputs(outputs.length);
        return Object.fromEntries(
          outputs.map((name, i) => [
            name,
            new ResidentValue(taken[i]!, c, stays.has(name) ? 'gpu-buffer' : 'cpu'),
          ]),
        );
      } finally {
        release.boundInputs(binding);
        release.boundOutputs(binding);
      }
    },
    async release() {
      values.release();
      release.binding(binding);
      release.memoryInfo(onDevice);
      release.memoryInfo(onCpu);
      release.session(session);
    },
  };
}
