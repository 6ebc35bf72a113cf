// evaluate megaface as a user's shell runs it: on embeddings whose figures are known by hand, on pictures, padded, and
// with every kind of list that cannot be used.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hypersphere } from './hypersphere.js';
import { meansModel } from './means-model.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Image = [path: string, person: string | null, embedding: number[]];

function write(name: string, images: readonly Image[]): string {
  const file = join(folder, name);
  writeFileSync(
    file,
    images.map(([path, person, embedding]) => JSON.stringify({ path, person, embedding })).join('\n'),
  );
  return file;
}

// As in test/evaluate/megaface.test.ts: each stranger beats one mate of four, Carl's by a tie.
const probes: Image[] = [
  ['Ann/1.jpg', 'Ann', [1, 0, 0]],
  ['Ann/2.jpg', 'Ann', [4, 3, 0]],
  ['Bob/1.jpg', 'Bob', [0, 0, 1]],
  ['Bob/2.jpg', 'Bob', [0, 3, 4]],
];
const strangers: Image[] = [
  ['Carl/1.jpg', 'Carl', [4, 0, 3]],
  ['Dora/1.jpg', 'Dora', [0, 4, 3]],
];
const one = write('one.jsonl', [...probes, ...strangers]);
const two = {
  probes: write('probes.jsonl', probes),
  distractors: write('others.jsonl', [...strangers, ['Ann/9.jpg', 'Ann', [1, 0, 0]]]),
};

const megaface = (...flags: string[]) => hypersphere('evaluate', 'megaface', ...flags, '--threads', '1');
const evaluated = async (...flags: string[]) => {
  const { code, stdout, stderr } = await megaface(...flags, '--json');
  expect({ code, stderr: stderr.replace(/^\d+\/\d+ (images|distractors).*\n|^look at .*\n/gm, '') }).toEqual({
    code: 0,
    stderr: '',
  });
  return JSON.parse(stdout);
};

describe('evaluate megaface', () => {
  test('searches among the people with one photograph, and writes the lists down', async () => {
    const report = join(folder, 'report');
    const evaluation = await evaluated('--embeddings', one, '--sizes', '1,2', '--report', report);
    expect(evaluation).toMatchObject({
      protocol: 'megaface',
      identification: [
        { gallery: 2, trials: 4, ranks: [1, 2], rates: [0.75, 1] },
        { gallery: 3, trials: 4, ranks: [1, 2, 3], rates: [0.5, 1, 1] },
      ],
      verification: { samePairs: 4, differentPairs: 8 },
      details: { rankOneOverPeople: 0.5, trials: 4, probePeople: 2 },
    });
    // Of 8 impostor scores FAR 0.1 and less cannot be told.
    expect(evaluation.verification.tarAtFar.map(({ tar }: { tar: unknown }) => tar)).toEqual(
      Array(6).fill(null),
    );
    expect(readFileSync(join(report, 'probes.txt'), 'utf8')).toBe(
      'Ann/1.jpg\tAnn\nAnn/2.jpg\tAnn\nBob/1.jpg\tBob\nBob/2.jpg\tBob\n',
    );
    expect(readFileSync(join(report, 'distractors.txt'), 'utf8').trim().split('\n').sort()).toEqual([
      'Carl/1.jpg\tCarl',
      'Dora/1.jpg\tDora',
    ]);
    expect(existsSync(join(report, 'index.html'))).toBe(true);
  });

  test('takes distractors from another file, without those who are called like a probe person', async () => {
    const evaluation = await evaluated('--embeddings', two.probes, '--distractors', two.distractors);
    expect(evaluation.identification).toMatchObject([{ gallery: 3, rates: [0.5, 1, 1] }]);
    expect(evaluation.notes).toContain('1 distractors left out: they bear the name of a probe person');
  });

  test('says of padding how much of the gallery is no face, and that it makes the task easier', async () => {
    const evaluation = await evaluated('--embeddings', one, '--pad', '2000', '--seed', '7');
    expect(
      evaluation.identification.map(({ gallery, synthetic }: { gallery: number; synthetic?: number }) => [
        gallery,
        synthetic,
      ]),
    ).toEqual([
      [3, undefined],
      [11, 8],
      [101, 98],
      [1001, 998],
      [2001, 1998],
    ]);
    expect(evaluation.details.synthetic.count).toBe(1998);
    expect(evaluation.verification.differentPairs).toBe(8);
    expect(evaluation.notes.join('\n')).toMatch(
      /1,998 distractors are synthetic: no faces .* make the task easier than as many real faces/,
    );
    const again = await evaluated('--embeddings', one, '--pad', '2000', '--seed', '7');
    expect(again.identification).toEqual(evaluation.identification);
  });

  test('prints a table for people', async () => {
    const { code, stdout } = await megaface('--embeddings', one, '--pad', '20');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^MegaFace identification: not stated \(.*one\.jsonl\)/);
    expect(stdout).toMatch(
      /\nrank 1 at 2 distractors +50\.00 % +0\.00 % \.\. |\nrank 1 at 2 distractors +50\.00 % +50\.00 % \.\. /,
    );
    expect(stdout).toMatch(/\nrank 1 at 20 distractors .* 18 of them synthetic\n/);
    expect(stdout).toMatch(
      /\nTAR at FAR 1e-6 +not known +needs at least 1000000 impostor scores, there are 8\n/,
    );
  });

  test.each<[string, string[], RegExp, number?]>([
    [
      'more distractors than there are',
      ['--embeddings', one, '--sizes', '10'],
      /10 distractors were asked for, there are 2; .*--pad 10/,
    ],
    [
      'one person only',
      ['--embeddings', write('ann.jsonl', [...probes.slice(0, 2), ...strangers])],
      /only Ann has 2 photographs or more; two people are needed/,
    ],
    [
      'templates of two lengths',
      ['--embeddings', two.probes, '--distractors', write('short.jsonl', [['Eve/1.jpg', 'Eve', [1, 0]]])],
      /its templates have 2 numbers, the probes' 3; use one model for both/,
    ],
    [
      'distractors that are not there',
      ['--embeddings', one, '--distractors', join(folder, 'none.jsonl')],
      /none\.jsonl: no such file/,
      4,
    ],
  ])('ends with one line for %s', async (_, flags, message, expected = 3) => {
    const { code, stdout, stderr } = await megaface(...flags);
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    const line = stderr.replace(/^\d+\/\d+ (images|distractors).*\n/gm, '');
    expect(line).toMatch(message);
    expect(line).toMatch(/^hypersphere: [^\n]*\n$/);
  });

  test('ends with 2 when it is not understood', async () => {
    expect((await megaface('--embeddings', one, '--pad', 'many')).code).toBe(2);
    expect((await megaface('--embeddings', one, '--min-images', '1')).code).toBe(2);
    expect((await megaface('--embeddings', one, '--distractors', folder)).code).toBe(2);
    expect((await megaface()).code).toBe(2);
  });
});

describe('evaluate megaface on pictures', () => {
  const model = join(folder, 'means.onnx');
  const data = join(folder, 'people');
  const flickr = join(folder, 'flickr');
  const prepared = ['--model', model, '--order', 'rgb', '--mean', '128', '--scale', '1/128'];

  beforeAll(async () => {
    const pictures: [string, number[]][] = [
      [join(data, 'Ann/1.png'), [228, 128, 128]],
      [join(data, 'Ann/2.png'), [228, 140, 128]],
      [join(data, 'Bob/1.png'), [128, 228, 128]],
      [join(data, 'Bob/2.png'), [128, 228, 140]],
      // Albums inside of folders, and pictures that lie about.
      [join(flickr, '17/album/a.png'), [128, 128, 228]],
      [join(flickr, '17/album/b.png'), [28, 128, 128]],
      [join(flickr, 'c.png'), [128, 230, 134]],
    ];
    for (const [path, [r, g, b]] of pictures) {
      mkdirSync(dirname(path), { recursive: true });
      await sharp({ create: { width: 8, height: 8, channels: 3, background: { r: r!, g: g!, b: b! } } })
        .png()
        .toFile(path);
    }
    meansModel(model);
  });

  test('embeds both folders; the third picture lies between both of Bob and beats his mate twice', async () => {
    const evaluation = await evaluated(...prepared, '--data', data, '--distractors', flickr);
    expect(evaluation.identification).toMatchObject([{ gallery: 4, trials: 4, rates: [0.5, 1, 1, 1] }]);
    expect(evaluation.settings).toContainEqual(['Real distractors', '3']);
  });

  test('leaves out distractors that cannot be read, and names a probe that cannot', async () => {
    writeFileSync(join(flickr, 'c.png'), 'no picture');
    const evaluation = await evaluated(...prepared, '--data', data, '--distractors', flickr);
    expect(evaluation.identification).toMatchObject([{ gallery: 3, rates: [1, 1, 1] }]);
    expect(evaluation.notes.join('\n')).toMatch(/1 distractors left out, such as .*c\.png/);
    writeFileSync(join(data, 'Bob/2.png'), 'no picture');
    const { code, stderr } = await megaface(...prepared, '--data', data, '--distractors', flickr);
    expect(code).toBe(3);
    expect(stderr).toMatch(/hypersphere: .*Bob\/2\.png: [^\n]*\n$/);
  });
});

const real = '../shared/data/lfw/aligned-112';
const foreign = '../shared/weights/mobilefacenet/mobilefacenet-112-128d.onnx';
test.skipIf(!existsSync(foreign) || !existsSync(real))(
  `real faces are found among real strangers (skipped without ${foreign} and ${real})`,

  async () => {
    // Twelve people with three photographs each among a hundred, from copies of the files.
    const some = join(folder, 'lfw');
    const { listPeople } = await import('../../src/data/index.js');
    const people = await listPeople(real);
    const chosen = [
      ...people.filter(({ paths }) => paths.length >= 3).slice(0, 12),
      ...people.filter(({ paths }) => paths.length === 1).slice(0, 100),
    ];
    for (const { name, paths } of chosen)
      for (const path of paths.slice(0, 3)) {
        mkdirSync(join(some, name), { recursive: true });
        writeFileSync(join(some, name, path.slice(path.lastIndexOf('/') + 1)), readFileSync(path));
      }
    const evaluation = await evaluated(
      ...['--model', foreign, '--data', some, '--order', 'rgb', '--mean', '127.5', '--scale', '1/128'],
      ...['--sizes', '10,100,1000', '--pad', '1000'],
    );
    const rates = evaluation.identification.map((curve: { rates: number[] }) => curve.rates[0]!);
    expect(evaluation.details.trials).toBe(72);
    expect(rates[1]).toBeGreaterThanOrEqual(0.9);
    expect(rates[0]).toBeGreaterThanOrEqual(rates[1]);
    expect(rates[1]).toBeGreaterThanOrEqual(rates[2]);
  },
);
