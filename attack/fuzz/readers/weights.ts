// Weights of others: pickles, PyTorch checkpoints, Caffe's and TensorFlow's files, NumPy arrays, safetensors, ONNX.

import { type Zippable, zipSync } from 'fflate';
import { readCaffemodel } from '../../../src/data/caffemodel.js';
import { readNumpy, readNumpyDictionary } from '../../../src/data/numpy.js';
import { readPickle } from '../../../src/data/pickle.js';
import { readSafetensors, writeSafetensors } from '../../../src/data/safetensors.js';
import { readTorchCheckpoint } from '../../../src/data/torch-checkpoint.js';
import { openWeights } from '../../../src/face/import/tensors.js';
import { readFaceApiWeights } from '../../../src/face/models/face-api-weights.js';
import { caffemodel } from '../../../test/support/caffemodel.js';
import { torchCheckpoint } from '../../../test/support/torch-writer.js';
import { unlatin } from '../mutate/mutator.js';
import { WRITTEN } from '../mutate/zip.js';
import { type Files, ofBytes, ofFiles, type Reader } from '../reader.js';
import { asJson, fixture, tinyModel } from '../samples.js';

const numbers = (count: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => i / 8);

const tensors = new Map([
  ['conv.weight', { shape: [2, 3, 1, 1], data: numbers(6) }],
  ['conv.bias', { shape: [2], data: numbers(2) }],
]);

const pickles = () =>
  ['arrays-2.pkl', 'arrays-4.pkl', 'arrays-5.pkl'].map((name) => fixture(`checkpoints/${name}`));
const checkpoints = () => [
  torchCheckpoint(tensors),
  torchCheckpoint(tensors, 'state_dict'),
  ...['legacy.pth', 'module.pth', 'script.pt', 'state.pth', 'training.pth'].map((name) =>
    fixture(`checkpoints/${name}`),
  ),
];
const caffemodels = () => [
  caffemodel([
    { name: 'conv1', type: 'Convolution', blobs: [{ shape: [2, 3, 1, 1], data: numbers(6) }] },
    { name: 'relu1', type: 'PReLU', blobs: [{ shape: [2], data: numbers(2) }] },
  ]),
];

/** NumPy's array format, version 1. */
function npy(literal: string, content: Uint8Array): Uint8Array {
  const header = literal.padEnd(Math.ceil((literal.length + 11) / 64) * 64 - 11);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length + 1);
  return Buffer.concat([unlatin('\x93NUMPY\x01\x00'), length, unlatin(`${header}\n`), content]);
}
const bytesOf = (data: Float32Array | Float64Array): Uint8Array => new Uint8Array(data.buffer);
const matrix = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
export const npyMatrices = (): Uint8Array[] => [
  npy(matrix, bytesOf(numbers(6))),
  npy(matrix.replace('<f4', '<f8'), bytesOf(Float64Array.from(numbers(6)))),
];

const safetensors = () => [
  writeSafetensors(
    new Map([
      ['a', { dtype: 'float32', shape: [2, 3], data: numbers(6) }],
      ['b', { dtype: 'int64', shape: [], data: new BigInt64Array(1) }],
      ['empty', { dtype: 'float64', shape: [0, 4], data: new Float64Array() }],
    ] as const),
    { format: 'pt' },
  ),
];

/** All numbers of a checkpoint, as an import asks for them. */
function numbersOfCheckpoint(bytes: Uint8Array): void {
  for (const tensor of readTorchCheckpoint(bytes, 'checkpoint').tensors.values()) tensor.numbers();
}

const weightFiles = (): Files[] =>
  [
    ...checkpoints().map((bytes) => ['weights.pth', bytes] as const),
    ...caffemodels().map((bytes) => ['weights.caffemodel', bytes] as const),
    ['weights.safetensors', safetensors()[0]!] as const,
    ['weights.onnx', tinyModel()] as const,
  ].map(([name, bytes]) => ({ [name]: bytes }));

async function openAll(folder: string): Promise<void> {
  for (const ending of ['pth', 'caffemodel', 'safetensors', 'onnx']) {
    const name = `${folder}/weights.${ending}`;
    const file = await openWeights(name).catch((error: Error) => {
      if (error.message === `${name}: no such file`) return undefined;
      throw error;
    });
    for (const tensor of file?.tensors.values() ?? []) tensor.numbers();
  }
}

const faceApi = (): Files[] => [
  {
    'net-weights_manifest.json': asJson([
      {
        paths: ['net.bin'],
        weights: [
          { name: 'a', shape: [2, 2], dtype: 'float32' },
          { name: 'b', shape: [4], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
        ],
      },
    ]),
    'net.bin': new Uint8Array(20),
  },
];

/** A thing within a thing, so deep that whoever goes down by calling itself runs out of stack. */
const deepPickle = unlatin(`\x80\x02${'('.repeat(50_000)}${'t'.repeat(50_000)}.`);
const deepDictionary = unlatin(`\x80\x02${'}K\x01'.repeat(50_000)}N${'s'.repeat(50_000)}.`);

/** 8 MiB of zeros in 8 KB as a storage, and as the pickle. */
const bombs = (): Uint8Array[] => {
  const zeros = new Uint8Array(2 ** 23);
  const pickle = unlatin('\x80\x02}.');
  const files: Zippable[] = [{ 'net/data.pkl': pickle, 'net/data/0': zeros }, { 'net/data.pkl': zeros }];
  return files.map((one) => zipSync(one, { mtime: WRITTEN, level: 6 }));
};

export const weightReaders: readonly Reader[] = [
  ofBytes('pickle', (bytes) => readPickle(bytes, 'pickle'), pickles, {
    hostile: () => [deepPickle, deepDictionary],
  }),
  ofBytes('checkpoint', numbersOfCheckpoint, checkpoints, {
    hostile: () => [fixture('checkpoints/hostile.pth'), deepPickle, deepDictionary, ...bombs()],
  }),
  ofBytes('caffemodel', (bytes) => readCaffemodel(bytes, 'model.caffemodel'), caffemodels),
  ofBytes('npy', (bytes) => readNumpy(bytes, 'matrix.npy'), npyMatrices),
  ofBytes(
    'npy-dictionary',
    (bytes) => readNumpyDictionary(bytes, 'weights.npy'),
    () => [fixture('checkpoints/arrays.npy')],
  ),
  ofBytes('safetensors', (bytes) => readSafetensors(bytes), safetensors),
  ofFiles('weights', openAll, weightFiles),
  ofFiles('face-api-weights', (folder) => readFaceApiWeights('net', folder), faceApi, { share: 0.5 }),
];
