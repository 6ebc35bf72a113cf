// Which devices this machine has, for tests that run once for each. WebGPU needs a Vulkan driver; a software one
// does (see .ci/run).
import { encodeModel } from '../../src/lower/onnx.js';
import { boundEngine } from '../../src/runtime/bound.js';
import { cInterface } from '../../src/runtime/c-interface.js';
import { openSession } from '../../src/runtime/session.js';

let found: Promise<('cpu' | 'webgpu')[]> | undefined;

/** The CPU, and WebGPU where it opens; says once, in one line, when it does not. */
export function devicesHere(): Promise<('cpu' | 'webgpu')[]> {
  found ??= look();
  return found;
}

async function look(): Promise<('cpu' | 'webgpu')[]> {
  const value = (name: string) => ({ name, dtype: 'float32' as const, shape: [1] });
  const nodes = [{ opType: 'Neg', inputs: ['x'], outputs: ['y'] }];
  const graph = { name: 'probe', inputs: [value('x')], outputs: [value('y')], initializers: [], nodes };
  try {
    const settings = { target: 'webgpu', threads: 1, spin: false } as const;
    const model = encodeModel({ opset: 17, graph });
    const session = await openSession(model, settings, { strict: true });
    // Compiled kernels are shared by all sessions of programs as long as one is open: this one stays.
    const c = await cInterface();
    if (c) boundEngine(model, settings, c);
    await session.release();
    return ['cpu', 'webgpu'];
  } catch {
    process.stderr.write('skipped: WebGPU tests, because there is no Vulkan device (see .ci/run)\n');
    return ['cpu'];
  }
}
