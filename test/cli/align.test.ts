// hypersphere align: a folder of photographs, good and bad, becomes a folder of faces; what was stopped goes on.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryName } from '../../src/common/temporary.js';
import { decodeFace, readPhotograph } from '../../src/data/index.js';
import { alignFace, faceTransform } from '../../src/face/align/face.js';
import { alignFolder } from '../../src/face/align/folder.js';
import { type LandmarkTable, readLandmarkFile } from '../../src/face/align/landmark-file.js';
import { apply } from '../../src/face/align/similarity.js';
import { templateNamed, templatePoints } from '../../src/face/align/template.js';
import type { Detection, Landmarks, Point } from '../../src/face/index.js';
import { samplePhotographs } from '../../src/face/models/samples.js';
import { encode, temporaryFolder, write } from '../data/pictures.js';
import { waves } from '../face/align/pictures.js';
import { hypersphere, start, until } from './hypersphere.js';

const [WIDTH, HEIGHT] = [180, 160];
const picture = await encode(waves(HEIGHT, WIDTH), HEIGHT, WIDTH, 'png');
const webp = await encode(waves(HEIGHT, WIDTH), HEIGHT, WIDTH, 'webp');

/** Landmarks of the ArcFace template moved to (x, y). */
const at = (x: number, y: number, size = 1) =>
  templatePoints(templateNamed('arcface')).map(([px, py]) => [
    px * size + x,
    py * size + y,
  ]) as unknown as Landmarks;
const line = (path: string, landmarks: Landmarks) => [path, ...landmarks.flat()].join('\t');

/** A folder of photographs and the file of their landmarks. */
function photographs(files: Record<string, Buffer | Uint8Array | string>, landmarks = at(30, 20)) {
  const folder = temporaryFolder();
  const data = join(folder, 'photos');
  for (const [path, bytes] of Object.entries(files)) write(join(data, path), bytes);
  const table = write(
    join(folder, 'landmarks.tsv'),
    `${Object.keys(files)
      .map((path) => line(path, landmarks))
      .join('\n')}\n`,
  );
  return { data, table, out: join(folder, 'faces') };
}
const files = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
const faceOf = (file: string) => decodeFace(file, { size: [112, 112], order: 'rgb' });

describe('a folder', () => {
  test('becomes a folder of the same structure, whatever is wrong with some of its files', async () => {
    const { data, table, out } = photographs({
      'Ann/1.png': picture,
      'Ann/deep/er/2.png': picture,
      'loose.png': picture,
      'bad/empty.jpg': '',
      'bad/text.jpg': 'no image at all',
      'bad/cut.png': picture.subarray(0, picture.length / 2),
      'bad/dot.png': await encode(Uint8Array.of(9, 9, 9), 1, 1, 'png'),
    });
    writeFileSync(join(data, 'unknown.png'), picture);
    writeFileSync(join(data, 'notes.txt'), 'not a photograph');
    const flags = ['align', '--data', data, '--out', out, '--landmarks', table, '--format', 'png'];
    const { code, stdout, stderr } = await hypersphere(...flags, '--json');
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      ...{ finished: true, photographs: 8, done: 8, earlier: 0, faces: 4, template: 'arcface-112@0' },
    });
    const reasons = Object.fromEntries(
      report.skipped.map(({ path, reason }: { path: string; reason: string }) => [path, reason]),
    );
    expect(Object.keys(reasons).sort()).toEqual([
      ...['bad/cut.png', 'bad/empty.jpg', 'bad/text.jpg', 'unknown.png'],
    ]);
    expect(reasons['bad/empty.jpg']).toBe('the file is empty');
    expect(reasons['unknown.png']).toBe('no landmarks are given for it');
    for (const [path, reason] of Object.entries(reasons))
      expect(stderr).toContain(`skipped ${path}: ${reason}`);
    expect(stderr).toMatch(/8\/8 photographs .* left/);
    expect(files(out)).toEqual([
      ...['Ann/1.png', 'Ann/deep/er/2.png', 'align.json', 'bad/dot.png', 'faces.jsonl', 'loose.png'],
      'report.json',
    ]);
    expect(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'))).toMatchObject({
      faces: 4,
      finished: true,
    });

    const photograph = await readPhotograph(join(data, 'Ann/1.png'));
    const expected = alignFace(photograph, at(30, 20), templateNamed('arcface'));
    for (const path of ['Ann/1.png', 'Ann/deep/er/2.png'])
      expect(await faceOf(join(out, path))).toEqual(expected);
    const [entry] = readFileSync(join(out, 'faces.jsonl'), 'utf8').split('\n');
    expect(JSON.parse(entry!)).toMatchObject({
      path: 'Ann/1.png',
      faces: [{ file: 'Ann/1.png', score: 1, quality: expect.any(Number), landmarks: at(30, 20) }],
    });
  });

  test('becomes JPEG files of the template, patch and origin that are asked for', async () => {
    const { data, table, out } = photographs({ 'a.png': picture });
    const flags = ['--landmarks', table, '--template', 'sphereface', '--origin', '0', '--patch', 'upper'];
    const { code, stdout } = await hypersphere('align', '--data', data, '--out', out, ...flags);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1 faces of 1 photographs in .* \(sphereface-112x96\/upper@0\); \d+ s$/m);
    const { width, height, pixels } = await readPhotograph(join(out, 'a.jpg'));
    expect([width, height]).toEqual([96, 112]);
    const expected = alignFace(
      await readPhotograph(join(data, 'a.png')),
      at(30, 20),
      templateNamed('sphereface/upper@0'),
    );
    const off = pixels.reduce((sum, value, i) => sum + Math.abs(value - expected[i]!), 0) / pixels.length;
    expect(off).toBeLessThan(3);
  });

  test('with no face at all ends with exit code 1, and says so', async () => {
    const { data, table, out } = photographs({ 'a.png': picture });
    writeFileSync(table, `${line('other.png', at(0, 0))}\n`);
    const { code, stdout } = await hypersphere('align', '--data', data, '--out', out, '--landmarks', table);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^0 faces of 1 photographs .*; 1 skipped: 1 no landmarks are given for it/);
  });
});

test('the built-in detector finds the faces where no landmarks are given', async () => {
  const [sample] = samplePhotographs();
  const { data, out } = photographs({ 'a/group.jpg': readFileSync(sample!), 'b/none.png': picture });
  const flags = ['align', '--data', data, '--out', out, '--face', 'all', '--threads', '1', '--json'];
  const { code, stdout } = await hypersphere(...flags);
  expect(code).toBe(0);
  const report = JSON.parse(stdout);
  expect(report.skipped).toEqual([{ path: 'b/none.png', reason: 'no face found' }]);
  expect(report.faces).toBeGreaterThan(0);
  expect(files(join(out, 'a'))).toHaveLength(report.faces);
  expect(JSON.parse(readFileSync(join(out, 'align.json'), 'utf8'))).toMatchObject({
    ...{ detector: 'face-api', face: 'all', template: 'arcface-112@0' },
  });
  // Landmarks of a face lie near those of the template, once they are carried there.
  const [entry] = readFileSync(join(out, 'faces.jsonl'), 'utf8').split('\n');
  for (const { landmarks, quality } of JSON.parse(entry!).faces) {
    const moved = landmarks.map((point: Point) =>
      apply(faceTransform(landmarks, templateNamed('arcface')), point),
    );
    templatePoints(templateNamed('arcface')).forEach(([x, y], i) => {
      expect(Math.hypot(moved[i][0] - x, moved[i][1] - y)).toBeLessThan(12);
    });
    expect(quality).toBeGreaterThanOrEqual(0);
  }
});

describe('a second run', () => {
  test('leaves what is done, does what is new or lost, and tries unreadable files again', async () => {
    const { data, table, out } = photographs({
      'a.png': picture,
      'b.png': picture,
      'c.png': '',
      'd.png': picture,
    });
    const flags = ['align', '--data', data, '--out', out, '--landmarks', table, '--json'];
    rmSync(join(data, 'd.png'));
    expect(JSON.parse((await hypersphere(...flags)).stdout)).toMatchObject({ faces: 2, done: 3, earlier: 0 });
    const before = statSync(join(out, 'a.jpg')).mtimeMs;
    writeFileSync(join(data, 'c.png'), picture);
    writeFileSync(join(data, 'd.png'), picture);
    rmSync(join(out, 'b.jpg'));
    // A process that was killed while it wrote leaves these.
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(temporaryName(join(out, 'd.jpg')).replace(`-${process.pid}-`, `-${pid}-`), 'half a fi');
    writeFileSync(join(out, 'faces.jsonl'), '{"path":"d.p', { flag: 'a' });
    const { code, stdout } = await hypersphere(...flags);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ faces: 4, done: 4, earlier: 1, skipped: [] });
    expect(statSync(join(out, 'a.jpg')).mtimeMs).toBe(before);
    expect(files(out)).toEqual([
      ...['a.jpg', 'align.json', 'b.jpg', 'c.jpg', 'd.jpg', 'faces.jsonl', 'report.json'],
    ]);
    const again = JSON.parse((await hypersphere(...flags)).stdout);
    expect(again).toMatchObject({ faces: 4, done: 4, earlier: 4 });
  });

  test('goes on where a killed one was, and no face is half written', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`p${i % 7}/${i}.png`, picture] as const),
    );
    const { data, table, out } = photographs(many);
    const flags = ['align', '--data', data, '--out', out, '--landmarks', table, '--json'];
    const { child, finished } = start(...flags);
    const journal = join(out, 'faces.jsonl');
    await until(() => existsSync(journal) && readFileSync(journal, 'utf8').split('\n').length > 20);
    child.kill('SIGKILL');
    expect((await finished).code).toBeNull();
    const written = files(out).filter((file) => file.endsWith('.jpg'));
    expect(written.length).toBeLessThan(300);
    const faces = await Promise.all(written.map((file) => readPhotograph(join(out, file))));
    for (const { width, height } of faces) expect([width, height]).toEqual([112, 112]);
    const { code, stdout } = await hypersphere(...flags);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ finished: true, faces: 300, done: 300, skipped: [] });
    expect(report.earlier).toBeGreaterThanOrEqual(19);
    expect(files(out).filter((file) => !/\.jpg$|json/.test(file))).toEqual([]);
  });

  test('after Ctrl-C says how to go on', async () => {
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`${i}.png`, picture] as const));
    const { data, table, out } = photographs(many);
    const { child, finished } = start('align', '--data', data, '--out', out, '--landmarks', table);
    await until(() => existsSync(join(out, 'faces.jsonl')));
    child.kill('SIGINT');
    const { code, stdout, stderr } = await finished;
    expect(code).toBe(130);
    expect(stderr).toMatch(/stopped after \d+ of 400 photographs; the same command again goes on from there/);
    expect(stdout).toMatch(/^\d+ faces of \d+ of 400 photographs/);
  });

  test('of other settings, or into a folder of something else, is refused in one sentence', async () => {
    const { data, table, out } = photographs({ 'a.png': picture });
    const align = (...more: string[]) =>
      hypersphere('align', '--data', data, '--out', out, '--landmarks', table, ...more);
    expect((await align()).code).toBe(0);
    const other = await align('--template', 'sphereface');
    expect(other.code).toBe(3);
    expect(other.stderr).toBe(
      `hypersphere: ${out}: its faces were made with template "arcface-112@0", not "sphereface-112x96@1"; name another --out or keep the setting\n`,
    );
    writeFileSync(table, `${line('a.png', at(31, 20))}\n`);
    expect((await align()).stderr).toMatch(/its faces were made with landmarks "/);

    const inside = await hypersphere('align', '--data', data, '--out', data, '--landmarks', table);
    expect(inside.stderr).toMatch(/lies in the folder of photographs/);
    const below = await hypersphere('align', '--data', data, '--out', join(data, 'x'), '--landmarks', table);
    expect(below.stderr).toMatch(/lies in the folder of photographs/);
    expect(files(data)).toEqual(['a.png']);
    const taken = join(temporaryFolder(), 'taken');
    write(join(taken, 'mine.txt'), 'mine');
    const full = await hypersphere('align', '--data', data, '--out', taken, '--landmarks', table);
    expect(full.stderr).toMatch(/is not empty, and not a folder of align's; name another with --out/);
  });

  test.each([
    [['--template', 'vgg'], /'vgg' is no template/],
    [['--patch', 'eyes'], /'eyes' is no patch/],
    [['--origin', '2'], /Allowed choices are 0, 1/],
    [['--quality', '101'], /whole number from 1 to 100/],
    [['--min-face', '20'], /cannot be used with/],
  ])('%s is not understood', async (flags, message) => {
    const { data, table, out } = photographs({ 'a.png': picture });
    const ended = await hypersphere('align', '--data', data, '--out', out, '--landmarks', table, ...flags);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });
});

describe('faces', () => {
  const several: LandmarkTable = new Map(
    ['a.png', 'a.webp', 'b.face2.png', 'b.png'].map((path) => [
      path,
      [at(0, 0, 0.5), at(40, 20)].map(
        (landmarks, i): Detection => ({
          box: { x: i * 40, y: 10, width: 50 + 60 * i, height: 50 + 60 * i },
          score: 0.9 - i / 10,
          landmarks,
        }),
      ),
    ]),
  );
  const align = async (choice: 'all' | 'largest' | 'best', format: 'png' | 'jpg' = 'png') => {
    const folder = temporaryFolder();
    const [data, out] = [join(folder, 'photos'), join(folder, 'out')];
    mkdirSync(data);
    for (const path of several.keys())
      writeFileSync(join(data, path), path.endsWith('webp') ? webp : picture);
    const template = templateNamed('arcface');
    const report = await alignFolder(data, out, { template, faces: { landmarks: several }, choice, format });
    return { out, report, names: files(out).filter((file) => file.endsWith(format)) };
  };

  test('of one photograph are numbered, and no two photographs share a file', async () => {
    const { report, names } = await align('all');
    expect(report.faces).toBe(8);
    expect(names).toEqual([
      ...['a.png.face2.png', 'a.png.png', 'a.webp.face2.png', 'a.webp.png'],
      ...['b.face2.png', 'b.face2.png.face2.png', 'b.face2.png.png', 'b.png'],
    ]);
  });

  test('are chosen by size or score', async () => {
    const expected = (landmarks: Landmarks) =>
      alignFace(
        { width: WIDTH, height: HEIGHT, pixels: waves(HEIGHT, WIDTH) },
        landmarks,
        templateNamed('arcface'),
      );
    const [largest, best] = [await align('largest'), await align('best')];
    expect(await faceOf(join(largest.out, 'b.png'))).toEqual(expected(at(40, 20)));
    expect(await faceOf(join(best.out, 'b.png'))).toEqual(expected(at(0, 0, 0.5)));
  });
});

describe('landmark files', () => {
  const read = (text: string) => readLandmarkFile(write(join(temporaryFolder(), 'l.tsv'), text));
  const ten = '1\t2\t3\t2\t2\t3\t1\t4\t3\t4';

  test('with a header, with score and box, or with landmarks alone', async () => {
    const named = await read(`file\tperson\tx\ty\tw\th\t${'n\t'.repeat(9)}n\na.jpg\t7\t5\t6\t7\t8\t${ten}\n`);
    expect(named.get('a.jpg')).toEqual([
      {
        box: { x: 5, y: 6, width: 7, height: 8 },
        score: 1,
        landmarks: [
          [1, 2],
          [3, 2],
          [2, 3],
          [1, 4],
          [3, 4],
        ],
      },
    ]);
    const full = await read(`p\\a.jpg\t0.9\t5\t6\t7\t8\t${ten}\r\np\\a.jpg\t0.8\t1\t1\t1\t1\t${ten}\r\n`);
    expect(full.get('p/a.jpg')).toMatchObject([
      { score: 0.9, box: { x: 5, y: 6, width: 7, height: 8 } },
      { score: 0.8, box: { width: 1 } },
    ]);
    const [alone] = (await read(`a.jpg\t${ten}`)).get('a.jpg')!;
    expect(alone).toMatchObject({ score: 1, box: { x: expect.closeTo(-0.2), width: expect.closeTo(4.4) } });
  });

  test.each([
    ['', /there are no landmarks in it/],
    [`a.jpg\t${ten}\nb.jpg\t1\t2\n`, /line 2: after the path, its last ten columns must be/],
    [`a.jpg\t${ten.replace('4', 'x')}\n`, /line 1: after the path/],
  ])('%j is refused', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });

  test('that are missing are named', async () => {
    await expect(readLandmarkFile('nowhere.tsv')).rejects.toThrow('nowhere.tsv: no such file');
  });
});
