// What runs a compiled step: a session of ONNX Runtime, and the tensors that it keeps between runs.
import { type InferenceSession, Tensor } from './onnxruntime.js';
import { type Feed, openSession, type SessionExtras, type SessionSettings, tensorOf } from './session.js';

/** A tensor where its session keeps it. */
export interface Value {
  readonly type: string;
  readonly dims: readonly number[];
  readonly location: string;
  /** Its numbers, from memory of the CPU. */
  readonly data: unknown;
  /** The same without a copy, where `data` is one; they stand until the value is disposed of. */
  readonly view?: unknown;
  dispose(): void;
}

/** A model that can be run. */
export interface Engine {
  /** A tensor to keep; the numbers are copied, or belong to it from now on. */
  keep(data: Float32Array, shape: readonly number[]): Value;
  /** What to feed as input `name` in the next run; the numbers must not change before its end. */
  feed(name: string, dtype: string, value: Feed, shape: readonly number[]): Value;
  /** One run. The outputs are the caller's to dispose of. */
  run(feeds: Readonly<Record<string, Value>>, outputs: readonly string[]): Promise<Record<string, Value>>;
  release(): Promise<void>;
}

/** A session of the Node binding, which copies outputs that are on the CPU. */
export async function bindingEngine(
  model: Uint8Array,
  settings: SessionSettings,
  extras?: SessionExtras,
): Promise<Engine> {
  const session = await openSession(model, settings, extras);
  return {
    keep: (data, shape) => new Tensor('float32', data, shape),
    feed: (_, dtype, value, shape) => tensorOf(dtype, value, shape),
    run: (feeds, outputs) => session.run(feeds as InferenceSession.OnnxValueMapType, outputs) as never,
    release: () => session.release(),
  };
}
