// evaluate ytf as a user's shell runs it, on videos in the layout in which YouTube Faces is published: plain colours
// for faces, and a model that sees nothing but the mean colour, so that every score is known.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hypersphere } from './hypersphere.js';
import { meansModel } from './means-model.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));
const data = join(folder, 'aligned_images_DB');
const splits = join(folder, 'splits_corrected.txt');
const model = join(folder, 'means.onnx');
const stored = join(folder, 'videos.jsonl');

/** Directions of people's colours about the middle grey; a frame's is off by one step in its own plane. */
const people: Record<string, [number, number, number]> = {
  Ann_Red: [100, 0, 0],
  Bob_Green: [0, 100, 0],
  Carl_Blue: [0, 0, 100],
  Dora_Dark: [-100, -100, -100],
};
const frames = Object.entries(people).flatMap(([name, [r, g, b]]) =>
  [0, 1].flatMap((video) =>
    [9, 10, 11].map((frame) => ({
      path: `${name}/${video}/aligned_detect_${video}.${frame}.jpg`,
      person: name,
      colour: { r: 128 + r, g: 128 + g + (frame - 9) * 4 * video, b: 128 + b },
    })),
  ),
);

beforeAll(async () => {
  for (const { path, colour } of frames) {
    mkdirSync(dirname(join(data, path)), { recursive: true });
    await sharp({ create: { width: 8, height: 8, channels: 3, background: colour } })
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .toFile(join(data, path));
  }
  // The first label of line 4 is wrong, and put right by the last.
  const lines = [
    'split number, pair number, first name, second name, is same, is same (corrected)',
    '1, 1, Ann_Red/0, Ann_Red/1, 1, 1',
    '1, 2, Ann_Red/0, Bob_Green/0, 0, 0',
    '1, 3, Ann_Red/1, Dora_Dark/0, 1, 0',
    '1, 4, Bob_Green/0, Bob_Green/1, 1, 1',
    '2, 1, Carl_Blue/0, Carl_Blue/1, 1, 1',
    '2, 2, Carl_Blue/0, Bob_Green/1, 0, 0',
    '2, 3, Dora_Dark/0, Dora_Dark/1, 1, 1',
    '2, 4, Dora_Dark/1, Carl_Blue/1, 0, 0',
  ];
  writeFileSync(splits, `${lines.join('\n')}\n`);
  meansModel(model);
  writeFileSync(
    stored,
    frames
      .map(({ path, person, colour: { r, g, b } }) =>
        JSON.stringify({ path, person, embedding: [r - 128, g - 128, b - 128] }),
      )
      .join('\n'),
  );
});

const prepared = ['--order', 'rgb', '--mean', '128', '--scale', '1/128', '--threads', '1'];
const ytf = (...flags: string[]) => hypersphere('evaluate', 'ytf', '--splits', splits, ...flags);
const onPictures = (...flags: string[]) => ytf('--model', model, '--data', data, ...prepared, ...flags);

describe('evaluate ytf', () => {
  test.each(['mean-feature', 'mean-score', 'max-score'])('judges videos by %s', async (aggregation) => {
    const report = join(folder, aggregation);
    const { code, stdout } = await onPictures('--aggregation', aggregation, '--json', '--report', report);
    expect(code).toBe(0);
    const evaluation = JSON.parse(stdout);
    expect(evaluation).toMatchObject({
      format: 'hypersphere-evaluation/1',
      protocol: 'ytf',
      title: `YTF verification, ${aggregation}`,
      verification: { accuracy: 1, samePairs: 4, differentPairs: 4, intervals: { resampled: 'people' } },
      details: { aggregation, frames: 24, videos: 8, corrected: 1 },
      mistakes: [],
    });
    expect(evaluation.notes).toContain('1 pairs have a corrected label');
    expect(evaluation.verification.trials).toBeUndefined();
    expect(JSON.parse(readFileSync(join(report, 'evaluation.json'), 'utf8')).title).toBe(evaluation.title);
    expect(existsSync(join(report, 'index.html'))).toBe(true);
  });

  test('reads embeddings of frames, and takes the first ones when asked to', async () => {
    const run = async (...flags: string[]) => {
      const { code, stdout } = await ytf('--embeddings', stored, '--json', ...flags);
      expect(code).toBe(0);
      return JSON.parse(stdout);
    };
    // One frame of each: Ann's first frames are both (100, 0, 0), and Dora's are opposite to Carl's by (1, 1, 1).
    const one = await run('--aggregation', 'max-score', '--frames', '1');
    expect(one.details).toMatchObject({ frames: 8, videos: 8 });
    expect(one.verification.scores.same.mean).toBeCloseTo(1, 6);
    expect(one.verification.scores.different.mean).toBeCloseTo(
      (0 + -1 / Math.sqrt(3) + 0 + -1 / Math.sqrt(3)) / 4,
      6,
    );
    // All frames of Ann/1 have a mean of (100, 4, 0): other people's means are off alike.
    const all = await run();
    const off = 100 / Math.hypot(100, 4);
    const dora = (200 + 96) / Math.sqrt(3) / Math.hypot(100, 96, 100);
    expect(all.verification.scores.same.mean).toBeCloseTo((off + 1 + off + dora) / 4, 6);
  });

  test('prints a table for people', async () => {
    const { code, stdout } = await ytf('--embeddings', stored);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^YTF verification, mean-feature: not stated \(.*videos\.jsonl\)/);
    expect(stdout).toMatch(/\naccuracy +100\.00 % \+- 0\.00/);
    expect(stdout).toMatch(/\naggregation +mean-feature +cosine of the means of the frames' templates\n$/);
  });

  test.each<[string, string[], RegExp]>([
    [
      'a video without frames',
      ['1, 1, Ann_Red/0, Eve/0, 0', '2, 1, Ann_Red/0, Ann_Red/1, 1'],
      /no frame of video Eve\/0, asked for by .*list\.txt line 1\n$/,
    ],
    [
      'a single split',
      ['1, 1, Ann_Red/0, Ann_Red/1, 1', '1, 2, Ann_Red/0, Bob_Green/0, 0'],
      /list\.txt: one split; two are needed/,
    ],
  ])('ends with one line for %s', async (_, lines, message) => {
    const list = join(folder, 'list.txt');
    writeFileSync(list, lines.join('\n'));
    const { code, stdout, stderr } = await hypersphere(
      ...['evaluate', 'ytf', '--splits', list, '--embeddings', stored],
    );
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr.replace(/^\d+\/\d+ frames.*\n/gm, '')).toMatch(message);
    expect(stderr.replace(/^\d+\/\d+ frames.*\n/gm, '')).toMatch(/^hypersphere: [^\n]*\n$/);
  });

  test('leaves out frames that cannot be read, unless a video has no other', async () => {
    const damaged = join(folder, 'damaged');
    for (const { path } of frames) {
      mkdirSync(dirname(join(damaged, path)), { recursive: true });
      writeFileSync(join(damaged, path), readFileSync(join(data, path)));
    }
    writeFileSync(join(damaged, frames[0]!.path), 'no picture');
    const run = () => ytf('--model', model, '--data', damaged, ...prepared, '--json');
    const { code, stdout } = await run();
    expect(code).toBe(0);
    expect(JSON.parse(stdout).notes.join('\n')).toMatch(
      /1 frames left out that cannot be read, such as .*_0\.9\.jpg/,
    );
    for (const { path } of frames.slice(0, 3)) writeFileSync(join(damaged, path), 'no picture');
    const none = await run();
    expect(none.code).toBe(3);
    expect(none.stderr).toMatch(/hypersphere: Ann_Red\/0: none of its 3 frames can be read \(.*\)\n$/);
  });

  test('ends with 2 when it is not understood', async () => {
    expect((await ytf('--embeddings', stored, '--aggregation', 'median')).code).toBe(2);
    expect((await ytf('--embeddings', stored, '--frames', '0')).code).toBe(2);
    expect((await hypersphere('evaluate', 'ytf', '--embeddings', stored)).code).toBe(2);
  });
});
