// A float model in, one that computes in 8-bit integers out (post-training quantisation), with a manifest that says
// what it came from, what it was calibrated on and how far its embeddings are from the float model's.
import { basename } from 'node:path';
import { UserError } from '../../common/errors.js';
import { decodeModel, encodeModel, type OnnxModel } from '../../lower/onnx.js';
import {
  integerNode,
  type QuantizedLayer,
  type QuantizeOptions,
  quantizeGraph,
  type RangeRule,
  rangeRules,
  valuesToCalibrate,
} from '../../lower/quantize/index.js';
import { foldConstants, foldConvolutions, rewritePrelu } from '../../lower/rewrite/index.js';
import { cosineAt } from '../../theory/vectors.js';
import type { Template } from '../align/template.js';
import { type EmbedderOptions, type ModelBytes, modelBytes, openEmbedder } from '../embed/open.js';
import { carryFrom } from '../embed/realigned.js';
import { type Manifest, manifestBeside, manifestMetadata, sha256 } from '../models/manifest.js';
import { drawFaces, readFace } from './calibration-faces.js';
import { observe } from './observe.js';

export interface QuantizeModelOptions
  extends Pick<EmbedderOptions, 'threads' | 'manifest'>,
    Pick<QuantizeOptions, 'bits' | 'perChannel' | 'keep'> {
  /** Faces to calibrate on; as many others, if there are, are compared on. Default 256. */
  images?: number;
  /** How ranges are chosen (default least-squares). */
  ranges?: RangeRule;
  /** Whether biases make up for rounded weights (default true). */
  mendBiases?: boolean;
  /** The template of the faces, where it is not the model's and the folder does not say (see `carryFrom`). */
  aligned?: Template;
  /** People who are not drawn from. */
  exclude?: readonly string[];
  /** Of the draw of faces. Default 1. */
  seed?: number;
  onProgress?(done: number, total: number, what: string): void;
}

/** Cosines between the embeddings of the float model and of the quantised one, of faces that were not calibrated on. */
export interface Agreement {
  images: number;
  mean: number;
  least: number;
}

export interface QuantizedModel {
  /** Of the ONNX file, with its manifest inside. */
  bytes: Uint8Array;
  /** With the file's SHA-256. */
  manifest: Manifest;
  layers: QuantizedLayer[];
  agreement: Agreement | undefined;
  /** Bytes of the float model. */
  bytesBefore: number;
  /** Whether the float model states thresholds, which the quantised one does not. */
  thresholdsLeftOut: boolean;
}

/** The oldest operator set with QLinearConv. */
const LEAST_OPSET = 10;

/**
 * Quantises a model (a path, or a name as for `openEmbedder`) on faces of the folder `faces`. What its manifest says
 * of preparation, training and licence is kept; its thresholds are not, since they were measured with other
 * embeddings. Throws a UserError for a model that is quantised already, has no layer that can be, or an operator set
 * below 10, for a folder without faces, for a face that cannot be read, and for a name in `keep` that is no layer's.
 */
export async function quantizeModel(
  model: string,
  faces: string,
  options: QuantizeModelOptions = {},
): Promise<QuantizedModel> {
  const {
    images = 256,
    ranges = 'least-squares',
    mendBiases = true,
    seed = 1,
    threads,
    onProgress,
  } = options;
  const { name: file, bytes: before } = await modelBytes(model);
  const prepared = prepare(file, before);
  const opened = { ...(threads && { threads }), ...(options.manifest && { manifest: options.manifest }) };
  const embedder = await openEmbedder({ name: file, bytes: before }, opened);
  try {
    const { manifest } = embedder;
    const from = carryFrom(manifest, faces, options.aligned);
    const { calibration, others } = await drawFaces(faces, images, seed, options.exclude);
    const names = valuesToCalibrate(prepared.graph);
    const read = async function* () {
      for (const [i, path] of calibration.entries()) {
        yield await readFace(path, manifest, from);
        onProgress?.(i + 1, calibration.length + others.length, 'calibrating');
      }
    };
    const observed = await observe(prepared, names, manifest, read(), embedder.device);
    for (const [name, { means }] of observed)
      if (!means.every(Number.isFinite))
        throw new UserError(`${file}: its value '${name}' is not finite on these faces; check the model`);
    const { graph, layers } = quantizeGraph(
      prepared.graph,
      (value) => rangeRules[ranges](observed.get(value)!),
      {
        ...options,
        ...(mendBiases && { means: (value: string) => observed.get(value)?.means }),
      },
    );
    if (layers.every(({ float }) => float !== undefined))
      throw new UserError(
        `${file}: none of its layers can be quantised (${layers[0] ? `${layers[0].name}: ${layers[0].float}` : 'it has none'})`,
      );
    const encode = (stated: Manifest) =>
      encodeModel({ ...prepared, graph, metadata: { ...prepared.metadata, ...manifestMetadata(stated) } });
    const quantized = {
      from: manifest.name,
      sha256: sha256(before),
      activations: '8 bits, one range a value',
      weights: `${options.bits ?? 7} bits (depthwise 8), one scale a ${(options.perChannel ?? true) ? 'channel' : 'layer'}`,
      calibration: { faces: basename(faces), images: calibration.length, ranges, mendBiases, seed },
      float: layers.filter(({ float }) => float !== undefined).map(({ name }) => name),
    };
    const { thresholds: _, sha256: __, ...kept } = manifest;
    const stated: Manifest = { ...kept, name: `${manifest.name} int8`, quantized };
    const compared = await Promise.all(others.map((path) => readFace(path, manifest, from)));
    const agreement = await compare(
      { model: { name: file, bytes: before }, options: opened },
      { model: { name: file, bytes: encode(stated) }, options: { ...(threads && { threads }) } },
      compared,
      (i) => others[i]!,
      () => onProgress?.(calibration.length + others.length, calibration.length + others.length, 'comparing'),
    );
    const complete: Manifest = { ...stated, quantized: { ...quantized, ...(agreement && { agreement }) } };
    const bytes = encode(complete);
    return {
      bytes,
      manifest: manifestBeside(complete, bytes),
      layers,
      agreement,
      bytesBefore: before.length,
      thresholdsLeftOut: manifest.thresholds !== undefined,
    };
  } finally {
    await embedder.close();
  }
}

/** The float model with constants as initialisers, normalisations folded and PReLU in operators that have integers. */
function prepare(file: string, bytes: Uint8Array): OnnxModel {
  let model: OnnxModel;
  try {
    model = decodeModel(bytes);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${file}: ${error.message}`, { cause: error }) : error;
  }
  const integer = integerNode(model.graph.nodes);
  if (integer)
    throw new UserError(
      `${file}: is quantised already (it has a ${integer.opType}); quantise the float model it came from`,
    );
  if (model.opset < LEAST_OPSET)
    throw new UserError(
      `${file}: its operator set is ${model.opset}, and integers need ${LEAST_OPSET} or later; export it again`,
    );
  const graph = rewritePrelu(foldConvolutions(foldConstants(model.graph)));
  return { ...model, graph };
}

/** How alike the embeddings of two models are over the same faces; undefined when there are none. */
async function compare(
  float: { model: ModelBytes; options: EmbedderOptions },
  integer: { model: ModelBytes; options: EmbedderOptions },
  faces: readonly Uint8Array[],
  nameOf: (face: number) => string,
  onDone: (faces: number) => void,
): Promise<Agreement | undefined> {
  if (faces.length === 0) return undefined;
  const [a, b] = await Promise.all(
    [float, integer].map(async ({ model, options }) => {
      const embedder = await openEmbedder(model, options);
      try {
        const embeddings = await embedder.embed(faces, { nameOf });
        onDone(faces.length);
        return { embeddings, length: embedder.length };
      } finally {
        await embedder.close();
      }
    }),
  );
  const { length } = a!;
  const cosines = faces.map((_, i) => cosineAt(a!.embeddings, i * length, b!.embeddings, i * length, length));
  return {
    images: faces.length,
    mean: cosines.reduce((sum, c) => sum + c, 0) / faces.length,
    least: cosines.reduce((least, c) => Math.min(least, c)),
  };
}
