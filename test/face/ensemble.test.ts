// Ensembles: every member sees its own patch in its own channel order, and their cosines are averaged.
import { afterEach, describe, expect, test } from 'vitest';
import { patchNamed, patchTemplate } from '../../src/face/align/patch.js';
import { templateNamed, templatePoints } from '../../src/face/align/template.js';
import { Ensemble } from '../../src/face/embed/ensemble.js';
import {
  alignFace,
  type Embedder,
  type Manifest,
  manifestMetadata,
  openEmbedder,
} from '../../src/face/index.js';
import { encodeModel } from '../../src/lower/onnx.js';
import { waves } from './align/pictures.js';

const SIZE = 14;
const length = 3 * SIZE * SIZE;

/** A model whose embedding is its whole input. */
function seeing(template: string, order: 'rgb' | 'bgr', flip: Manifest['flip'] = 'none'): Uint8Array {
  const manifest: Manifest = {
    ...{ format: 'hypersphere-model/1', name: `sees ${template}`, crop: 'cover-centre', metric: 'cosine' },
    input: { name: 'images', width: SIZE, height: SIZE, order, mean: 100, scale: 1 / 64 },
    ...{ template, flip, embedding: { length, output: 'features' }, trainedOn: 'nothing', licence: 'MIT' },
  };
  return encodeModel({
    opset: 17,
    metadata: manifestMetadata(manifest),
    graph: {
      name: 'see',
      inputs: [{ name: 'images', dtype: 'float32', shape: ['N', 3, SIZE, SIZE] }],
      outputs: [{ name: 'features', dtype: 'float32', shape: ['N', length] }],
      initializers: [],
      nodes: [{ opType: 'Flatten', inputs: ['images'], outputs: ['features'], attributes: { axis: 1 } }],
    },
  });
}

let open: Embedder[] = [];
afterEach(async () => {
  for (const embedder of open) await embedder.close();
  open = [];
});
async function member(...of: Parameters<typeof seeing>): Promise<Embedder> {
  const embedder = await openEmbedder({ name: of[0], bytes: seeing(...of) });
  open.push(embedder);
  return embedder;
}

const arcface = templateNamed('arcface');
const faces = [0, 1].map((turn) => ({
  photograph: { width: 150, height: 140, pixels: waves(140, 150), scale: 1 },
  landmarks: templatePoints(arcface).map(([x, y]) => [x + 20 - turn * 9, y + 10 + turn * x * 0.1]) as never,
}));
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const row = (all: Float32Array, i: number, n: number) => all.subarray(i * n, (i + 1) * n);

describe('an ensemble', () => {
  test('joins the unit embeddings of its members, each of its own patch', async () => {
    const members = [
      await member('arcface-112@0', 'rgb'),
      await member('arcface-112/upper@0', 'bgr', 'concatenate'),
      await member('sphereface-112x96/lower@1', 'rgb', 'sum'),
    ];
    const ensemble = new Ensemble(members);
    expect(ensemble.length).toBe(4 * length);
    const joined = await ensemble.embed(faces);
    expect(joined).toHaveLength(2 * ensemble.length);
    const [first, second] = [row(joined, 0, ensemble.length), row(joined, 1, ensemble.length)];
    expect(dot(first, first)).toBeCloseTo(1, 5);

    // The mean of the members' own cosines.
    let cosines = 0;
    for (const [m, embedder] of members.entries()) {
      const inputs = faces.map(({ photograph, landmarks }) => {
        const aligned = alignFace(photograph, landmarks, ensemble.templates[m]!);
        if (embedder.manifest.input.order === 'rgb') return aligned;
        return aligned.map((_, i) => aligned[i - (i % 3) + (2 - (i % 3))]!);
      });
      const all = await embedder.embed(inputs);
      const [a, b] = [row(all, 0, embedder.length), row(all, 1, embedder.length)];
      cosines += dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    }
    expect(dot(first, second)).toBeCloseTo(cosines / 3, 5);
  });

  test('of one network sees what that network’s patch shows', async () => {
    const ensemble = new Ensemble([await member('arcface-112/left@0', 'rgb')]);
    const [{ photograph, landmarks }] = faces as [(typeof faces)[0]];
    const embedding = await ensemble.embed([{ photograph, landmarks }]);
    const template = patchTemplate(arcface, patchNamed('left'), { width: SIZE, height: SIZE });
    const pixels = alignFace(photograph, landmarks, template);
    const seen = Float32Array.from({ length }, (_, i) => {
      const [plane, at] = [Math.floor(i / SIZE / SIZE), i % (SIZE * SIZE)];
      return (pixels[at * 3 + plane]! - 100) / 64;
    });
    const norm = Math.sqrt(dot(seen, seen));
    for (let i = 0; i < length; i++) expect(embedding[i]).toBeCloseTo(seen[i]! / norm, 4);
  });

  test('gives nothing for nothing', async () => {
    const ensemble = new Ensemble([await member('arcface-112@0', 'rgb')]);
    expect(await ensemble.embed([])).toHaveLength(0);
  });

  test('needs members that say how their faces are aligned', async () => {
    expect(() => new Ensemble([])).toThrow('an ensemble has at least one model');
    const unknown = await member('not stated', 'rgb');
    expect(() => new Ensemble([unknown])).toThrow(/does not say how its faces are aligned/);
  });
});
