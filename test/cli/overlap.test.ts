// hypersphere overlap as a user's shell runs it: on folders with a model, on embeddings, by names alone; its list goes
// into `train --exclude`; and every kind of bad input has one line.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { readExcludeFile } from '../../src/data/index.js';
import { encodeModel } from '../../src/lower/onnx.js';
import { FILES, type Identities } from '../../src/train/run-folder.js';
import { hypersphere } from './hypersphere.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-overlap-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...parts: string[]) => join(folder, ...parts);
const [train, held, model] = [at('train'), at('test'), at('pixels.onnx')];

/** A person's pattern with the noise of one image, 8 x 8 x 3 bytes. */
function pixels(person: string, image: number): Uint8Array {
  const [pattern, noise] = [random(1, person), random(1, person, 'image', image)];
  return Uint8Array.from({ length: 192 }, () => 48 + pattern.integer(160) + noise.integer(96) - 48);
}

async function draw(file: string, person: string, image: number): Promise<void> {
  mkdirSync(join(file, '..'), { recursive: true });
  await sharp(pixels(person, image), { raw: { width: 8, height: 8, channels: 3 } })
    .png()
    .toFile(file);
}

beforeAll(async () => {
  // Numbers in the training set, names in the test set; 7 is Ann_Lee and 12 is Bo.
  for (let person = 0; person < 70; person++)
    for (const image of [1, 2, 3]) await draw(join(train, `${person}`, `${image}.png`), `p${person}`, image);
  for (let person = 0; person < 78; person++)
    await draw(
      join(held, `Someone_${'abcdefghijklm'[person % 13]}${'nopqrs'[Math.floor(person / 13)]}`, '1.png'),
      `q${person}`,
      1,
    );
  for (const image of [11, 12]) await draw(join(held, 'Ann_Lee', `${image}.png`), 'p7', image);
  await draw(join(held, 'Bo', '1.png'), 'p12', 11);
  const graph = {
    name: 'pixels',
    inputs: [{ name: 'x', dtype: 'float32' as const, shape: ['N', 3, 8, 8] }],
    outputs: [{ name: 'y', dtype: 'float32' as const, shape: ['N', 192] }],
    initializers: [{ name: 'shape', dtype: 'int64' as const, shape: [2], data: BigInt64Array.of(-1n, 192n) }],
    nodes: [{ opType: 'Reshape', inputs: ['x', 'shape'], outputs: ['y'] }],
  };
  writeFileSync(model, encodeModel({ opset: 17, graph } as never));
});

const prepared = ['--order', 'rgb', '--mean', '127.5', '--scale', '1/128', '--threads', '1'];
const overlap = (...flags: string[]) => hypersphere('overlap', ...flags);
/** Embeddings as JSON lines: rows of [person, path, ...numbers]. */
function lines(name: string, rows: [string | null, string, ...number[]][]): string {
  const text = rows.map(([person, path, ...embedding]) => JSON.stringify({ path, person, embedding }));
  writeFileSync(at(name), `${text.join('\n')}\n`);
  return at(name);
}

describe('overlap of two folders', () => {
  test('finds who is in both, writes the list and a page, and train leaves them out', async () => {
    const [out, report] = [at('exclude.json'), at('report')];
    const run = await overlap(
      ...['--train', train, '--test', held, '--model', model, ...prepared],
      ...['--out', out, '--report', report],
    );
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/70 people of .*train \(210 images\) and 80 people of .*test \(81 images\)/);
    expect(run.stdout).toMatch(
      /one person from a similarity of 0\.\d{3} on, where 1 false find is expected in 5,600/,
    );
    expect(run.stdout).toMatch(
      / 7 +Ann_Lee +embeddings +0\.8\d\d +\S.* +3, 2 +7\/\d\.png Ann_Lee\/1\d\.png \(0\.\d{3}\)/,
    );
    expect(run.stderr).not.toMatch(/skipped|Error/);
    const list = JSON.parse(readFileSync(out, 'utf8'));
    expect(list).toMatchObject({
      format: 'hypersphere-overlap/1',
      exclude: ['7', '12'],
      train: { people: 70, images: 210 },
      model: { name: 'pixels.onnx' },
      found: [
        { train: '7', test: 'Ann_Lee', evidence: ['embeddings'] },
        { train: '12', test: 'Bo', evidence: ['embeddings'] },
      ],
    });
    expect(list.candidates.length).toBe(30);
    for (const { alike } of list.found) {
      expect(existsSync(join(train, alike.train))).toBe(true);
      expect(existsSync(join(held, alike.test))).toBe(true);
    }
    expect(await readExcludeFile(out)).toEqual(['7', '12']);
    expect(readFileSync(join(report, 'index.html'), 'utf8')).toContain('<b>7 and Ann Lee</b>');

    const trained = at('run');
    const flags = ['--size', '32x32', '--embedding', '8', '--batch', '4', '--steps', '1', '--threads', '1'];
    const { code, stderr } = await hypersphere(
      ...['train', '--data', train, '--net', 'sphereface-4', '--loss', 'softmax', '--out', trained],
      ...[...flags, '--exclude', out],
    );
    expect(code).toBe(0);
    expect(stderr).toContain(`2 of 2 people to exclude are in ${train} and were left out`);
    const identities: Identities = JSON.parse(readFileSync(join(trained, FILES.identities), 'utf8'));
    expect(identities.excluded).toEqual(['7', '12']);
    expect(identities.trained.length).toBe(68);

    const other = at('other.txt');
    writeFileSync(other, '7\n');
    const resumed = await hypersphere('train', '--resume', '--out', trained, '--exclude', other);
    expect(resumed.code).toBe(3);
    expect(resumed.stderr).toMatch(/--resume: exclude is \["7"\] but the run began with \["7","12"\]/);
  });

  test('an image that cannot be read is named and left out', async () => {
    const broken = at('broken');
    for (const person of ['a', 'b', 'c']) await draw(join(broken, person, '1.png'), person, 1);
    writeFileSync(join(broken, 'a', '2.png'), 'no picture');
    const flags = ['--test', broken, '--model', model, ...prepared, '--out', at('broken.json'), '--json'];
    const { code, stdout, stderr } = await overlap('--train', train, ...flags);
    expect(code).toBe(0);
    expect(stderr.match(/^skipped a\/2\.png: .*/gm)!.length).toBe(1);
    expect(JSON.parse(stdout).unreadable).toMatchObject([{ path: 'a/2.png' }]);
  });

  test('a photograph that both have is found in whatever light, though the mean hides it; and features are kept', async () => {
    // Person 3 has many images that are not of one person at all, and one that is in the test set, brighter.
    const [mixed, tests] = [at('mixed'), at('photographs')];
    for (let person = 0; person < 22; person++)
      for (let image = 0; image < (person === 3 ? 12 : 2); image++)
        await draw(
          join(mixed, `${person}`, `${image}.png`),
          person === 3 ? `x${image}` : `m${person}`,
          image,
        );
    for (const name of ['Ann', 'Bo', 'Cy']) await draw(join(tests, name, '1.png'), name, 1);
    const taken = await sharp(pixels('x5', 5), { raw: { width: 8, height: 8, channels: 3 } })
      .linear(0.8, 20)
      .png()
      .toBuffer();
    mkdirSync(join(tests, 'Di'));
    writeFileSync(join(tests, 'Di', '1.png'), taken);
    const flags = ['--train', mixed, '--test', tests, '--model', model, ...prepared];
    const kept = ['--keep-train', at('train.features'), '--keep-test', at('test.features')];
    const out = ['--out', at('photographs.json'), '--report', at('photographs-page')];
    const run = await overlap(...flags, ...kept, ...out);
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/too few people to tell from which similarity on/);
    expect(run.stdout).toMatch(/pairs? of images compared by their pixels; 1 pair of people share one/);
    expect(run.stdout).toMatch(/ 3 +Di +photograph .* 3\/5\.png Di\/1\.png /);
    const list = JSON.parse(readFileSync(at('photographs.json'), 'utf8'));
    expect(list.exclude).toEqual(['3']);
    const [{ photographs }] = list.found;
    expect(photographs).toMatchObject([{ train: '3/5.png', test: 'Di/1.png' }]);
    expect(photographs[0].correlation).toBeGreaterThan(0.98);
    expect(list.photographs.compared).toBeGreaterThan(0);
    expect(readFileSync(at('photographs-page', 'index.html'), 'utf8')).toMatch(/one photograph: its pixels/);

    // The features are there: nothing is computed again, and the list is the same.
    const sizes = () => kept.filter((_, i) => i % 2 === 1).map((file) => statSync(file).size);
    const before = sizes();
    const again = await overlap(...flags, ...kept, ...out);
    expect(again.code).toBe(0);
    expect(sizes()).toEqual(before);
    expect(JSON.parse(readFileSync(at('photographs.json'), 'utf8'))).toEqual(list);
    // Each image was kept once, as it was computed once: 54 and 4 records of 2 x 192 numbers.
    const record = (path: string) => 2 + path.length + '\0\0'.length + 2 * 192 * 4;
    expect(before[0]).toBeGreaterThan(54 * record('0/0.png'));
    expect(before[0]).toBeLessThan(55 * (record('0/0.png') + 30) + 1000);

    const embedded = (path: string, name: string) =>
      hypersphere('embed', '--data', path, '--model', model, ...prepared, '--out', at(name));
    await embedded(mixed, 'mixed.jsonl');
    await embedded(tests, 'photographs.jsonl');
    const sides = ['--train', at('mixed.jsonl'), '--test', at('photographs.jsonl')];
    const read = await overlap(...sides, '--out', at('p.json'), '--json');
    expect(JSON.parse(read.stdout)).toMatchObject({ exclude: ['3'] });
    // Without the images only the embeddings can tell.
    rmSync(tests, { recursive: true });
    const unseen = JSON.parse((await overlap(...sides, '--out', at('p.json'), '--json')).stdout);
    expect(unseen.photographs).toMatchObject({ compared: 0 });
    expect(unseen.exclude).toEqual(['3']);
    expect(unseen.found[0].photographs[0]).not.toHaveProperty('correlation');
  });

  test('that are one and the same are found whole by name, without a model', async () => {
    const out = at('names.json');
    const { code, stdout, stderr } = await overlap('--train', held, '--test', held, '--out', out, '--json');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^compared by names alone; --model FILE compares the faces too$/m);
    const printed = JSON.parse(stdout);
    expect(printed.exclude.length).toBe(80);
    expect(printed.found[0]).toMatchObject({ train: 'Ann_Lee', test: 'Ann_Lee', evidence: ['name'] });
    expect(printed).not.toHaveProperty('level');
  });

  test('with numbers for names need a model', async () => {
    const { code, stderr, stdout } = await overlap('--train', train, '--test', held, '--out', at('x.json'));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/train: the training people have numbers and no names; give --model FILE/);
    expect(existsSync(at('x.json'))).toBe(false);
  });
});

describe('overlap of embeddings', () => {
  const few = () =>
    [
      lines('few-train.jsonl', [
        ['1', '1/a.jpg', 1, 0, 0],
        ['2', '2/a.jpg', 0, 2, 0],
      ]),
      lines('few-test.jsonl', [
        ['Ann', 'Ann/a.jpg', 0.6, 0.8, 0],
        ['Bo', 'Bo/a.jpg', 0, 0, 1],
        [null, 'loose.jpg', 0, 0.9, 0.4],
      ]),
    ] as const;
  const sides = (...[a, b]: readonly string[]) => ['--train', a!, '--test', b!];

  test('of few people takes nobody unless a similarity is given', async () => {
    const told = await overlap(...sides(...few()), '--out', at('few.json'));
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(
      /too few people to tell from which similarity on two are one.*--min-similarity/,
    );
    // Nothing is said of likeness, which could not be judged.
    expect(told.stdout).toMatch(/^nobody was found in both by name or photograph$/m);
    expect(await readExcludeFile(at('few.json'))).toEqual([]);
    const given = await overlap(
      ...sides(...few()),
      '--min-similarity',
      '0.9',
      '--out',
      at('few.json'),
      '--json',
    );
    expect(JSON.parse(given.stdout)).toMatchObject({
      exclude: ['2'],
      found: [{ train: '2', test: 'loose.jpg', evidence: ['embeddings'], next: { test: 'Ann' } }],
      candidates: [{ train: '1', test: 'Ann' }],
      level: { comparisons: 6, similarity: 0.9 },
    });
  });

  test('can be limited to the people of a pair list', async () => {
    const pairs = at('pairs.txt');
    writeFileSync(pairs, '1\nAnn\t1\t2\nAnn\t1\tBo\t1\n');
    const flags = ['--test-pairs', pairs, '--min-similarity', '0.7', '--out', at('few.json')];
    const { stdout } = await overlap(...sides(...few()), ...flags);
    expect(stdout).toContain(`2 people of ${at('few-test.jsonl')} (2 images), those of ${pairs} only`);
    expect(await readExcludeFile(at('few.json'))).toEqual(['2']);
    writeFileSync(pairs, '1\nCy\t1\t2\nCy\t1\tDi\t1\n');
    const none = await overlap(...sides(...few()), ...flags);
    expect(none.stderr).toMatch(/pairs\.txt: none of its 2 people is in the test set/);
  });

  test('of other models, and with numbers that are none, are refused', async () => {
    const [a, b] = few();
    const listed = (file: string, name: string) => {
      const manifest = {
        ...{ format: 'hypersphere-model/1', name, flip: 'none', embedding: { length: 3, output: 'y' } },
        input: { name: 'x', width: 4, height: 4, order: 'rgb', mean: 0, scale: 1 },
      };
      writeFileSync(`${file}.json`, JSON.stringify({ images: [], model: manifest }));
    };
    listed(a, 'one');
    listed(b, 'other');
    const mixed = await overlap(...sides(a, b), '--out', at('y.json'));
    expect(mixed.code).toBe(3);
    expect(mixed.stderr).toMatch(/few-train.*few-test.*embeddings of one and of other cannot be compared/);
    for (const file of [a, b]) rmSync(`${file}.json`);

    const short = lines('short.jsonl', [['1', '1/a.jpg', 1, 0]]);
    const lengths = await overlap(...sides(short, b), '--out', at('y.json'));
    expect(lengths.stderr).toMatch(/training templates have 2 numbers, test templates 3/);
    const zero = lines('zero.jsonl', [['1', '1/a.jpg', 0, 0, 0]]);
    const nothing = await overlap(...sides(zero, b), '--out', at('y.json'));
    expect(nothing.stderr).toMatch(/zero\.jsonl: row 0 \(1\/a\.jpg\): every number is zero/);
    writeFileSync(at('nan.jsonl'), '{"path":"1/a.jpg","person":"1","embedding":[1,NaN]}\n');
    const nan = await overlap(...sides(at('nan.jsonl'), b), '--out', at('y.json'));
    expect(nan.stderr).toMatch(/nan\.jsonl: line 1 is not/);
    const nobody = lines('nobody.jsonl', [[null, 'a.jpg', 1, 0, 0]]);
    const loose = await overlap(...sides(nobody, b), '--out', at('y.json'));
    expect(loose.stderr).toMatch(/nobody\.jsonl: holds no folders of people/);
    expect(existsSync(at('y.json'))).toBe(false);
  });

  const bad: [string, string[], RegExp][] = [
    [
      'a folder that is not there',
      ['--train', 'no/such', '--test', 'few-test.jsonl', '--model', 'm.onnx'],
      /no\/such: /,
    ],
    [
      'a similarity beside false finds',
      ['--min-similarity', '.5', '--expected-false', '1'],
      /exclude each other/,
    ],
    ['a similarity above 1', ['--min-similarity', '1.5'], /is a cosine/],
    ['no false finds at all', ['--expected-false', '0'], /must be a number above 0/],
    ['a template that is none', ['--aligned-test', 'sideways'], /sideways/],
    [
      'keeping what was made already',
      ['--model', 'm.onnx', '--keep-train', 'k'],
      /--keep-train: .*few-train.* holds embeddings, which are made already/,
    ],
    [
      'keeping without a model',
      ['--train', '.', '--test', '.', '--keep-test', 'k'],
      /--keep-test keeps what a model computes: give --model/,
    ],
    [
      'one file to keep both',
      ['--train', '.', '--test', '.', '--model', 'm', '--keep-train', './k', '--keep-test', 'k'],
      /need a file each/,
    ],
  ];
  test.each(bad)('%s is refused in one line', async (_, flags, message) => {
    const [a, b] = few();
    const given = flags.includes('--train') ? [] : sides(a, b);
    const { code, stdout, stderr } = await overlap(...given, ...flags, '--out', at('z.json'));
    expect(code).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(existsSync(at('z.json'))).toBe(false);
  });

  test('an empty folder, and a folder in the place of the list, are refused before anything is computed', async () => {
    mkdirSync(at('empty'), { recursive: true });
    const [, b] = few();
    const flags = ['--model', model, ...prepared];
    const empty = await overlap(...sides(at('empty'), b), ...flags, '--out', at('z.json'));
    expect(empty.stderr).toMatch(/empty: is empty: put each person's images into a folder/);
    const place = await overlap(...sides(...few()), '--out', at('empty'));
    expect(place.stderr).toMatch(/empty: is a folder; name a file with --out/);
  });
});
