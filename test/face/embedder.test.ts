// Embedders: the network sees exactly what the manifest says, image and mirror, in any batch; a wrong or missing
// manifest is refused in one sentence.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import {
  type Embedder,
  type EmbedderOptions,
  type Manifest,
  manifestBeside,
  manifestMetadata,
  openEmbedder,
  sameModel,
} from '../../src/face/index.js';
import { encodeModel } from '../../src/lower/onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));

let embedder: Embedder | undefined;
afterEach(async () => {
  await embedder?.close();
  embedder = undefined;
});
const open = async (file: string, options?: EmbedderOptions) => {
  embedder = await openEmbedder(file, options);
  return embedder;
};

const [height, width] = [2, 4];
const length = 3 * height * width;

/** A model whose embedding is its whole input, so that what the network sees can be read off. */
function mirrorOfInput(batch: number | string, metadata?: Record<string, string>): Uint8Array {
  return encodeModel({
    opset: 17,
    ...(metadata && { metadata }),
    graph: {
      name: 'see',
      inputs: [{ name: 'images', dtype: 'float32', shape: [batch, 3, height, width] }],
      outputs: [{ name: 'features', dtype: 'float32', shape: [batch, length] }],
      initializers: [],
      nodes: [{ opType: 'Flatten', inputs: ['images'], outputs: ['features'], attributes: { axis: 1 } }],
    },
  });
}

const manifest: Manifest = {
  format: 'hypersphere-model/1',
  name: 'see',
  input: { name: 'images', width, height, order: 'bgr', mean: 127.5, scale: 1 / 128 },
  crop: 'cover-centre',
  template: 'arcface-112',
  flip: 'concatenate',
  embedding: { length, output: 'features' },
  metric: 'cosine',
  trainedOn: 'nothing',
  licence: 'MIT',
};
let files = 0;
function save(model: Uint8Array, beside?: object): string {
  const stem = join(folder, `model${files++}`);
  writeFileSync(`${stem}.onnx`, model);
  if (beside) writeFileSync(`${stem}.json`, JSON.stringify(beside));
  return `${stem}.onnx`;
}

/** Image k, bytes [2, 4, 3]: all values differ. */
const face = (k: number) => Uint8Array.from({ length }, (_, i) => (k * 40 + i * 5) % 256);

/** The planes [3, 2, 4] of a face by the plain formula. */
function truth(bytes: Uint8Array, mirror: boolean, mean = 127.5, scale = 1 / 128): number[] {
  const out: number[] = [];
  for (let plane = 0; plane < 3; plane++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        out.push((bytes[(y * width + (mirror ? width - 1 - x : x)) * 3 + plane]! - mean) * scale);
  return out;
}
const close = (got: ArrayLike<number>, wanted: number[]) => {
  expect(got.length).toBe(wanted.length);
  wanted.forEach((value, i) => {
    expect(got[i]).toBeCloseTo(value, 4);
  });
};

describe('what the network sees', () => {
  test.each([
    ['a free batch', 'N', 2],
    ['a free batch larger than the set', 'N', 32],
    ['a fixed batch of 1', 1, 2],
    ['a fixed batch that does not divide the set', 3, 2],
  ])('is the image and its mirror by mean and scale, with %s', async (_, axis, batch) => {
    const file = save(mirrorOfInput(axis, manifestMetadata(manifest)));
    const faces = [0, 1, 2, 3, 4].map(face);
    const progress: number[][] = [];
    const see = await open(file, { batch });
    const both = await see.both(faces, { onProgress: (...at) => progress.push(at) });
    expect(both.length).toBe(length);
    close(
      both.original,
      faces.flatMap((f) => truth(f, false)),
    );
    close(
      both.mirrored,
      faces.flatMap((f) => truth(f, true)),
    );
    expect(progress.at(-1)).toEqual([5, 5]);
  });

  test('is joined as the manifest says', async () => {
    const file = save(mirrorOfInput('N', manifestMetadata(manifest)));
    const faces = [face(1), face(2)];
    const plain = faces.map((f) => truth(f, false));
    const mirrored = faces.map((f) => truth(f, true));
    const wanted = {
      concatenate: plain.flatMap((p, i) => [...p, ...mirrored[i]!]),
      sum: plain.flatMap((p, i) => p.map((v, d) => v + mirrored[i]![d]!)),
      none: plain.flat(),
    };
    for (const flip of ['concatenate', 'sum', 'none'] as const) {
      const see = await open(file, { manifest: { flip } });
      close(await see.embed(faces), wanted[flip]);
      expect(see.length).toBe(wanted[flip].length / 2);
      await see.close();
    }
  });

  test('may have a mean and a scale of each plane', async () => {
    const file = save(mirrorOfInput(1));
    const see = await open(file, {
      manifest: { input: { order: 'rgb', mean: [0, 1, 2], scale: [1, 2, 3] } },
    });
    const seen = await see.embed([new Uint8Array(length).fill(10)]);
    expect([seen[0], seen[8], seen[16]]).toEqual([10, 18, 24]);
    expect(see.manifest.flip).toBe('none');
  });

  test('comes from files in the order of the colour planes, streamed in batches', async () => {
    const paths: string[] = [];
    for (let k = 0; k < 7; k++) {
      const path = join(folder, `${k}.png`);
      await sharp(face(k), { raw: { width, height, channels: 3 } })
        .png()
        .toFile(path);
      paths.push(path);
    }
    const rgb = { ...manifest, input: { ...manifest.input, order: 'rgb' as const }, flip: 'none' as const };
    const see = await open(save(mirrorOfInput('N', manifestMetadata(rgb))), { batch: 2 });
    close(
      await see.embed(paths),
      [0, 1, 2, 3, 4, 5, 6].flatMap((k) => truth(face(k), false)),
    );
    await see.close();
    const bgr = await open(save(mirrorOfInput('N', manifestMetadata(manifest))));
    const { original } = await bgr.both(paths.slice(0, 1));
    expect(original[0]).toBeCloseTo((face(0)[2]! - 127.5) / 128, 5);
  });

  test('leaves an unreadable image out where that is wished, and names it where not', async () => {
    const good = join(folder, 'good.png');
    await sharp(face(3), { raw: { width, height, channels: 3 } })
      .png()
      .toFile(good);
    const bad = join(folder, 'bad.jpg');
    writeFileSync(bad, 'no picture');
    const see = await open(save(mirrorOfInput('N', manifestMetadata({ ...manifest, flip: 'none' }))));
    await expect(see.embed([good, bad])).rejects.toThrow(/bad\.jpg/);
    await expect(see.embed([good, join(folder, 'absent.jpg')])).rejects.toThrow(/absent\.jpg: no such file/);
    const unreadable: number[] = [];
    const seen = await see.embed([bad, good], { onUnreadable: (index) => unreadable.push(index) });
    expect(unreadable).toEqual([0]);
    expect(seen.slice(0, length).every((v) => v === 0)).toBe(true);
    expect(seen.slice(length).some((v) => v !== 0)).toBe(true);
  });
});

describe('manifests', () => {
  const input = { order: 'rgb', mean: 0, scale: 1 } as const;

  test('lie in the metadata, or beside the model, or are given', async () => {
    const carrying = mirrorOfInput('N', manifestMetadata(manifest));
    expect((await open(save(carrying))).manifest).toEqual(manifestBeside(manifest, carrying));
    await embedder?.close();
    const model = mirrorOfInput('N');
    const beside = await open(save(model, manifestBeside(manifest, model)));
    expect(beside.manifest).toMatchObject(manifest);
    await embedder?.close();
    const file = join(folder, 'given.json');
    writeFileSync(file, JSON.stringify(manifest));
    expect((await open(save(model), { manifest: file })).manifest).toEqual(manifestBeside(manifest, model));
  });

  test('two files of one manifest are two models', async () => {
    const files = [
      mirrorOfInput('N', manifestMetadata(manifest)),
      mirrorOfInput(2, manifestMetadata(manifest)),
    ];
    const manifests: Manifest[] = [];
    for (const model of [...files, files[0]!]) {
      manifests.push((await open(save(model))).manifest);
      await embedder?.close();
    }
    expect(sameModel(manifests[0]!, manifests[2]!)).toBe(true);
    expect(sameModel(manifests[0]!, manifests[1]!)).toBe(false);
  });

  test.each([
    [
      'nothing is known',
      undefined,
      undefined,
      /does not say how its input is prepared: give --order.*--mean.*--scale NUMBER, or --manifest FILE$/,
    ],
    [
      'something is left out',
      undefined,
      { input: { order: 'rgb' as const, mean: 0 } },
      /give --scale NUMBER, or/,
    ],
    [
      'the order is nonsense',
      { ...manifest, input: { ...manifest.input, order: 'grb' } },
      undefined,
      /wrong at 'input.order'/,
    ],
    [
      'the format is of another version',
      { ...manifest, format: 'hypersphere-model/9' },
      undefined,
      /wrong at 'format'/,
    ],
    ['the scale is 0', undefined, { input: { ...input, scale: 0 } }, /wrong at 'input.scale': must not be 0/],
    [
      'it contradicts the graph',
      manifest,
      { input: { width: 5 } },
      /input width is 4 in the graph but 5 in the manifest/,
    ],
    [
      'it names another output',
      { ...manifest, embedding: { length, output: 'fc1' } },
      undefined,
      /output name is features/,
    ],
    [
      'the one beside is of another file',
      { ...manifest, sha256: '0'.repeat(64) },
      undefined,
      /belongs to another file/,
    ],
  ])('are refused when %s', async (_, beside, overrides, message) => {
    const error = await open(save(mirrorOfInput('N'), beside), { manifest: overrides }).catch(
      (e: Error) => e,
    );
    expect((error as Error).name).toBe('UserError');
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain('\n');
  });

  test('a broken manifest, a missing one and a model that is no embedder are named', async () => {
    const broken = save(mirrorOfInput('N', { hypersphere: '{' }));
    await expect(open(broken)).rejects.toThrow(/metadata 'hypersphere'\): not JSON/);
    await expect(open(broken, { manifest: join(folder, 'absent.json') })).rejects.toThrow(
      /absent\.json: no such file/,
    );
    await expect(open(join(folder, 'absent.onnx'))).rejects.toThrow(/absent\.onnx: no such file/);
    const empty = join(folder, 'empty.onnx');
    writeFileSync(empty, '');
    await expect(open(empty)).rejects.toThrow(/empty\.onnx: the file is empty/);
    const value = (name: string) => ({ name, dtype: 'float32' as const, shape: [2] });
    const nodes = [{ opType: 'Neg', inputs: ['x'], outputs: ['y'] }];
    const graph = { name: 'g', inputs: [value('x')], outputs: [value('y')], initializers: [], nodes };
    await expect(open(save(encodeModel({ opset: 17, graph })))).rejects.toThrow(
      /one input of colour planes.*x \[2\]/,
    );
  });
});
