// MTCNN's published weights, as NumPy dictionaries (the TensorFlow port) or as Caffe networks (the authors'). Both
// are for images whose rows and columns are swapped, as Matlab hands them to Caffe; here every kernel is turned
// once, so that our networks see photographs as they are. Channels are red, green, blue. Tried on 152 photographs of
// CelebA: the labelled face is found in 151 this way, in 140 with blue first, in 33 with rows and columns swapped.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../../../common/cache.js';
import { UserError } from '../../../common/errors.js';
import { type NumberArray, readCaffemodel, readNumpyDictionary } from '../../../data/index.js';
import { sha256 } from '../../models/manifest.js';
import { type NetworkName, networkGraph, networkModel, networks, type WeightPlace } from './networks.js';

/** Counted up whenever the graphs change, so that older ones in the cache are not taken for them. */
const VERSION = 1;

interface Format {
  /** A file's arrays by layer (in lower case) and kind. */
  read(bytes: Uint8Array, source: string): Map<string, Partial<Record<WeightPlace['kind'], NumberArray>>>;
  /**
   * Of a weight [out, in, height, width], the order in which the file holds the axes. A fully connected one is
   * held as a convolution over all of its input.
   */
  readonly order: readonly [number, number, number, number];
}

const formats: Readonly<Record<'npy' | 'caffemodel', Format>> = {
  npy: {
    read: (bytes, source) =>
      new Map(
        [...readNumpyDictionary(bytes, source)].map(([layer, arrays]) => {
          const [weight, bias, slope] = ['weights', 'biases', 'alpha'].map((name) => arrays.get(name));
          return [
            layer.toLowerCase(),
            { ...(weight && { weight }), ...(bias && { bias }), ...(slope && { slope }) },
          ];
        }),
      ),
    order: [3, 2, 1, 0],
  },
  caffemodel: {
    read: (bytes, source) =>
      new Map(
        readCaffemodel(bytes, source).map(({ name, blobs: [first, bias] }) => [
          name.toLowerCase(),
          { ...(first && { weight: first, slope: first }), ...(bias && { bias }) },
        ]),
      ),
    order: [0, 1, 3, 2],
  },
};

/** The values of `data`, whose axes are those of `shape` in another order, in the order of `shape`. */
function arranged(data: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = new Array<number>(shape.length);
  for (let i = order.length - 1, stride = 1; i >= 0; i--) {
    strides[order[i]!] = stride;
    stride *= shape[order[i]!]!;
  }
  return Float32Array.from(data, (_, at) => {
    let from = 0;
    for (let axis = shape.length - 1, rest = at; axis >= 0; axis--) {
      from += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return data[from]!;
  });
}

/**
 * The weights of one of the networks out of its file's bytes, by the names of our parameters. Throws a UserError that
 * starts with `source` when the file is damaged or lacks a layer of the right size.
 */
export function readWeights(
  network: NetworkName,
  format: keyof typeof formats,
  bytes: Uint8Array,
  source: string,
): Map<string, Float32Array> {
  const { read, order } = formats[format];
  const layers = read(bytes, source);
  const weights = new Map<string, Float32Array>();
  for (const [name, { layer, kind, shape }] of networkGraph(networks[network]).weights) {
    const array = layers.get(layer)?.[kind];
    const count = shape.reduce((product, n) => product * n, 1);
    if (array?.data.length !== count) {
      const found = array ? `${array.data.length} numbers` : 'nothing';
      throw new UserError(
        `${source}: not MTCNN's ${network}: '${layer}' should hold a ${kind} of ${count} numbers and holds ${found}`,
      );
    }
    const data = Float32Array.from(array.data);
    weights.set(name, kind === 'weight' ? arranged(data, shape, order) : data);
  }
  return weights;
}

/**
 * The networks in `folder`, as ONNX: built from det1, det2 and det3, all of them .npy or all .caffemodel, and kept
 * in the cache. Throws a UserError when a file is missing or is not what its name says.
 */
export function mtcnnModels(folder: string): Record<NetworkName, Uint8Array> {
  const names = Object.keys(networks) as NetworkName[];
  const sets = (Object.keys(formats) as (keyof typeof formats)[]).map((format) => ({
    format,
    files: names.flatMap((name) => {
      const path = join(folder, `${name}.${format}`);
      const bytes = readIfThere(path);
      return bytes ? [{ name, path, bytes }] : [];
    }),
  }));
  const whole = sets.find(({ files }) => files.length === names.length);
  if (!whole) {
    const most = sets.reduce((a, b) => (b.files.length > a.files.length ? b : a));
    const missing = names.filter((name) => !most.files.some((file) => file.name === name));
    throw new UserError(
      `${folder}: holds no MTCNN, which is three files, det1, det2 and det3, as .npy or as .caffemodel` +
        (most.files.length > 0
          ? `; there is no ${missing.map((name) => `${name}.${most.format}`).join(' or ')}`
          : ''),
    );
  }
  return Object.fromEntries(
    whole.files.map(({ name, path, bytes }) => [
      name,
      cached(`mtcnn-${name}-${sha256(bytes).slice(0, 16)}-v${VERSION}.onnx`, () =>
        networkModel(networks[name], readWeights(name, whole.format, bytes, path)),
      ),
    ]),
  ) as Record<NetworkName, Uint8Array>;
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new UserError(`${path}: cannot be read (${code ?? message})`);
  }
}
