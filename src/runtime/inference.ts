// A trained model, ours or another's, opened for running: named arrays in, named arrays out.
import { UserError } from '../common/errors.js';
import { showShape } from '../graph/index.js';
import { readMetadata, requireBounded } from '../lower/onnx.js';
import { forCpu } from '../lower/rewrite/index.js';
import type { InferenceSession } from './onnxruntime.js';
import { firstLine } from './program.js';
import {
  type Feed,
  openSession,
  type Result,
  resultOf,
  type SessionSettings,
  tensorOf,
  type ValueInfo,
} from './session.js';

/** An array to feed, with its shape where the model leaves axes free. */
export type ModelFeed = Feed | { data: Feed; shape: readonly number[] };

export class InferenceModel {
  /** Free axes have a name instead of a length. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** The key-value pairs that the file carries beside its graph. */
  readonly metadata: Readonly<Record<string, string>>;
  #session: InferenceSession | undefined;

  private constructor(session: InferenceSession, metadata: Record<string, string>) {
    this.#session = session;
    this.metadata = metadata;
    this.inputs = describe(session.inputMetadata);
    this.outputs = describe(session.outputMetadata);
  }

  /**
   * Opens the bytes of an ONNX file. `name` is used in messages. Throws UserError when it cannot be opened, and when its
   * work has no bound (see `requireBounded`).
   */
  static async open(bytes: Uint8Array, settings: SessionSettings, name = 'model'): Promise<InferenceModel> {
    let metadata: Record<string, string>;
    try {
      requireBounded(bytes);
      metadata = readMetadata(bytes);
    } catch (error) {
      throw new UserError(`${name}: ${firstLine(error)}`);
    }
    try {
      const fast = settings.target === 'cpu' && process.arch === 'x64' ? forCpu(bytes) : bytes;
      return new InferenceModel(await openSession(fast, settings), metadata);
    } catch (error) {
      throw new UserError(`${name}: ${settings.target} cannot run this model: ${firstLine(error)}`);
    }
  }

  /**
   * Runs the model once. A bare array is given the model's own shape; when exactly one axis is free (the batch)
   * its length follows from the array's. Throws UserError when a feed is missing, unknown or does not fit.
   */
  async run(feeds: Readonly<Record<string, ModelFeed>>): Promise<Record<string, Result>> {
    if (!this.#session) throw new Error('the model was disposed');
    const known = this.inputs.map(({ name }) => name);
    for (const name of Object.keys(feeds)) {
      if (!known.includes(name)) {
        throw new UserError(`feed '${name}' is not an input of this model (inputs: ${known.join(', ')})`);
      }
    }
    const tensors = Object.fromEntries(
      this.inputs.map((input) => {
        const feed = feeds[input.name];
        if (feed === undefined)
          throw new UserError(`feed '${input.name}' ${showShape(input.shape)} is missing`);
        return [input.name, tensorOf(input.dtype, ...arranged(input, feed))];
      }),
    );
    const fetched = await this.#session.run(tensors);
    return Object.fromEntries(this.outputs.map(({ name }) => [name, resultOf(fetched[name]!)]));
  }

  /** Frees the session. The model cannot be used afterwards. */
  async dispose(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }
}

function describe(metadata: InferenceSession['inputMetadata']): ValueInfo[] {
  return metadata.map((value) => {
    if (!value.isTensor)
      throw new UserError(`'${value.name}' is not a tensor, which is all that is supported`);
    return { name: value.name, dtype: value.type, shape: [...value.shape] };
  });
}

/** The array and the shape to feed it with. */
function arranged(input: ValueInfo, feed: ModelFeed): [Feed, number[]] {
  const bare = typeof feed === 'number' || ArrayBuffer.isView(feed);
  const data: Feed = bare ? (feed as Feed) : feed.data;
  const length = typeof data === 'number' ? 1 : data.length;
  const fixed = input.shape.reduce<number>(
    (product, axis) => (typeof axis === 'number' ? product * axis : product),
    1,
  );
  const free = input.shape.filter((axis) => typeof axis !== 'number').length;
  const shape = bare
    ? input.shape.map((axis) => (typeof axis === 'number' ? axis : length / fixed))
    : [...(feed as { shape: readonly number[] }).shape];
  const fits =
    shape.length === input.shape.length &&
    shape.every(
      (n, i) => Number.isInteger(n) && (typeof input.shape[i] !== 'number' || input.shape[i] === n),
    ) &&
    shape.reduce((a, b) => a * b, 1) === length &&
    !(bare && free > 1);
  if (!fits) {
    const given = bare ? `${length} values` : `${showShape(shape)} with ${length} values`;
    throw new UserError(`feed '${input.name}' has shape ${showShape(input.shape)}, but ${given} were given`);
  }
  return [data, shape];
}
