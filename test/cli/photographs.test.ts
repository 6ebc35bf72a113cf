// From photographs to answers at the command line, on the samples of the npm package of the built-in networks: who is
// found, who is the same, who is unknown; and every kind of bad file and flag, each of which costs one line.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../src/data/index.js';
import type { Box, Detection, Manifest } from '../../src/face/index.js';
import { manifestMetadata, samplePhotographs } from '../../src/face/index.js';
import { encodeModel } from '../../src/lower/onnx.js';
import { write } from '../data/pictures.js';
import { jpegOfSize, png, turbulence } from '../support/hostile-images.js';
import { type Finished, hypersphere } from './hypersphere.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-photographs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...parts: string[]) => join(folder, ...parts);
const samples = samplePhotographs();
const one = ['--threads', '1'];

interface Seen extends Detection {
  person?: string | null;
  decision?: string;
  reasons?: { code: string }[];
  similarity?: number;
  candidates?: { person: string; similarity: number }[];
}
interface Answer {
  ignored: { path: string; kind: string }[];
  images: {
    path: string;
    turned: number;
    width: number;
    height: number;
    faces?: Seen[];
    problem?: string;
    drawn?: string;
  }[];
  people: number;
  falsePositiveRate: number;
  skipped: { path: string; reason: string }[];
}
const answer = ({ stdout }: Finished): Answer => JSON.parse(stdout);
/** A mistake is one line on standard error, without a trace of where it came from. */
function expectLine({ stdout, stderr, code }: Finished, line: RegExp, wanted = 3) {
  expect(stderr).toMatch(line);
  expect(stderr).not.toMatch(/\n\s+at |HYPERSPHERE_DEBUG|undefined|\[object/);
  expect(stdout).toBe('');
  expect(code).toBe(wanted);
}

/** The faces of the first sample, from left to right, and each cut out with some of what is around it. */
let faces: Seen[] = [];
const crop = (i: number) => at('crops', `${i}.png`);
let all: Finished;

beforeAll(async () => {
  all = await hypersphere('detect', ...samples, '--json', '--draw', at('drawn'), ...one);
  faces = [...answer(all).images[0]!.faces!].sort((a, b) => a.box.x - b.box.x);
  mkdirSync(at('crops'));
  for (const [i, { box }] of faces.entries()) await cut(samples[0]!, box).png().toFile(crop(i));
});

function cut(path: string, { x, y, width, height }: Box) {
  const margin = 0.5 * width;
  const [left, top] = [Math.round(x - margin), Math.round(y - margin)];
  return sharp(path).extract({
    ...{ left: Math.max(0, left), top: Math.max(0, top) },
    width: Math.round(width + 2 * margin),
    height: Math.round(height + 2 * margin),
  });
}
/** Nearly the same box, in pixels. */
function expectNear(a: Box, b: Box, within: number) {
  for (const edge of ['x', 'y', 'width', 'height'] as const)
    expect(Math.abs(a[edge] - b[edge])).toBeLessThan(within);
}

describe('detect', () => {
  test('finds the 22 faces of the samples, 3 in the first, and draws them beside no original', async () => {
    expect(all.code).toBe(0);
    const { images, ...about } = answer(all);
    expect(about).toEqual({ detector: 'face-api', threshold: 0.5, ignored: [] });
    expect(images.map(({ faces }) => faces!.length)).toEqual([3, 3, 3, 4, 5, 4]);
    expect(images[0]).toMatchObject({ path: samples[0], width: 1920, height: 1280 });
    for (const { faces, width, height, drawn } of images) {
      for (const { box, score, landmarks } of faces!) {
        expect(score).toBeGreaterThan(0.5);
        const [left, right, nose, mouthLeft, mouthRight] = landmarks;
        // Left is left as seen, the eyes are above the mouth, and all lies within the photograph.
        expect(left[0]).toBeLessThan(right[0]);
        expect(mouthLeft[0]).toBeLessThan(mouthRight[0]);
        expect(nose[1]).toBeLessThan(Math.max(mouthLeft[1], mouthRight[1]));
        expect((left[1] + right[1]) / 2).toBeLessThan((mouthLeft[1] + mouthRight[1]) / 2);
        expect(box.x + box.width).toBeLessThanOrEqual(width);
        expect(box.y + box.height).toBeLessThanOrEqual(height);
      }
      const size = await sharp(drawn!).metadata();
      expect([size.width, size.height]).toEqual([width, height]);
    }
    expect(readdirSync(at('drawn')).sort()).toEqual([1, 2, 3, 4, 5, 6].map((i) => `sample${i}.faces.jpg`));
  });

  test('gives what every kind of file shows, and one line for each that shows nothing', async () => {
    const kinds = at('kinds');
    const bytes = readFileSync(samples[0]!);
    const small = () => sharp(samples[0]!).resize({ width: 960 });
    write(join(kinds, 'a-good.jpg'), bytes);
    write(join(kinds, 'alpha.png'), await small().ensureAlpha(0.9).png({ compressionLevel: 1 }).toBuffer());
    write(join(kinds, 'cmyk.jpg'), await sharp(samples[0]!).toColourspace('cmyk').jpeg().toBuffer());
    write(join(kinds, 'cut.jpg'), bytes.subarray(0, bytes.length / 2));
    write(join(kinds, 'deep', 'er', 'grey.webp'), await small().greyscale().webp().toBuffer());
    write(
      join(kinds, 'deep16.png'),
      await small().toColourspace('rgb16').png({ compressionLevel: 1 }).toBuffer(),
    );
    write(join(kinds, 'empty.jpg'), '');
    const side = sharp(samples[0]!).rotate(90).withMetadata({ orientation: 8 });
    write(join(kinds, 'side.jpg'), await side.jpeg({ quality: 95 }).toBuffer());
    const dot = sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } });
    write(join(kinds, 'dot.png'), await dot.png().toBuffer());
    write(
      join(kinds, 'line.png'),
      await dot.resize({ width: 3000, height: 1, fit: 'fill' }).png().toBuffer(),
    );
    write(join(kinds, 'text.jpg'), 'not an image');
    write(join(kinds, 'drawing.jpg'), turbulence());
    write(join(kinds, 'huge.png'), png(15_269_928, 40));
    const even = sharp({ create: { width: 64, height: 64, channels: 3, background: '#808080' } });
    const progressive = await even.jpeg({ progressive: true }).toBuffer();
    write(join(kinds, 'size.jpg'), jpegOfSize(progressive, 65_500, 15_200));
    if (process.platform !== 'win32') execFileSync('mkfifo', [join(kinds, 'pipe.jpg')]);
    write(join(kinds, 'notes.txt'), 'passed over');
    mkdirSync(join(kinds, 'folder.jpg'));

    const missing = at('missing.jpg');
    const { code, stdout, stderr } = await hypersphere('detect', kinds, missing, '--json', ...one);
    expect(code).toBe(0);
    const found = Object.fromEntries(
      (JSON.parse(stdout) as Answer).images.map((image) => [image.path.slice(kinds.length + 1), image]),
    );
    const good = { 'a-good.jpg': 1, 'alpha.png': 2, 'cmyk.jpg': 1, 'side.jpg': 1, 'deep16.png': 2 };
    for (const [name, shrink] of Object.entries({ ...good, 'deep/er/grey.webp': 2 })) {
      const image = found[name]!;
      expect([image.width, image.height]).toEqual([1920 / shrink, 1280 / shrink]);
      const sorted = [...image.faces!].sort((a, b) => a.box.x - b.box.x);
      expect(sorted).toHaveLength(3);
      for (const [i, { box }] of sorted.entries()) {
        const { x, y, width, height } = box;
        const full = { x: x * shrink, y: y * shrink, width: width * shrink, height: height * shrink };
        expectNear(full, faces[i]!.box, name === 'side.jpg' ? 4 : 16);
      }
    }
    expect(found['dot.png']!.faces).toEqual([]);
    const bad = {
      'cut.jpg': 'is cut off or damaged',
      'empty.jpg': 'the file is empty',
      'text.jpg': 'is a text file, which is not read',
      'line.png': '3000x1 pixels: a side of',
      'drawing.jpg': 'is an SVG drawing, which is not read',
      'huge.png': 'is cut off or damaged: its data are too short for 15269928x40 pixels',
      'size.jpg': 'is cut off or damaged: its data are too short for 65500x15200 pixels',
      ...(process.platform !== 'win32' && { 'pipe.jpg': 'is not a regular file' }),
    };
    for (const [name, why] of Object.entries(bad)) {
      expect(found[name]!.problem).toContain(`${join(kinds, name)}: ${why}`);
      expect(stderr.split('\n').filter((line) => line.includes(name))).toHaveLength(1);
    }
    expect(stderr).toContain(`${missing}: no such file`);
    expect(Object.keys(found).sort()).toEqual(
      [
        ...Object.keys(good),
        'deep/er/grey.webp',
        'dot.png',
        ...Object.keys(bad),
        missing.slice(kinds.length + 1),
      ].sort(),
    );
  });

  test('never draws over a photograph, and says of one without a face that it has none', async () => {
    const mine = at('mine');
    const flat = await sharp({ create: { width: 60, height: 40, channels: 3, background: 'blue' } })
      .jpeg()
      .toBuffer();
    write(join(mine, 'a.jpg'), flat);
    write(join(mine, 'b', 'a.jpg'), flat);
    const { code, stdout } = await hypersphere('detect', mine, '--draw', mine, ...one);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /a\.jpg {2}60x40: no face, drawn in .*a\.faces\.jpg\n.*no face, drawn in .*a-2\.faces\.jpg\n$/,
    );
    expect(readFileSync(join(mine, 'a.jpg'))).toEqual(flat);
    expect(readFileSync(join(mine, 'b', 'a.jpg'))).toEqual(flat);
  });

  test('of nothing that can be read ends with exit code 3, and with --json still answers', async () => {
    write(at('broken', 'a.jpg'), '');
    write(at('broken', 'b.jpg'), 'x');
    expectLine(await hypersphere('detect', at('broken')), /none of the 2 files is a photograph/);
    const { code, stdout } = await hypersphere('detect', at('broken'), '--json');
    expect(code).toBe(3);
    expect((JSON.parse(stdout) as Answer).images.map(({ problem }) => typeof problem)).toEqual([
      'string',
      'string',
    ]);
    expectLine(await hypersphere('detect', at('broken', 'a.jpg')), /^.*a\.jpg: the file is empty\n$/);
  });

  test('of a folder without images, or drawn into a file, is one line', async () => {
    mkdirSync(at('nothing'));
    expectLine(await hypersphere('detect', at('nothing')), /^hypersphere: .*nothing: there is no image \(/);
    const into = await hypersphere('detect', crop(0), '--draw', crop(0));
    expectLine(into, /is a file, and a folder is needed; name another with --draw\n$/);
  });
});

describe('verify', () => {
  test('a cropped, smaller and darker copy of a face is the same person; someone else is not', async () => {
    const copy = at('copy.jpg');
    await sharp(crop(0)).resize({ width: 200 }).modulate({ brightness: 0.75 }).jpeg().toFile(copy);
    const same = await hypersphere('verify', crop(0), copy, '--json', ...one);
    const other = await hypersphere('verify', crop(0), crop(1), '--json', ...one);
    for (const { code } of [same, other]) expect(code).toBe(0);
    const [yes, no] = [same, other].map(({ stdout }) => JSON.parse(stdout));
    expect(yes).toMatchObject({ decision: 'same', reasons: [] });
    expect(no).toMatchObject({ decision: 'different', reasons: [] });
    expect(yes).toMatchObject({ same: true, fmr: 0.001, model: 'dlib-resnet-128', detector: 'face-api' });
    expect(no).toMatchObject({ same: false, threshold: yes.threshold });
    for (const { similarity, angle, threshold, same, faces } of [yes, no]) {
      expect(Math.cos((angle * Math.PI) / 180)).toBeCloseTo(similarity, 9);
      expect(same).toBe(similarity >= threshold);
      for (const face of faces)
        expect(Object.keys(face)).toEqual(['path', 'turned', 'box', 'score', 'landmarks', 'quality']);
    }
  });

  test('of several faces takes the one that is meant, and says so', async () => {
    const { code, stdout, stderr } = await hypersphere('verify', samples[0]!, crop(2), ...one);
    expect(code).toBe(0);
    expect(stderr).toMatch(/sample1\.jpg: 3 faces; taken is the largest \(--face chooses\)/);
    // The largest face of the first sample is the rightmost.
    expect(stdout).toMatch(
      /^the same person: similarity (1\.000|0\.99\d), at least the threshold of 0\.\d{3} \(0\.001 of pairs of different people reach it, measured on /,
    );
  });

  test.each([90, 180, 270])(
    'a photograph turned by %i degrees shows who it shows upright',
    async (turned) => {
      const side = at(`turned-${turned}.png`);
      const { info } = await sharp(crop(0)).rotate(turned).toBuffer({ resolveWithObject: true });
      await sharp(crop(0)).rotate(turned).toFile(side);
      const [plain, json] = [
        await hypersphere('verify', crop(0), side, ...one),
        await hypersphere('detect', side, '--json', ...one),
      ];
      expect(plain.stdout).toMatch(/^the same person: similarity (1\.000|0\.99\d)/);
      expect(plain.stdout).toContain(`${side}: turned by ${turned} degrees`);
      const [image] = answer(json).images;
      expect(image).toMatchObject({ turned, width: info.width, height: info.height });
      // In pixels of the photograph as it is: the eyes of somebody on their side are one above the other.
      const [left, right] = image!.faces![0]!.landmarks;
      const [across, down] = [right[0] - left[0], right[1] - left[1]];
      const towards = { 90: down, 180: -across, 270: -down }[turned]!;
      expect(towards).toBeGreaterThan(0.8 * Math.hypot(across, down));
    },
  );

  test('of a face that is too small nothing can be told, unless it is asked for', async () => {
    const tiny = at('tiny.png');
    await sharp(crop(0)).resize({ width: 47 }).toFile(tiny);
    const { code, stdout } = await hypersphere('verify', crop(0), tiny, ...one);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^cannot tell: .*tiny\.png: only \d+ pixels between the eyes \(at least 12 are needed\) \(similarity 0\.\d+, threshold 0\.936; --any-quality decides nevertheless\)\n/,
    );
    const json = JSON.parse((await hypersphere('verify', crop(0), tiny, '--json', ...one)).stdout);
    expect(json).toMatchObject({
      decision: 'unknown',
      same: false,
      reasons: [{ path: tiny, code: 'small' }],
    });
    for (const flags of [['--any-quality'], ['--min-eyes', '1', '--json']]) {
      const forced = await hypersphere('verify', crop(0), tiny, ...flags, ...one);
      expect(forced.stdout).not.toMatch(/only \d+ pixels between the eyes \(at least/);
    }
    const both = await hypersphere('verify', crop(0), tiny, '--any-quality', '--min-eyes', '1');
    expectLine(both, /'--any-quality' cannot be used with option '--min-eyes/, 2);
  });

  test('without a face, or without a photograph, is one line', async () => {
    const flat = at('flat.png');
    await sharp({ create: { width: 50, height: 50, channels: 3, background: 'grey' } }).toFile(flat);
    expectLine(
      await hypersphere('verify', crop(0), flat, ...one),
      /^hypersphere: .*flat\.png: no face found \(by face-api, with a score of at least 0\.5\); try --score lower, or another --detector\n$/,
    );
    expectLine(await hypersphere('verify', crop(0), folder, ...one), /^hypersphere: .*: is a folder/);
  });

  test('a cache that cannot be written is done without', async () => {
    const file = write(at('in the way'), 'x');
    const before = process.env.HYPERSPHERE_CACHE;
    process.env.HYPERSPHERE_CACHE = join(file, 'cache');
    try {
      const { code, stdout } = await hypersphere('verify', crop(0), crop(0), ...one);
      expect([code, stdout.slice(0, 15)]).toEqual([0, 'the same person']);
    } finally {
      if (before === undefined) delete process.env.HYPERSPHERE_CACHE;
      else process.env.HYPERSPHERE_CACHE = before;
    }
  });
});

/** A model whose embedding is its input, which is made for nothing but to be opened. */
function model(name: string, more: Partial<Manifest>): string {
  const manifest: Manifest = {
    ...{ format: 'hypersphere-model/1', name, crop: 'cover-centre', metric: 'cosine', flip: 'none' },
    input: { name: 'images', width: 14, height: 14, order: 'rgb', mean: 127.5, scale: 1 / 128 },
    ...{ template: 'not stated', embedding: { length: 588, output: 'features' } },
    ...{ trainedOn: 'nothing', licence: 'MIT', ...more },
  };
  const bytes = encodeModel({
    opset: 17,
    metadata: manifestMetadata(manifest),
    graph: {
      name: 'see',
      inputs: [{ name: 'images', dtype: 'float32', shape: ['N', 3, 14, 14] }],
      outputs: [{ name: 'features', dtype: 'float32', shape: ['N', 588] }],
      initializers: [],
      nodes: [{ opType: 'Flatten', inputs: ['images'], outputs: ['features'], attributes: { axis: 1 } }],
    },
  });
  return write(at('models', `${name}.onnx`), bytes);
}

describe('a model of your own', () => {
  test('that does not say how its faces are aligned is refused until it is told', async () => {
    const file = model('plain', {});
    const verify = (...more: string[]) =>
      hypersphere('verify', crop(0), crop(0), '--model', file, ...one, ...more);
    expectLine(
      await verify('--threshold', '0.5'),
      /plain does not say how its faces are aligned .*--template sphereface/,
    );
    expectLine(
      await verify('--template', 'arcface'),
      /plain does not state .*; give --threshold T \(a cosine\)\n$/,
    );
    const told = await verify('--template', 'arcface', '--threshold', '0.5');
    expect(told.stdout).toMatch(/^the same person: similarity 1\.000, at least the threshold of 0\.500\n/);
  });

  test('with another template than it was measured with has no threshold', async () => {
    const wrong = await hypersphere('verify', crop(0), crop(0), '--template', 'arcface', ...one);
    expectLine(wrong, /dlib-resnet-128 does not state .* faces prepared like these/);
  });
});

describe('identify', () => {
  const gallery = at('gallery');
  beforeAll(async () => {
    write(join(gallery, 'ann', '1.png'), readFileSync(crop(0)));
    await cut(samples[0]!, faces[0]!.box)
      .flop()
      .toFile(join(gallery, 'ann', '2.png'));
    write(join(gallery, 'bob', '1.png'), readFileSync(crop(1)));
    write(join(gallery, 'bob', 'cut.png'), readFileSync(crop(1)).subarray(0, 3000));
    await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } }).toFile(at('red.png'));
    write(join(gallery, 'nobody', '1.png'), readFileSync(at('red.png')));
  });

  test('names who is known, calls a stranger unknown, and loses nothing to bad files', async () => {
    const images = [samples[0]!, at('red.png'), join(gallery, 'bob', 'cut.png')];
    const { code, stdout, stderr } = await hypersphere(
      'identify',
      '--gallery',
      gallery,
      ...images,
      '--json',
      ...one,
    );
    expect(code).toBe(0);
    const { people, falsePositiveRate, skipped, images: found } = JSON.parse(stdout) as Answer;
    expect(people).toBe(2);
    // Ann has two photographs, Bob one that can be used: three comparisons.
    expect(falsePositiveRate).toBeCloseTo(1 - 0.999 ** 3, 12);
    expect(skipped.map(({ path }) => path)).toEqual([
      join(gallery, 'bob', 'cut.png'),
      join(gallery, 'nobody', '1.png'),
    ]);
    for (const { path, reason } of skipped) expect(stderr).toContain(`skipped ${path}: ${reason}`);
    expect(stderr).toContain('nobody: not enrolled');
    const [first, second, third] = found;
    const sorted = [...first!.faces!].sort((a, b) => a.box.x - b.box.x);
    expect(sorted.map(({ person }) => person)).toEqual(['ann', 'bob', null]);
    for (const { candidates, similarity } of sorted) {
      expect(candidates).toHaveLength(2);
      expect(candidates![0]!.similarity).toBe(similarity);
      expect(candidates![1]!.similarity).toBeLessThan(similarity!);
    }
    expect(second!.faces).toEqual([]);
    expect(third!.problem).toMatch(/cut\.png: is cut off or damaged/);
  });

  test('finds a person once in a photograph, or as often as is asked for', async () => {
    const twice = at('twice.png');
    const { width, height } = await sharp(crop(0)).metadata();
    await sharp({ create: { width: 2 * width, height, channels: 3, background: 'black' } })
      .composite([
        { input: readFileSync(crop(0)), left: 0, top: 0 },
        { input: await sharp(crop(0)).blur(1.2).flop().png().toBuffer(), left: width, top: 0 },
      ])
      .png()
      .toFile(twice);
    const identify = async (...more: string[]) =>
      answer(await hypersphere('identify', '--gallery', gallery, twice, '--json', ...one, ...more));
    const once = (await identify()).images[0]!.faces!.sort((a, b) => a.box.x - b.box.x);
    const decided = once.map(({ decision }) => decision).sort();
    expect(decided).toEqual(['same', 'unknown']);
    const left = once.find(({ decision }) => decision === 'unknown')!;
    expect(left).toMatchObject({ person: null, reasons: [{ code: 'repeated' }] });
    expect(left.candidates![0]!.person).toBe('ann');
    const often = (await identify('--allow-repeats')).images[0]!.faces!;
    expect(often.map(({ person }) => person)).toEqual(['ann', 'ann']);
    const { stdout } = await hypersphere('identify', '--gallery', gallery, twice, ...one);
    expect(stdout).toMatch(/unknown .*cannot tell: ann is another face of this photograph\)/);
  });

  test('names what it passes over, in the gallery and among the photographs', async () => {
    const people = at('people');
    write(join(people, 'ann', '1.png'), readFileSync(crop(0)));
    write(join(people, 'ann', 'list.txt'), 'x');
    write(join(people, 'cy', '1.heic'), 'x');
    mkdirSync(join(people, 'eve'));
    const photos = at('photos');
    write(join(photos, 'a.png'), readFileSync(crop(0)));
    write(join(photos, 'b.HEIC'), 'x');
    const { code, stdout, stderr } = await hypersphere(
      ...['identify', '--gallery', people, photos, '--json', ...one],
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^ignored: 2 HEIC \(not read; convert to JPEG.*1\.heic, .*b\.HEIC; 2 empty person folders: .*cy, .*eve; 1 text file: .*list\.txt$/m,
    );
    expect((JSON.parse(stdout) as Answer).ignored.map(({ kind }) => kind).sort()).toEqual([
      ...['empty-person', 'empty-person', 'heic', 'heic', 'text'],
    ]);
  });

  test('knows the same people from their embeddings, and refuses those of another model', async () => {
    const file = at('gallery.safetensors');
    const embed = await hypersphere(
      'embed',
      '--photographs',
      '--data',
      gallery,
      '--out',
      file,
      '--json',
      ...one,
    );
    expect(embed.code).toBe(0);
    expect(JSON.parse(embed.stdout)).toMatchObject({ images: 3, length: 128 });
    const identify = (...more: string[]) =>
      hypersphere('identify', '--gallery', file, samples[0]!, ...one, ...more);
    const { code, stdout } = await identify();
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^2 people enrolled with 3 photographs; threshold 0\.\d{3}: a stranger is taken for one of them about 0\.3 % of the time\n/,
    );
    expect(stdout).toMatch(/\n {2}ann [01]\.\d{3} {2}\(face at \d+,\d+; then bob 0\.\d{3}/);
    expect(stdout).toMatch(/\n {2}bob [01]\.\d{3} {2}\(/);
    expect(stdout).toMatch(/\n {2}unknown {2}\(face at \d+,\d+; nearest /);

    const other = await identify('--model', model('other', { template: 'arcface-112' }), '--threshold', '.5');
    expectLine(other, /its embeddings are of the model dlib-resnet-128, not other; give the same --model/);
    const turned = await identify('--flip', 'none', '--threshold', '.5');
    expectLine(
      turned,
      /its embeddings are of images and mirrors joined as sum, not none; give the same --model and flags/,
    );
    // Without a note of the model at all, the length still tells.
    const { tensors } = readSafetensors(readFileSync(file));
    const { images } = JSON.parse(Buffer.from(tensors.get('list')!.data as Uint8Array).toString());
    tensors.delete('list');
    writeFileSync(file, writeSafetensors(tensors));
    writeFileSync(`${file}.json`, JSON.stringify({ images }));
    expect((await identify()).code).toBe(0);
    const longer = await identify('--model', at('models', 'other.onnx'), '--threshold', '.5');
    expectLine(longer, /its embeddings have 128 numbers, those of other 588/);
    writeFileSync(
      `${file}.json`,
      JSON.stringify({ images: images.map((image: object) => ({ ...image, person: null })) }),
    );
    expectLine(await identify(), /none of its rows names a person/);
  });

  test('a gallery of one person is enough; one of nobody is not', async () => {
    write(at('single', 'ann', '1.png'), readFileSync(crop(0)));
    const { stdout } = await hypersphere('identify', '--gallery', at('single'), crop(1), ...one);
    expect(stdout).toMatch(
      /^1 person enrolled; .*\n.*\n {2}unknown {2}\(face at \d+,\d+; nearest ann 0\.\d+/,
    );
    mkdirSync(at('vacant'));
    write(at('faceless', 'ann', '1.png'), readFileSync(at('red.png')));
    for (const [source, line] of [
      ['vacant', /vacant: is empty: put each person's images into a folder of its own/],
      ['crops', /crops: holds 3 images but no folders of people/],
      ['faceless', /faceless: the gallery is empty, as none of its photographs can be used/],
      ['red.png', /red\.png: not a gallery, which is a folder with one folder a person, or embeddings/],
      ['gone', /gone: no such folder/],
    ] as const)
      expectLine(
        await hypersphere('identify', '--gallery', at(source), crop(0), ...one),
        line,
        source === 'gone' ? 4 : 3,
      );
  });
});

describe('embed --photographs', () => {
  test('says what is in none of the photographs, and writes nothing', async () => {
    const ended = await hypersphere(
      'embed',
      '--photographs',
      '--data',
      at('gallery', 'nobody'),
      '--out',
      at('no.npy'),
    );
    expectLine(
      ended,
      /in none of its 1 photographs is a face that can be used \(no face found by face-api\)\n$/,
    );
    expect(readdirSync(folder)).not.toContain('no.npy');
  });
});

describe('compare', () => {
  test('writes a page of every face with every other, and the numbers', async () => {
    write(at('compared', 'a.png'), readFileSync(crop(0)));
    await sharp(crop(0)).flop().jpeg().toFile(at('compared', 'b.jpg'));
    write(at('compared', 'c.png'), readFileSync(crop(1)));
    write(at('compared', 'empty.png'), '');
    const { code, stdout } = await hypersphere(
      'compare',
      at('compared'),
      '--out',
      at('page'),
      '--json',
      ...one,
    );
    expect(code).toBe(0);
    const { page, faces, similarities, threshold, problems } = JSON.parse(stdout);
    expect(faces.map(({ number }: { number: number }) => number)).toEqual([1, 2, 3]);
    expect(problems).toEqual([`${at('compared', 'empty.png')}: the file is empty`]);
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++) expect(similarities[a][b]).toBeCloseTo(a === b ? 1 : similarities[b][a], 6);
    // The mirror image is the same person, the other is not.
    expect(similarities[0][1]).toBeGreaterThan(threshold);
    expect(similarities[0][2]).toBeLessThan(threshold);
    expect(readFileSync(page, 'utf8')).toContain('3 faces in 3 photographs');
  });

  test('says of two faces of one photograph that they are two people, unless it is a mirror', async () => {
    const compare = async (...more: string[]) =>
      JSON.parse(
        (
          await hypersphere(
            ...['compare', at('twice.png'), crop(0), '--out', at('page'), '--json', ...one, ...more],
          )
        ).stdout,
      );
    const { faces, pairs } = await compare();
    expect(faces).toHaveLength(3);
    const found = pairs.map(({ a, b, decision, reasons }: Record<string, unknown>) => [
      ...[a, b, decision],
      ...(reasons as { code: string }[]).map(({ code }) => code),
    ]);
    expect(found).toContainEqual([1, 2, 'different', 'one-photograph']);
    expect(found.filter(([, , decision]: unknown[]) => decision === 'same')).toHaveLength(1);
    const mirror = await compare('--allow-repeats');
    expect(mirror.pairs.map(({ decision }: { decision: string }) => decision)).toEqual([
      'same',
      'same',
      'same',
    ]);
  });

  test('refuses more photographs than a page can hold before it looks at any', async () => {
    for (let i = 0; i < 301; i++) write(at('crowd', `${i}.jpg`), 'no photograph');
    const ended = await hypersphere('compare', at('crowd'), '--out', at('no page'), ...one);
    expectLine(
      ended,
      /^hypersphere: 301 photographs are too many for a page, which holds 300; give fewer, or search among them: hypersphere identify\n$/,
    );
    expect(readdirSync(folder)).not.toContain('no page');
  });

  test('of nothing that can be read writes nothing', async () => {
    const ended = await hypersphere('compare', at('broken'), '--out', at('no page'), ...one);
    expectLine(ended, /none of the files is a photograph that can be read \(see above\)\n$/);
    expect(readdirSync(folder)).not.toContain('no page');
  });
});

describe('what is not understood', () => {
  test.each<[string[], number, RegExp]>([
    [['--threshold', '2'], 2, /It must be a cosine, from -1 to 1/],
    [['--fmr', '0'], 2, /It must be a share above 0, up to 1/],
    [['--fmr', '0.00000001'], 3, /has thresholds for false match rates from 0\.0001 to 0\.1, not for 1e-8/],
    [['--fmr', '.01', '--threshold', '.5'], 2, /cannot be used with option '--threshold/],
    [['--score', '1.5'], 2, /It must be a number between 0 and 1/],
    [['--face', 'all'], 2, /Allowed choices are largest, central, best\./],
    [['--detector', 'nobody'], 4, /'nobody' is neither a file nor a model: face-api/],
    [['--model', 'nobody'], 4, /'nobody' is neither a file nor a model: /],
    [['--model', 'a,,b'], 2, /--model 'a,,b': a name or a file is missing/],
    [['--template', 'vgg'], 2, /'vgg' is no template: there are sphereface-112x96/],
    [['--detector', tmpdir()], 3, /holds no MTCNN, which is three files/],
  ])('verify %j', async (flags, code, line) => {
    expectLine(await hypersphere('verify', crop(0), crop(1), ...flags), line, code);
  });

  test.each([
    [['verify', 'a.jpg'], /missing required argument 'b'/],
    [['detect'], /missing required argument 'image'/],
    [['identify', 'a.jpg'], /required option '--gallery <dir\|file>' not specified/],
  ])('%j', async (words, line) => {
    expectLine(await hypersphere(...words), line, 2);
  });
});
