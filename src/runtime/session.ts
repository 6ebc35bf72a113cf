// The one place that makes ONNX Runtime sessions, so that every program and model runs under the same settings.
import { UserError } from '../common/errors.js';
import type { Target } from '../lower/index.js';
import { cInterface } from './c-interface.js';
import { env, InferenceSession, Tensor } from './onnxruntime.js';

// Errors reach the caller as exceptions; a second copy on standard error would only garble the output.
env.logLevel = 'fatal';

/** Where and how sessions run. */
export interface SessionSettings {
  target: Target;
  /** Threads inside one operation, on the CPU. */
  threads: number;
  /**
   * Whether idle threads wait in a busy loop, which starts the next operation sooner and costs up to 20 ms of
   * every core after a run. Turn it off where several sessions, or image decoding, share the cores.
   */
  spin: boolean;
}

export interface SessionExtras {
  /** Outputs that stay on the GPU. */
  resident?: string[];
  /** Fail rather than let the CPU run what the device cannot. */
  strict?: boolean;
}

/** Opens a session over the bytes of an ONNX file. Throws what ONNX Runtime throws. */
export async function openSession(
  model: Uint8Array,
  { target, threads, spin }: SessionSettings,
  { resident = [], strict = false }: SessionExtras = {},
): Promise<InferenceSession> {
  // Where no variable turns the runtime's telemetry off, the C interface does, before the first session.
  if (process.platform === 'win32') await cInterface();
  return InferenceSession.create(model, {
    executionProviders: [target],
    executionMode: 'sequential',
    enableCpuMemArena: true,
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: strict ? 4 : 3,
    ...(resident.length > 0 && {
      preferredOutputLocation: Object.fromEntries(resident.map((name) => [name, 'gpu-buffer' as const])),
    }),
    extra: {
      session: {
        intra_op: { allow_spinning: spin ? '1' : '0' },
        ...(strict && { disable_cpu_ep_fallback: '1' }),
      },
    },
  });
}

/** Numbers that can be fed: a number fills a scalar (or every step's scalar when several steps run in a call). */
export type Feed = Float32Array | Int32Array | Uint8Array | number;
export type Feeds = Readonly<Record<string, Feed>>;

/** A value read back; a bool comes as int32 zeros and ones. */
export interface Result {
  data: Float32Array | Int32Array;
  shape: number[];
}

/** A value of a graph as its user sees it. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
  /** Of whole numbers that are fed: all are in [0, below). */
  readonly below?: number;
}

/** The value as an ONNX Runtime tensor of `dtype`; the caller has checked its length. */
export function tensorOf(dtype: string, value: Feed, shape: readonly number[]): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const numbers = typeof value === 'number' ? new Float64Array(count).fill(value) : value;
  switch (dtype) {
    case 'float32':
      return new Tensor(
        'float32',
        numbers instanceof Float32Array ? numbers : Float32Array.from(numbers),
        shape,
      );
    case 'int32':
      return new Tensor('int32', numbers instanceof Int32Array ? numbers : Int32Array.from(numbers), shape);
    case 'int64':
      return new Tensor('int64', BigInt64Array.from(numbers as Int32Array, BigInt), shape);
    case 'bool':
      return new Tensor(
        'bool',
        Uint8Array.from(numbers, (v) => (v ? 1 : 0)),
        shape,
      );
    case 'uint8':
      return new Tensor('uint8', Uint8Array.from(numbers), shape);
    default:
      throw new UserError(`inputs of type ${dtype} cannot be fed; export the model with float32 inputs`);
  }
}

/** The numbers of a tensor in the CPU's memory. */
export function resultOf(tensor: { type: string; dims: readonly number[]; data: unknown }): Result {
  const shape = [...tensor.dims];
  const { data } = tensor;
  if (data instanceof Float32Array || data instanceof Int32Array) return { data, shape };
  if (tensor.type === 'float64') return { data: Float32Array.from(data as Float64Array), shape };
  return { data: Int32Array.from(data as BigInt64Array | Uint8Array as Iterable<number>, Number), shape };
}
