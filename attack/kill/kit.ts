// What the commands under attack work on: small made-up faces, photographs, a model, a checkpoint, embeddings, a web
// server on this machine. There are two of each where an older output is replaced by a newer one.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { random } from '../../src/common/random.js';
import { templateNamed, templatePoints } from '../../src/face/align/template.js';
import { sha256 } from '../../src/face/models/manifest.js';
import { samplePhotographs } from '../../src/face/models/samples.js';
import { input } from '../../src/graph/index.js';
import { encodeModel } from '../../src/lower/onnx.js';
import { networkNamed, Scope } from '../../src/nn/index.js';
import { torchCheckpoint, type WrittenTensor } from '../../test/support/torch-writer.js';
import { tinyManifest } from '../fuzz/samples.js';

/** Paths of the inputs. */
export interface Kit {
  readonly folder: string;
  /** Folders of 32x32 faces, to train on. */
  readonly faces: string;
  readonly otherFaces: string;
  /** Folders of 8x8 faces of many people, for the model. */
  readonly crowd: string;
  readonly otherCrowd: string;
  /** Photographs with their landmarks, and one with real faces. */
  readonly photographs: string;
  readonly landmarks: string;
  readonly portrait: string;
  /** People with photographs that have faces. */
  readonly gallery: string;
  readonly model: string;
  readonly otherModel: string;
  readonly checkpoint: string;
  readonly otherCheckpoint: string;
  /** Pairs of the crowd. */
  readonly pairs: string;
  /** Where the model can be fetched, and its hash. */
  readonly url: string;
  readonly sha256: string;
  close(): Promise<void>;
}

async function picture(
  file: string,
  side: number,
  seed: readonly (string | number)[],
  person: number,
): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  const [pattern, noise] = [random(person, 'pattern', seed[0]!), random(1, ...seed)];
  const blocks = Array.from({ length: 4 * 4 * 3 }, () => 30 + pattern.integer(196));
  const pixels = Buffer.alloc(side * side * 3);
  for (let i = 0; i < pixels.length; i++) {
    const [x, y] = [Math.floor(i / 3) % side, Math.floor(i / 3 / side)];
    const block = Math.floor((4 * y) / side) * 4 + Math.floor((4 * x) / side);
    pixels[i] = blocks[3 * block + (i % 3)]! + noise.integer(41) - 20;
  }
  await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toFile(file);
}

async function people(
  folder: string,
  name: string,
  count: number,
  images: number,
  side: number,
): Promise<string> {
  for (let person = 0; person < count; person++)
    for (let image = 0; image < images; image++)
      await picture(join(folder, name, `p${person}`, `${image}.png`), side, [name, person, image], person);
  return join(folder, name);
}

/** An embedder of 8x8 faces that has layers to quantize. */
function embedder(seed: number): Uint8Array {
  const stream = random(seed, 'weights');
  const weights = (name: string, ...shape: number[]) => ({
    ...{ name, dtype: 'float32' as const, shape },
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.3 * stream.normal()),
  });
  return encodeModel({
    opset: 17,
    metadata: {
      hypersphere: JSON.stringify({
        ...tinyManifest,
        name: 'small',
        embedding: { length: 16, output: 'y' },
        thresholds: undefined,
      }),
    },
    graph: {
      name: 'small',
      inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 3, 8, 8] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 16] }],
      initializers: [
        weights('conv.weight', 16, 3, 3, 3),
        weights('relu.slope', 16, 1, 1),
        weights('fc.weight', 576, 16),
      ],
      nodes: [
        { opType: 'Conv', inputs: ['x', 'conv.weight'], outputs: ['c'] },
        { opType: 'PRelu', inputs: ['c', 'relu.slope'], outputs: ['p'] },
        { opType: 'Flatten', inputs: ['p'], outputs: ['f'] },
        { opType: 'Gemm', inputs: ['f', 'fc.weight'], outputs: ['y'] },
      ],
    },
  });
}

function checkpoint(seed: number): Uint8Array {
  const scope = new Scope();
  networkNamed('sphereface-4').build(scope, input('images', [1, 3, 32, 32]), { embedding: 8 });
  const stream = random(seed, 'checkpoint');
  const tensors = scope.parameters.map(({ name, shape }): [string, WrittenTensor] => {
    const length = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length }, () => stream.uniform() - 0.5);
    return [`module.${name.replace('slope', 'weight')}`, { shape: [...shape], data }];
  });
  return torchCheckpoint(new Map(tensors), 'state_dict');
}

async function photographs(folder: string): Promise<string> {
  const points = templatePoints(templateNamed('arcface')).map(([x, y]) => [x + 30, y + 20]);
  const lines: string[] = [];
  for (let i = 0; i < 12; i++) {
    await picture(join(folder, 'photographs', `q${i % 4}`, `${i}.png`), 180, ['photographs', i], i);
    lines.push([`q${i % 4}/${i}.png`, ...points.flat()].join('\t'));
  }
  const table = join(folder, 'landmarks.tsv');
  writeFileSync(table, `${lines.join('\n')}\n`);
  return table;
}

function gallery(folder: string): string {
  mkdirSync(join(folder, 'gallery', 'Ann'), { recursive: true });
  copyFileSync(samplePhotographs()[1]!, join(folder, 'gallery', 'Ann', '1.jpg'));
  return join(folder, 'gallery');
}

/** Makes everything below `folder`. */
export async function makeKit(folder: string): Promise<Kit> {
  const at = (name: string, bytes: Uint8Array | string) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const model = embedder(1);
  const crowd = await people(folder, 'crowd', 30, 4, 8);
  const pairs = Array.from({ length: 30 }, (_, p) => [
    `p${p}/0.png,p${p}/1.png,1`,
    `p${p}/0.png,p${(p + 1) % 30}/2.png,0`,
  ]);
  const server = createServer((_, response) => void response.end(model));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    folder,
    faces: await people(folder, 'faces', 6, 6, 32),
    otherFaces: await people(folder, 'other-faces', 6, 6, 32),
    crowd,
    otherCrowd: await people(folder, 'other-crowd', 30, 4, 8),
    landmarks: await photographs(folder),
    photographs: join(folder, 'photographs'),
    portrait: samplePhotographs()[0]!,
    gallery: gallery(folder),
    model: at('small.onnx', model),
    otherModel: at('other.onnx', embedder(2)),
    checkpoint: at('small.pth', checkpoint(1)),
    otherCheckpoint: at('other.pth', checkpoint(2)),
    pairs: at('pairs.csv', `${pairs.flat().join('\n')}\n`),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.onnx`,
    sha256: sha256(model),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
