// Devices by name: the CPU everywhere, and the accelerators that ONNX Runtime knows. A device is proved by a
// tiny session before it is handed out; one that was asked for and is not there is an error that says what to
// install, never a silent fall-back.
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { UserError } from '../common/errors.js';
import { readWhole } from '../common/files.js';
import { lowerStep, type StepGraph, type Target } from '../lower/index.js';
import { encodeModel } from '../lower/onnx.js';
import { InferenceModel } from './inference.js';
import { firstLine, Program } from './program.js';
import { openSession, type SessionSettings, tensorOf } from './session.js';
import { tryModel } from './trial.js';

/** One of `deviceNames`. */
export type DeviceName = Target | 'auto';

export interface DeviceOptions {
  /** Threads of one operation on the CPU; by default as many as the machine lets this process run at once. */
  threads?: number;
  /**
   * Whether idle threads wait in a busy loop (see SessionSettings); default false: on an idle machine it gains 1 to
   * 4 % of a training step, and when another process wants the same cores it slows both down many times.
   */
  spin?: boolean;
}

export interface CompileOptions {
  /** How operations are written: the fast forms for the device, or the plain defaults. */
  formulations?: 'fast' | 'plain';
  /** Training steps in one call, through ONNX's Loop where the device has it; above 1 every feed and output has a leading axis of steps. */
  stepsPerCall?: number;
}

/** A place to run graphs. */
export interface Device {
  readonly name: Target;
  readonly threads: number;
  /** Compiles a training step with resident state. */
  compile(step: StepGraph, options?: CompileOptions): Promise<Program>;
  /**
   * Opens a model for inference, from a file or from bytes, which are called `name` in messages. A file is first opened
   * and run once in a process of its own (see `tryModel`); bytes are taken to be the program's own.
   */
  load(model: Uint8Array | string, name?: string): Promise<InferenceModel>;
  /** Frees every program and model that was opened on this device. */
  close(): Promise<void>;
}

/** Where a file of onnxruntime-node is: in an installed package it is inside Hypersphere's own folder. */
function runtimeFile(name: string): string {
  const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  return relative(process.cwd(), join(manifest, '..', name));
}

/** What to do when a device is not there. */
const needs: Record<Exclude<Target, 'cpu'>, string> = {
  webgpu:
    "it needs a graphics driver: Vulkan on Linux (the libvulkan1 package and a driver; Debian's chromium ships a " +
    'software one, named by VK_ICD_FILENAMES), Direct3D 12 on Windows, Metal on macOS',
  get cuda() {
    return (
      'it needs Linux x64, an NVIDIA driver, CUDA 12, cuDNN 9, and the CUDA files of onnxruntime-node: ' +
      `node ${runtimeFile('script/install.js')} --onnxruntime-node-install=cuda12`
    );
  },
  coreml: 'it exists on macOS only',
  dml: 'it exists on Windows only (DirectML)',
};

/** Every device name, for flags and messages. */
export const deviceNames = ['cpu', 'webgpu', 'cuda', 'coreml', 'dml', 'auto'] as const;

/** Accelerators in the order in which 'auto' tries them. */
const preferred: readonly Target[] = ['cuda', 'dml', 'webgpu', 'coreml'];

/**
 * Opens a device. 'auto' takes the first accelerator that works and beats the CPU at a chain of matrix
 * products (a software Vulkan device works too, but is slower), else the CPU.
 * Throws UserError when the name is unknown or the device is not there; the message says what to install.
 */
export async function openDevice(name: DeviceName, options: DeviceOptions = {}): Promise<Device> {
  if (!deviceNames.includes(name))
    throw new UserError(`device '${name}' is unknown; choose one of ${deviceNames.join(', ')}`);
  const threads = options.threads ?? availableParallelism();
  if (!Number.isInteger(threads) || threads < 1) {
    throw new UserError(`threads must be a whole number from 1 on, not ${threads}`);
  }
  const settings = { threads, spin: options.spin ?? false };
  if (name === 'auto') return device({ ...settings, target: await fastest(settings) });
  if (name !== 'cpu') {
    try {
      await probe({ ...settings, target: name }, small);
    } catch (error) {
      throw new UserError(`device '${name}' is not available here: ${needs[name]} (${firstLine(error)})`);
    }
  }
  return device({ ...settings, target: name });
}

function device(settings: SessionSettings): Device {
  const open = new Set<{ dispose(): Promise<void> }>();
  const track = <T extends { dispose(): Promise<void> }>(owned: T): T => {
    open.add(owned);
    return owned;
  };
  return {
    name: settings.target,
    threads: settings.threads,
    async compile(step, { formulations, stepsPerCall = 1 } = {}) {
      // WebGPU has no Loop: its state would travel to the CPU and back between any two steps of a call.
      const repeat = settings.target === 'webgpu' ? stepsPerCall : 1;
      const lowered = lowerStep(step, {
        target: settings.target,
        ...(formulations && { formulations }),
        stepsPerCall: stepsPerCall / repeat,
      });
      return track(await Program.open(lowered, settings, { repeat }));
    },
    async load(model, name) {
      if (typeof model !== 'string') return track(await InferenceModel.open(model, settings, name));
      const bytes = await readWhole(model);
      await tryModel(bytes, model);
      return track(await InferenceModel.open(bytes, settings, model));
    },
    async close() {
      for (const owned of open) await owned.dispose();
      open.clear();
    },
  };
}

async function fastest(settings: Omit<SessionSettings, 'target'>): Promise<Target> {
  const here = await probe({ ...settings, target: 'cpu' }, large);
  for (const target of preferred) {
    try {
      // Software devices fail the first test, and so never have to take the second.
      if ((await probe({ ...settings, target }, small)) > unhurried) continue;
      if ((await probe({ ...settings, target }, large)) < here) return target;
    } catch {
      // Not here; the next one may be.
    }
  }
  return 'cpu';
}

/** Matrix sizes of the probe: 17 million and 8.6 billion operations. */
const small = 128;
const large = 1024;
/** A graphics card does the small probe in a millisecond or two; a software one takes far longer than this. */
const unhurried = 30;

/**
 * Milliseconds (the best of three) for a chain of four products of square matrices. Throws when the device is
 * not there or computes it wrong.
 */
async function probe(settings: SessionSettings, size: number): Promise<number> {
  // CoreML may leave single operations to the CPU by its own choice; the others must run all of this themselves.
  const strict = settings.target !== 'cpu' && settings.target !== 'coreml';
  const session = await openSession(probeModel(size), settings, { strict });
  try {
    const feeds = { x: tensorOf('float32', 1 / size, [1, 1]) };
    let fastest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const start = performance.now();
      const { y } = await session.run(feeds);
      fastest = Math.min(fastest, performance.now() - start);
      const value = (y!.data as Float32Array)[0]! * size;
      if (Math.abs(value - 1) > 1e-3) throw new Error(`it computes wrong numbers (${value} for 1)`);
    }
    return fastest;
  } finally {
    await session.release();
  }
}

/** A = the square matrix full of x = 1/size, so that A A = A; y = a row of 1/size times the last product. */
function probeModel(size: number): Uint8Array {
  const product = (left: string, right: string, out: string) => ({
    opType: 'MatMul',
    inputs: [left, right],
    outputs: [out],
  });
  const full = (name: string, shape: number[], value: number) => ({
    name,
    dtype: 'float32' as const,
    shape,
    data: new Float32Array(shape[0]! * shape[1]!).fill(value),
  });
  return encodeModel({
    opset: 17,
    graph: {
      name: 'probe',
      inputs: [{ name: 'x', dtype: 'float32', shape: [1, 1] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [1, size] }],
      initializers: [full('ones', [size, size], 1), full('row', [1, size], 1 / size)],
      nodes: [
        { opType: 'Mul', inputs: ['ones', 'x'], outputs: ['a0'] },
        ...[1, 2, 3, 4].map((i) => product(`a${i - 1}`, 'a0', `a${i}`)),
        product('row', 'a4', 'y'),
      ],
    },
  });
}
