// Small valid files that readers begin from: made here by the project's own writers and by hand, or kept in test/fixtures.
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { random } from '../../src/common/random.js';
import { encodeModel } from '../../src/lower/onnx.js';

/** The bytes of a file of test/fixtures. */
export const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../test/fixtures/${name}`, import.meta.url)));

/** Noise [height, width, channels]. */
export function noise(height: number, width: number, channels: number): Uint8Array {
  const stream = random(1, 'samples');
  return Uint8Array.from({ length: height * width * channels }, () => stream.integer(256));
}

/** A small JPEG. */
export const jpegImage = (): Promise<Uint8Array> =>
  sharp(noise(12, 12, 3), { raw: { width: 12, height: 12, channels: 3 } })
    .jpeg()
    .toBuffer();

/** A model that takes the means of the colour planes of 8x8 faces through a matrix product: the smallest embedder. */
export function tinyModel(metadata?: Record<string, string>): Uint8Array {
  const weights = Float32Array.from({ length: 12 }, (_, i) => Math.cos(i));
  return encodeModel({
    opset: 17,
    ...(metadata && { metadata }),
    graph: {
      name: 'means',
      inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 3, 8, 8] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 4] }],
      initializers: [{ name: 'w', dtype: 'float32', shape: [3, 4], data: weights }],
      nodes: [
        { opType: 'ReduceMean', inputs: ['x'], outputs: ['m'], attributes: { axes: [2, 3], keepdims: 0 } },
        { opType: 'MatMul', inputs: ['m', 'w'], outputs: ['y'] },
      ],
    },
  });
}

/** What the model says of itself. */
export const tinyManifest = {
  format: 'hypersphere-model/1',
  name: 'tiny',
  input: { name: 'x', width: 8, height: 8, order: 'rgb', mean: 127.5, scale: 1 / 128 },
  crop: 'cover-centre',
  template: 'arcface-112@0',
  flip: 'none',
  embedding: { length: 4, output: 'y' },
  metric: 'cosine',
  thresholds: { on: 'nobody', points: [{ fmr: 0.001, threshold: 0.4 }] },
  trainedOn: 'nothing',
  licence: 'MIT',
} as const;

export const asJson = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value, null, 1)}\n`);
export const asText = (...lines: string[]): Uint8Array => Buffer.from(`${lines.join('\n')}\n`);
