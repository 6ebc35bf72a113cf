// From a labelled folder to a calibration, and from that to decisions, at the command line: what is printed and kept,
// who is left out, what is warned of, and one line for everything that cannot be.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import {
  type Calibration,
  evidenceOf,
  type Manifest,
  manifestMetadata,
  posterior,
  readCalibration,
  samplePhotographs,
} from '../../src/face/index.js';
import { dlibResnetManifest } from '../../src/face/models/dlib-resnet.js';
import { encodeModel } from '../../src/lower/onnx.js';
import { write } from '../data/pictures.js';
import { type Finished, hypersphere } from './hypersphere.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-calibrate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...parts: string[]) => join(folder, ...parts);
const one = ['--threads', '1'];

function expectLine({ stdout, stderr, code }: Finished, line: RegExp, wanted = 3) {
  expect(stderr).toMatch(line);
  expect(stderr).not.toMatch(/\n\s+at |HYPERSPHERE_DEBUG|undefined|\[object/);
  expect(stdout).toBe('');
  expect(code).toBe(wanted);
}

/** Made embeddings, which say that they are the built-in model's: everybody's cosines are high, one's own higher. */
function embeddings(name: string, people: number, more: object = {}): string {
  const draw = random(11, 'embeddings');
  const vector = (scale: number) => Array.from({ length: 128 }, () => scale * draw.normal());
  const common = vector(1);
  const images: { path: string; person: string }[] = [];
  const lines: string[] = [];
  for (let person = 0; person < people; person++) {
    const own = vector(0.35);
    for (let image = 0; image < 4; image++) {
      const noise = vector(0.2);
      const row = { path: `name ${person}/${image}.png`, person: `name ${person}` };
      images.push(row);
      lines.push(JSON.stringify({ ...row, embedding: common.map((c, d) => c + own[d]! + noise[d]!) }));
    }
  }
  const file = at(`${name}.jsonl`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  const list = { folder: '/somewhere/else/strangers', model: dlibResnetManifest, images, ...more };
  writeFileSync(`${file}.json`, JSON.stringify(list));
  return file;
}

const file = at('calibration.json');
let made: Finished;
let calibration: Calibration;
beforeAll(async () => {
  const flags = ['--fmr', '0.1,0.001', '--gallery-size', '1,10,100000', '--replicates', '40'];
  made = await hypersphere('calibrate', '--embeddings', embeddings('set', 50), ...flags, '--out', file);
  calibration = await readCalibration(file);
});

describe('calibrate', () => {
  test('prints the table and keeps what it says, without names, templates or places', async () => {
    expect(made.code).toBe(0);
    expect(made.stdout).toMatch(
      /^dlib-resnet-128 on strangers: 50 people, 200 images, 300 pairs of one person and 19,600 of two\nlog-likelihood ratio \d+\.\d+ x cosine - \d+\.\d+, held within -3\.91 \.\. 7\.11; prior 50 %\nCllr 0\.\d{4} bits, 0\.\d{4} at best \(5 folds of people\)\ngallery {2}FMR asked {2}one comparison {2}threshold {2}95 % /,
    );
    const rows = made.stdout.split('\n').slice(4, 10);
    calibration.thresholds.forEach(({ threshold, interval, falseMatches, extrapolated }, k) => {
      const row = rows[k]!;
      if (threshold === null) expect(row).toMatch(/not known .* is too rare to be told from 19,600$/);
      else {
        expect(row).toContain(` ${threshold.toFixed(4)} `);
        expect(row).toContain(interval!.map((bound) => bound.toFixed(4)).join(' .. '));
        expect(row).toContain(`  ${falseMatches.toLocaleString('en')}`);
        expect(/ extrapolated: rests on the fit of the 200 highest$/.test(row)).toBe(extrapolated);
      }
    });
    expect(calibration.thresholds.map(({ extrapolated }) => extrapolated)).toEqual([
      ...[false, false, false, true, true, true],
    ]);
    expect(calibration.thresholds.map(({ threshold }) => threshold === null)).toEqual([
      ...[false, false, false, false, true, true],
    ]);
    expect(made.stdout).toMatch(/ by \d+ people/);
    const { thresholds: _, ...model } = dlibResnetManifest;
    expect(calibration).toMatchObject({ model, data: { name: 'strangers', leftOut: 0 }, seed: 1 });
    const kept = readFileSync(file, 'utf8');
    expect(kept).not.toMatch(/name \d|somewhere|embedding":\s*\[|hypersphere-calibrate-/);
    expect(kept.length).toBeLessThan(30_000);
  });

  test('is the same again by the seed, as JSON too', async () => {
    const again = await hypersphere(
      ...[
        'calibrate',
        '--embeddings',
        at('set.jsonl'),
        '--fmr',
        '0.1,0.001',
        '--gallery-size',
        '1,10,100000',
      ],
      ...['--replicates', '40', '--out', at('again.json'), '--json'],
    );
    expect(JSON.parse(again.stdout)).toEqual(calibration);
    expect(readFileSync(at('again.json'), 'utf8')).toBe(readFileSync(file, 'utf8'));
  });

  test('leaves people out by name and by file, and says when a file names nobody', async () => {
    write(at('out.txt'), '# one person twice\nname 7\nsomebody else\n');
    write(at('none.json'), JSON.stringify({ format: 'hypersphere-overlap/1', exclude: ['somebody else'] }));
    const run = async (...flags: string[]) => {
      const to = at('fewer.json');
      const ended = await hypersphere(
        ...[
          'calibrate',
          '--embeddings',
          at('set.jsonl'),
          '--replicates',
          '0',
          '--out',
          to,
          '--json',
          ...flags,
        ],
      );
      return { ...ended, data: (JSON.parse(ended.stdout) as Calibration).data };
    };
    const fewer = await run('--leave-out', 'name 1, name 2', '--exclude', at('out.txt'));
    expect(fewer.data).toMatchObject({ people: 47, images: 188, leftOut: 3 });
    const all = await run('--exclude', at('none.json'));
    expect(all.data).toMatchObject({ people: 50, leftOut: 0 });
    expect(all.stderr).toContain('none.json: none of its 1 names is in ');
  });

  test.each<[string, () => string[], RegExp, number?]>([
    [
      'nobody of that name',
      () => ['--leave-out', 'name 99'],
      /--leave-out: nobody in .* is called 'name 99'/,
    ],
    ['a rate above 1', () => ['--fmr', '2'], /It must be a share above 0, up to 1/, 2],
    [
      'a rate above a half',
      () => ['--fmr', '0.9'],
      /FMR 0\.9: a false match rate to calibrate for lies in \(0, 0\.5\]/,
    ],
    ['a rate twice', () => ['--fmr', '.1,.1'], /A value stands there twice/, 2],
    ['a size of 0', () => ['--gallery-size', '0'], /It must be a whole number from 1 on/, 2],
    ['a prior of 1', () => ['--prior', '1'], /It must be a probability between 0 and 1/, 2],
    ['a list that is not there', () => ['--exclude', at('gone.txt')], /gone\.txt: no such file/, 4],
    ['a folder to write', () => ['--out', folder], /is a folder; name a file with --out/],
    [
      'a model beside embeddings',
      () => ['--model', 'dlib-resnet-128'],
      /--embeddings and --model exclude each other/,
      2,
    ],
  ])('refuses %s', async (_, flags, line, code) => {
    expectLine(
      await hypersphere('calibrate', '--embeddings', at('set.jsonl'), '--out', at('no.json'), ...flags()),
      line,
      code,
    );
  });

  test('refuses embeddings of nobody knows which model, of one person, and nothing at all', async () => {
    const run = (source: string) => hypersphere('calibrate', '--embeddings', source, '--out', at('no.json'));
    expectLine(
      await run(embeddings('whose', 3, { model: undefined })),
      /whose\.jsonl: does not say which model made the embeddings/,
    );
    expectLine(await run(embeddings('alone', 1)), /calibration: 1 person, 1 of them with several images/);
    expectLine(
      await hypersphere('calibrate', '--out', at('no.json')),
      /give --model FILE and --data DIR, or --embeddings FILE/,
      2,
    );
    expectLine(
      await hypersphere('calibrate', '--model', 'dlib-resnet-128'),
      /required option '--out <file>'/,
      2,
    );
  });
});

describe('calibrate with a model on a folder', () => {
  /** A model whose embedding is its input, which is made for nothing but to be opened. */
  function model(name: string, trainedOn: string): string {
    const manifest: Manifest = {
      ...{ format: 'hypersphere-model/1', name, crop: 'cover-centre', metric: 'cosine', flip: 'none' },
      input: { name: 'images', width: 4, height: 4, order: 'rgb', mean: 127.5, scale: 1 / 128 },
      ...{ template: 'not stated', embedding: { length: 48, output: 'features' } },
      ...{ trainedOn, licence: 'MIT' },
    };
    const bytes = encodeModel({
      opset: 17,
      metadata: manifestMetadata(manifest),
      graph: {
        name: 'see',
        inputs: [{ name: 'images', dtype: 'float32', shape: ['N', 3, 4, 4] }],
        outputs: [{ name: 'features', dtype: 'float32', shape: ['N', 48] }],
        initializers: [],
        nodes: [{ opType: 'Flatten', inputs: ['images'], outputs: ['features'], attributes: { axis: 1 } }],
      },
    });
    return write(at('models', `${name}.onnx`), bytes);
  }
  const data = at('patches');
  beforeAll(async () => {
    const draw = random(3, 'patches');
    for (let person = 0; person < 12; person++) {
      const own = Array.from({ length: 48 }, () => 127 + 60 * draw.normal());
      for (let image = 0; image < 3; image++) {
        const pixels = Buffer.from(
          own.map((value) => Math.min(255, Math.max(0, value + 25 * draw.normal()))),
        );
        const png = sharp(pixels, { raw: { width: 4, height: 4, channels: 3 } }).png();
        write(join(data, `p${person}`, `${image}.png`), await png.toBuffer());
      }
    }
    write(join(data, 'p3', 'cut.png'), '');
    write(join(data, 'loose.png'), readFileSync(join(data, 'p0', '0.png')));
  });
  const run = (file: string) =>
    hypersphere('calibrate', '--model', file, '--data', data, '--out', at('patches.json'), '--json', ...one);

  test('passes over what cannot be read or is nobody', async () => {
    const { code, stdout, stderr } = await run(model('plain', '90 images of 9 people in others'));
    expect(code).toBe(0);
    expect(stderr).toMatch(/skipped .*cut\.png: the file is empty/);
    expect(stderr).toContain("1 images are in no person's folder and left out");
    expect(stderr).not.toContain('warning');
    expect((JSON.parse(stdout) as Calibration).data).toEqual({
      ...{ name: 'patches', people: 12, images: 36, genuinePairs: 36, impostorPairs: 594, leftOut: 0 },
    });
  });

  test.each([
    ['trained', '36 images of 12 people in patches'],
    ['mixed', 'Patches, and more from the web'],
  ])('warns of people that the model was trained on (%s)', async (name, trainedOn) => {
    expect((await run(model(name, trainedOn))).stderr).toContain(
      `warning: ${name} seems to be trained on patches (`,
    );
  });

  test('does not warn of people whom the model was trained without', async () => {
    const { stderr } = await run(model('without', 'the web, without people of patches'));
    expect(stderr).not.toContain('warning');
  });
});

describe('a calibration in use', () => {
  const photograph = samplePhotographs()[0]!;
  const verify = (...flags: string[]) => hypersphere('verify', photograph, photograph, ...one, ...flags);

  test('verify says how probable one person is, at which rate, and what that rests on', async () => {
    const { code, stdout } = await verify('--calibration', file, '--fmr', '0.1');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^the same person: probability (at least )?9\d(\.\d+)? % \(prior 50 %\); at FMR 0\.1: similarity 1\.000, at least the threshold of 0\.\d{3} \(95 %: 0\.\d{3} \.\. 0\.\d{3}\), by a calibration on 50 people of strangers, 19,600 pairs\n/,
    );
    const rare = await verify('--calibration', file, '--fmr', '0.0001', '--prior', '0.2', '--json');
    const { similarity, probability, prior, llr, limited, extrapolated, threshold, fmr, same, interval } =
      JSON.parse(rare.stdout);
    expect({ prior, fmr, extrapolated, same }).toEqual({
      prior: 0.2,
      fmr: 0.0001,
      extrapolated: true,
      same: true,
    });
    expect({ llr, limited }).toEqual(evidenceOf(calibration, similarity));
    expect(probability).toBeCloseTo(posterior(llr, 0.2), 12);
    expect(threshold).toBeGreaterThanOrEqual(interval[0]);
    const words = await verify('--calibration', file, '--fmr', '0.0001');
    expect(words.stdout).toMatch(
      /\), extrapolated and rather too low \(so is its interval\), by a calibration on /,
    );
  });

  test('identify says so of every face, and takes the threshold for all that is enrolled', async () => {
    const gallery = at('gallery');
    mkdirSync(join(gallery, 'ann'), { recursive: true });
    for (const name of ['1.jpg', '2.jpg'])
      writeFileSync(join(gallery, 'ann', name), readFileSync(photograph));
    const identify = (...flags: string[]) =>
      hypersphere(
        'identify',
        '--gallery',
        gallery,
        photograph,
        '--calibration',
        file,
        '--fmr',
        '.02',
        ...one,
        ...flags,
      );
    const { stdout, code } = await identify();
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^1 person enrolled with 2 photographs; threshold 0\.\d{3} \(95 %: .*\), by a calibration on .*: a stranger is taken for one of them about 2 % of the time; the prior that a face is of one of them is 50 %\n/,
    );
    expect(stdout).toMatch(/\n {2}ann 1\.000, probability 9\d(\.\d+)? % {2}\(face at /);
    expect(stdout).toMatch(
      /\n {2}unknown {2}\(face at \d+,\d+; nearest ann 0\.\d{3}, probability \d+(\.\d+)? %/,
    );
    const answer = JSON.parse((await identify('--json')).stdout);
    expect(answer).toMatchObject({
      people: 1,
      photographs: 2,
      prior: 0.5,
      fmr: 0.02,
      falsePositiveRate: 0.02,
    });
    expect(answer.perComparison).toBeCloseTo(1 - 0.98 ** (1 / 2), 12);
    for (const { candidates } of answer.images[0].faces) expect(candidates[0].probability).toBeLessThan(1);
  });

  test.each<[string, () => string[], RegExp, number?]>([
    [
      'a threshold as well',
      () => ['--calibration', file, '--threshold', '.9'],
      /cannot be used with option '--threshold/,
      2,
    ],
    [
      'a prior alone',
      () => ['--prior', '.1'],
      /--prior is for probabilities: give --calibration FILE as well/,
      2,
    ],
    [
      'a prior of 0',
      () => ['--calibration', file, '--prior', '0'],
      /It must be a probability between 0 and 1/,
      2,
    ],
    [
      'a rate too rare',
      () => ['--calibration', file, '--fmr', '1e-7'],
      /tells false match rates from .* not 1e-7; choose another --fmr, or calibrate on more people/,
    ],
    [
      'another fusion',
      () => ['--calibration', file, '--flip', 'none'],
      /calibration\.json: a calibration of images and mirrors joined as sum, not none/,
    ],
    [
      'another file',
      () => ['--calibration', `${at('set.jsonl')}.json`],
      /set\.jsonl\.json: not a calibration \(its format is not stated/,
    ],
    ['none', () => ['--calibration', at('gone.json')], /gone\.json: no such file/, 4],
  ])('verify refuses %s', async (_, flags, line, code) => {
    expectLine(await verify(...flags()), line, code);
  });
});
