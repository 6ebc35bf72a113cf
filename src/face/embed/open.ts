// Opens an ONNX model, ours or another's, as an embedder: finds its manifest, checks it against the graph, and
// refuses what does not fit before any image is read.
import { basename } from 'node:path';
import { UserError } from '../../common/errors.js';
import { readText, readWhole } from '../../common/files.js';
import { type Leader, threadsOfRank } from '../../mpi/index.js';
import {
  type Device,
  type DeviceName,
  type InferenceModel,
  openDevice,
  tryModel,
} from '../../runtime/index.js';
import { builtInModels } from '../models/built-in.js';
import {
  type GraphFacts,
  MANIFEST_KEY,
  type ManifestOverrides,
  manifestBeside,
  manifestFile,
  parseManifestJson,
  resolveManifest,
  sha256,
} from '../models/manifest.js';
import { modelFile } from '../models/store.js';
import { Embedder, type SharedModel } from './embedder.js';

export interface EmbedderOptions {
  /** A device's name (default 'cpu'), or an open device, which then stays open. */
  device?: DeviceName | Device;
  /** By default a rank's share of the cores, or what the device takes by itself. */
  threads?: number;
  /** Images a run of the network (default 16); a model with a fixed batch has its own. */
  batch?: number;
  /** A manifest file, or parts of a manifest that overrule the model's own. */
  manifest?: string | ManifestOverrides;
  /** Opens it on all ranks that this one leads, too; for a model and a device that are named. */
  leader?: Leader;
}

/** What the other ranks are asked to open. */
export interface ModelQuestion {
  key: string;
  model: string;
  options: EmbedderOptions;
}

/** The bytes of an ONNX file with a name for messages. */
export interface ModelBytes {
  name: string;
  bytes: Uint8Array;
}

/**
 * Opens an ONNX model as an embedder of aligned faces: the file at a path, the name of a model that is built in
 * (see `builtInModels`) or in the store, or bytes. What it needs to know comes from the manifest file in
 * `options`, else from the model's metadata, else from a JSON file of the model's name beside it; overrides come
 * on top. Throws UserError, in one sentence, when the model or its manifest is missing, wrong or contradictory.
 */
export async function openEmbedder(
  model: string | ModelBytes,
  { leader, ...options }: EmbedderOptions = {},
): Promise<Embedder> {
  const named =
    typeof model === 'string' && (options.device === undefined || typeof options.device === 'string');
  if (!leader || !named) return openHere(model, options);
  const key = JSON.stringify([model, options]);
  const question: ModelQuestion = { key, model, options };
  let embedder: Embedder | undefined;
  try {
    const parts = await leader.ask('model', question, async () => {
      embedder = await openHere(model, options, { leader, model: key });
      return { told: JSON.stringify(embedder.manifest), numbers: new Float32Array(0) };
    });
    requireSameOnAll(
      model,
      parts.map(({ told }) => told),
    );
    return embedder!;
  } catch (error) {
    await embedder?.close();
    throw error;
  }
}

/** Throws a UserError unless all ranks tell the same of the model that they have opened. */
export function requireSameOnAll(model: string, told: readonly string[]): void {
  const other = told.findIndex((text) => text !== told[0]);
  if (other >= 0)
    throw new UserError(
      `${model}: rank ${other} found another model of this name than rank 0; give all machines the same file`,
    );
}

async function openHere(
  wantedModel: string | ModelBytes,
  options: EmbedderOptions,
  shared?: SharedModel,
): Promise<Embedder> {
  const { device: wanted = 'cpu', threads = threadsOfRank(), batch = 16, manifest: given } = options;
  if (!Number.isInteger(batch) || batch < 1)
    throw new UserError(`batch must be a whole number from 1 on, not ${batch}`);
  const { name: modelFile, bytes } =
    typeof wantedModel === 'string' ? await modelBytes(wantedModel) : wantedModel;
  const ownsDevice = typeof wanted === 'string';
  const device = ownsDevice ? await openDevice(wanted, { ...(threads && { threads }) }) : wanted;
  try {
    const model = await device.load(bytes, modelFile);
    const facts = graphFacts(modelFile, model);
    const stated = await statedManifest(
      modelFile,
      bytes,
      model,
      typeof given === 'string' ? given : undefined,
    );
    const overrides = typeof given === 'string' ? undefined : given;
    const resolved = resolveManifest(basename(modelFile), facts, stated, overrides);
    // Runs of one recipe differ in nothing else. A built-in model is known by its name, however its file is written.
    const manifest = Object.hasOwn(builtInModels, modelFile) ? resolved : manifestBeside(resolved, bytes);
    const axis = model.inputs[0]!.shape[0];
    const size =
      typeof axis === 'number' && axis > 0 ? { size: axis, fixed: true } : { size: batch, fixed: false };
    return new Embedder(manifest, device, model, size, ownsDevice, shared);
  } catch (error) {
    if (ownsDevice) await device.close();
    throw error;
  }
}

/**
 * The bytes of a model by its path, or its name in the store or among those that are built in. One in a file has been
 * opened and run in a process of its own. Throws a UserError for one that cannot be.
 */
export async function modelBytes(model: string): Promise<ModelBytes> {
  const builtIn = Object.hasOwn(builtInModels, model) ? builtInModels[model] : undefined;
  if (builtIn) return { name: model, bytes: builtIn() };
  const file = await modelFile(model);
  const bytes = await read(file);
  await tryModel(bytes, file);
  return { name: file, bytes };
}

async function read(file: string): Promise<Buffer> {
  const bytes = await readWhole(file);
  if (bytes.length === 0) throw new UserError(`${file}: the file is empty`);
  return bytes;
}

async function statedManifest(
  modelFile: string,
  model: Uint8Array,
  { metadata }: InferenceModel,
  file: string | undefined,
): Promise<ManifestOverrides | undefined> {
  const parse = (text: string, source: string) => {
    const manifest = parseManifestJson(text, source);
    if (manifest.sha256 !== undefined && manifest.sha256 !== sha256(model)) {
      throw new UserError(
        `${source} belongs to another file than ${modelFile} (its sha256 differs); give the right --manifest FILE`,
      );
    }
    return manifest;
  };
  if (file !== undefined) return parse((await read(file)).toString('utf8'), file);
  const inside = metadata[MANIFEST_KEY];
  if (inside !== undefined) return parseManifestJson(inside, `${modelFile} (metadata '${MANIFEST_KEY}')`);
  const beside = manifestFile(modelFile);
  const text = await readText(beside).catch((error: unknown) => {
    if (error instanceof UserError && error.code === 'not-found') return undefined;
    throw error;
  });
  return text === undefined ? undefined : parse(text, beside);
}

/** What the graph tells of its input and output; refuses a model that does not take colour planes. */
function graphFacts(modelFile: string, { inputs, outputs }: InferenceModel): GraphFacts {
  const [input] = inputs;
  const [output] = outputs;
  if (!output) throw new UserError(`${modelFile}: an embedder has an output; this model has none`);
  const shape = input?.shape ?? [];
  if (inputs.length !== 1 || shape.length !== 4 || (typeof shape[1] === 'number' && shape[1] !== 3)) {
    const found = inputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(' and ');
    throw new UserError(
      `${modelFile}: an embedder has one input of colour planes [N, 3, H, W]; this model has ${found}`,
    );
  }
  const fixed = (axis: number | string | undefined) =>
    typeof axis === 'number' && axis > 0 ? axis : undefined;
  return {
    input: input!.name,
    height: fixed(shape[2]),
    width: fixed(shape[3]),
    output: output.name,
    length: fixed(output.shape.at(-1)),
  };
}
