// The networks that are timed: exported with starting weights (how long they take does not depend on what they have
// learned), quantised on drawn pictures, and told to other runtimes as a list of layers with their weights.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { random } from '../../src/common/random.js';
import { quantizeModel } from '../../src/face/index.js';
import { type Manifest, manifestMetadata } from '../../src/face/models/manifest.js';
import { input } from '../../src/graph/index.js';
import { lowerInference } from '../../src/lower/index.js';
import { decodeModel } from '../../src/lower/onnx.js';
import { foldConstants, foldConvolutions } from '../../src/lower/rewrite/index.js';
import { foldNormalizations, initialParameters, networkNamed, Scope } from '../../src/nn/index.js';

export interface TimedModel {
  name: string;
  /** Height and width. */
  size: readonly [number, number];
  float: Uint8Array;
  int8: Uint8Array;
  /** JSON list of layers for the other runtimes; their weights lie in the file of its name with .bin. */
  layers: string;
}

/** Exports a network of ours, and writes what the other runtimes need into `folder`. */
export async function timedModel(
  name: string,
  folder: string,
  size: readonly [number, number] = networkNamed(name).size,
): Promise<TimedModel> {
  const build = (norm: 'running' | 'folded') => {
    const scope = new Scope();
    const images = input('images', [1, 3, ...size]);
    return { scope, images, embedding: networkNamed(name).build(scope, images, { norm }) };
  };
  const { images, embedding } = build('folded');
  const weights = foldNormalizations(initialParameters(build('running').scope.parameters, 1));
  const [height, width] = size;
  const manifest: Manifest = {
    ...{ format: 'hypersphere-model/1', name, crop: 'cover-centre', template: 'not stated', flip: 'none' },
    ...{ metric: 'cosine', trainedOn: 'nothing', licence: 'not stated' },
    input: { name: 'images', width, height, order: 'rgb', mean: 127.5, scale: 1 / 128 },
    embedding: { length: embedding.shape[1]!, output: 'embedding' },
  };
  const metadata = manifestMetadata(manifest);
  const float = lowerInference({ inputs: [images], outputs: { embedding }, weights, metadata });
  const file = join(folder, `${name}.onnx`);
  writeFileSync(file, float);
  const { bytes } = await quantizeModel(file, await pictures(folder, size), { images: 4, threads: 1 });
  return { name, size, float, int8: bytes, layers: writeLayers(float, join(folder, `${name}.json`)) };
}

/** Smooth noise as pictures. */
async function pictures(folder: string, [height, width]: readonly [number, number]): Promise<string> {
  const into = join(folder, `pictures-${height}x${width}`);
  mkdirSync(into, { recursive: true });
  const stream = random(1, 'pictures');
  for (let i = 0; i < 4; i++) {
    const coarse = Buffer.from(Array.from({ length: 8 * 8 * 3 }, () => stream.integer(256)));
    const picture = sharp(coarse, { raw: { width: 8, height: 8, channels: 3 } }).resize(width, height);
    await picture.png().toFile(join(into, `${i}.png`));
  }
  return into;
}

/** Writes the graph's nodes as JSON, with where their weights begin in a file of floats beside it. */
function writeLayers(model: Uint8Array, file: string): string {
  const graph = foldConvolutions(foldConstants(decodeModel(model).graph));
  const weights = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const parts: Buffer[] = [];
  let at = 0;
  const layers = graph.nodes.map(({ opType, inputs, outputs, attributes }) => ({
    op: opType,
    inputs: inputs.filter((name) => !weights.has(name)),
    output: outputs[0],
    attributes,
    weights: inputs.flatMap((name) => {
      const tensor = weights.get(name);
      if (tensor?.dtype !== 'float32') return [];
      const start = at;
      at += tensor.data.length;
      parts.push(Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
      return [{ start, shape: tensor.shape }];
    }),
  }));
  writeFileSync(file, JSON.stringify({ layers, output: graph.outputs[0]!.name }));
  writeFileSync(file.replace(/json$/, 'bin'), Buffer.concat(parts));
  return file;
}

/** The images [batch, 3, H, W] that every side embeds. */
export function imagesFor(batch: number, [height, width]: readonly [number, number]): Float32Array {
  return Float32Array.from(
    { length: batch * 3 * height * width },
    (_, i) => ((i * 7919) % 2003) / 1001.5 - 1,
  );
}
