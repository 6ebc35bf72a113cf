// evaluate bin as a user's shell runs it, on drawn pictures, and beside the same pictures as files in a folder.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { write } from '../data/pictures.js';
import { hypersphere } from './hypersphere.js';
import { meansModel } from './means-model.js';

const fixtures = fileURLToPath(new URL('../fixtures/bin/', import.meta.url));
const set = join(fixtures, 'protocol2.bin');
const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));
const model = meansModel(join(folder, 'means.onnx'));
const bin = (...flags: string[]) => hypersphere('evaluate', 'bin', ...flags, ...model);
const expected: { images: string[]; same: boolean[] } = JSON.parse(
  readFileSync(join(fixtures, 'expected.json'), 'utf8'),
);
/** A set as Python 2 pickles it: T has four bytes of length before a string. */
function pickled(images: readonly Buffer[], same: readonly boolean[]): Buffer {
  const length = (image: Buffer) => Buffer.from(Uint32Array.of(image.length).buffer);
  const strings = images.flatMap((image) => [Buffer.from('T'), length(image), image]);
  const marks = same.map((mark) => (mark ? '\x88' : '\x89')).join('');
  const ends = ['\x80\x02((', `l(${marks}lt.`].map((text) => Buffer.from(text, 'latin1'));
  return Buffer.concat([ends[0]!, ...strings, ends[1]!]);
}
/** Standard error without the lines of progress. */
const said = (stderr: string) => stderr.replace(/^\d+\/\d+ images.*\n/gm, '');

describe('evaluate bin', () => {
  test.each(['sphereface', 'insightface', 'exact'])(
    'in mode %s gives the figures of the same pictures as files in a folder',
    async (mode) => {
      const { code, stdout, stderr } = await bin(set, '--mode', mode, '--json');
      expect({ code, stderr: said(stderr) }).toEqual({ code: 0, stderr: '' });
      const figures = JSON.parse(stdout);
      expect(figures).toMatchObject({
        format: 'hypersphere-evaluation/1',
        protocol: 'bin',
        title: `protocol2 verification, mode ${mode}`,
        details: { mode, images: 24, different: 11 },
        verification: { pairs: 12, samePairs: 6, differentPairs: 6, intervals: { resampled: 'images' } },
      });
      expect(figures.verification.folds).toHaveLength(10);
      expect(figures.notes.join()).toMatch(/names no people: intervals come from drawing images/);
      expect(figures.mistakes.length).toBe(
        figures.verification.folds.reduce(
          (sum: number, { accuracy, pairs }: { accuracy: number; pairs: number }) =>
            sum + Math.round((1 - accuracy) * pairs),
          0,
        ),
      );

      const { images, same } = expected;
      const names = new Map<string, string>();
      for (const image of images)
        if (!names.has(image)) {
          names.set(image, `${names.size}.jpg`);
          write(join(folder, 'files', names.get(image)!), Buffer.from(image, 'hex'));
        }
      const name = (i: number) => names.get(images[i]!);
      const list = join(folder, 'list.txt');
      writeFileSync(list, same.map((mark, i) => `${name(2 * i)} ${name(2 * i + 1)} ${mark}\n`).join(''));
      const asFiles = await hypersphere(
        ...['evaluate', 'pairs', '--pairs', list, '--data', join(folder, 'files'), '--mode', mode],
        ...['--json', '--allow-duplicates', ...model],
      );
      expect(JSON.parse(asFiles.stdout).verification).toEqual(figures.verification);
    },
  );

  test('prints several sets one after the other, and writes a report each', async () => {
    const other = join(folder, 'other.bin');
    // Two marks are wrong, so there are mistakes to show.
    const marks = expected.same.map((mark, i) => (i === 3 || i === 5 ? !mark : mark));
    writeFileSync(
      other,
      pickled(
        expected.images.map((image) => Buffer.from(image, 'hex')),
        marks,
      ),
    );
    const report = join(folder, 'report');
    const { code, stdout } = await bin(set, other, '--report', report);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^protocol2 verification, mode insightface: .*\nother verification, mode insightface: /ms,
    );
    expect(readdirSync(report).sort()).toEqual(['other', 'protocol2']);
    const page = readFileSync(join(report, 'other/index.html'), 'utf8');
    const { mistakes } = JSON.parse(readFileSync(join(report, 'other/evaluation.json'), 'utf8'));
    expect(mistakes.length).toBeGreaterThan(0);
    expect(page).toContain('src="data:image/');
    expect(page).not.toContain('could not be read');
  });

  test('keeps the figures of the sets before a damaged one, and says what is wrong with it in one line', async () => {
    const cut = join(folder, 'cut.bin');
    writeFileSync(cut, readFileSync(set).subarray(0, 4000));
    const { code, stdout, stderr } = await bin(set, cut, '--json');
    expect(code).toBe(3);
    const [first, failure] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(first.title).toMatch(/^protocol2 /);
    expect(failure).toMatchObject({ error: { code: 'bad-input' } });
    expect(said(stderr)).toMatch(
      /^hypersphere: .*cut\.bin: its pickle is cut off; the file is damaged or holds no pickle\n$/,
    );
  });

  test('runs nothing that a hostile pickle asks for', async () => {
    const { code, stderr } = await bin(join(fixtures, 'hostile.bin'));
    expect(code).toBe(3);
    expect(stderr).toMatch(/^hypersphere: .*hostile\.bin: has an object of posix\.system where .* is due\n$/);
    expect(existsSync('/tmp/hypersphere-was-here')).toBe(false);
  });

  test('names an image that cannot be decoded', async () => {
    // The first image's bytes after its first three are noise.
    const bytes = Buffer.from(readFileSync(join(fixtures, 'protocol3.bin')));
    const start = bytes.indexOf(Buffer.from([0xff, 0xd8, 0xff]));
    bytes.fill(7, start + 3, start + 200);
    const damaged = join(folder, 'damaged.bin');
    writeFileSync(damaged, bytes);
    const { code, stderr } = await bin(damaged);
    expect(code).toBe(3);
    expect(said(stderr)).toMatch(/^hypersphere: .*damaged\.bin: image 1: .*\n$/);
  });

  test('refuses more folds than pairs, pairs of one kind, and two sets of one name with one report', async () => {
    const few = await bin(set, '--folds', '13');
    expect(few.stderr).toMatch(/^hypersphere: .*\.bin: 12 pairs cannot make 13 folds.*\n$/);
    const one = join(folder, 'one.bin');
    const image = Buffer.from(expected.images[0]!, 'hex');
    writeFileSync(one, pickled([image, image], [true]));
    expect((await bin(one)).stderr).toMatch(
      /^hypersphere: .*one\.bin: holds no pair of different people; .*\n$/,
    );
    const twice = await bin(set, set, '--report', join(folder, 'twice'));
    expect(twice.stderr).toMatch(/^hypersphere: protocol2: two sets have this name.*\n$/);
    expect((await bin()).code).toBe(2);
    expect((await bin(set, '--aligned', 'nothing')).code).toBe(2);
  });
});
