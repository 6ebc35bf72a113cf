// The tensors of a weight file by name, whatever wrote it: PyTorch, Caffe, safetensors or ONNX. The numbers of each
// are converted only when they are asked for.
import { UserError } from '../../common/errors.js';
import { readWhole } from '../../common/files.js';
import {
  readCaffemodel,
  readSafetensors,
  readTorchCheckpoint,
  type StoredNumbers,
} from '../../data/index.js';
import { decodeModel, type OnnxTensor } from '../../lower/onnx.js';

/** A weight file's format. */
export type WeightFormat = 'PyTorch' | 'Caffe' | 'safetensors' | 'ONNX';

/** What a weight file holds. */
export interface WeightFile {
  file: string;
  format: WeightFormat;
  /** In the order of the file; of ONNX, in the order in which the network uses them. */
  tensors: ReadonlyMap<string, StoredNumbers>;
  /** What lay beside the network and is no part of it, such as an epoch. */
  aside: readonly string[];
}

type Parsed = Pick<WeightFile, 'tensors'> & { aside?: readonly string[] };

const readers: Readonly<Record<WeightFormat, (bytes: Uint8Array, file: string) => Parsed>> = {
  PyTorch: readTorchCheckpoint,
  Caffe: caffe,
  safetensors: (bytes, file) => ({
    tensors: new Map(
      Array.from(readSafetensors(bytes, file).tensors, ([name, { shape, dtype, data }]) => [
        name,
        { shape, dtype, numbers: () => Float32Array.from(data as ArrayLike<number | bigint>, Number) },
      ]),
    ),
  }),
  ONNX: onnx,
};

/** The format by how the file begins, and where that does not tell (Caffe and ONNX begin alike), by its name. */
function formatOf(bytes: Uint8Array, file: string): WeightFormat {
  const begin = Buffer.from(bytes.subarray(0, 9)).toString('latin1');
  if (begin.startsWith('PK') || begin.startsWith('\x80')) return 'PyTorch';
  if (begin[8] === '{' || /\.safetensors$/i.test(file)) return 'safetensors';
  if (/\.caffemodel$/i.test(file)) return 'Caffe';
  if (/\.onnx$/i.test(file)) return 'ONNX';
  if (/\.(pth|pt|ckpt|pkl|tar)$/i.test(file)) return 'PyTorch';
  throw new UserError(
    `${file}: no weight file by its beginning or its name; read are .pth, .pt, .ckpt, .caffemodel, .safetensors and .onnx`,
  );
}

/** Reads a weight file; nothing in it is executed. Throws a `UserError` that begins with the file's name. */
export async function openWeights(file: string): Promise<WeightFile> {
  const bytes = await readWhole(file);
  if (bytes.length === 0) throw new UserError(`${file}: the file is empty`);
  const format = formatOf(bytes, file);
  const { tensors, aside = [] } = readers[format](bytes, file);
  return { file, format, tensors, aside };
}

/** What Caffe's blobs are called here, by the type of their layer: the names of our own layers. */
const blobNames: Readonly<Record<string, readonly string[]>> = {
  Convolution: ['weight', 'bias'],
  InnerProduct: ['weight', 'bias'],
  PReLU: ['slope'],
};

function caffe(bytes: Uint8Array, file: string): Parsed {
  const tensors = new Map<string, StoredNumbers>();
  for (const { name, type, blobs } of readCaffemodel(bytes, file)) {
    blobs.forEach(({ shape, data }, i) => {
      const blob = blobNames[type]?.[i] ?? `blob${i}`;
      tensors.set(`${name}.${blob}`, { shape, dtype: 'float32', numbers: () => data });
    });
  }
  return { tensors };
}

function onnx(bytes: Uint8Array, file: string): Parsed {
  let graph: ReturnType<typeof decodeModel>['graph'];
  try {
    ({ graph } = decodeModel(bytes));
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${file}: ${error.message}`, { cause: error }) : error;
  }
  const stored = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const tensors = new Map<string, StoredNumbers>();
  for (const name of graph.nodes.flatMap(({ inputs }) => inputs)) {
    const tensor = stored.get(name);
    if (tensor && /^float(32|64)$/.test(tensor.dtype)) tensors.set(name, numbersOf(tensor));
  }
  if (tensors.size === 0) throw new UserError(`${file}: holds no weights`);
  return { tensors };
}

const numbersOf = ({ shape, dtype, data }: OnnxTensor): StoredNumbers => ({
  shape,
  dtype,
  numbers: () => Float32Array.from(data as ArrayLike<number>),
});
