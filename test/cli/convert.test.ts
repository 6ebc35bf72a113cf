// convert as a user's shell runs it: record sets to folders and back, stopped runs, damage and mixed-up folders.
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { encode, noise, write } from '../data/pictures.js';
import { hypersphere } from './hypersphere.js';

const fixture = fileURLToPath(new URL('../fixtures/rec', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));
const convert = (...flags: string[]) => hypersphere('convert', ...flags);
const said = (stderr: string) => stderr.replace(/^\d+\/\d+ .*\n/gm, '');
const files = (place: string) =>
  (readdirSync(place, { recursive: true }) as string[]).filter((path) => /\.\w+$/.test(path)).sort();
const unpacked = ['0/1.jpg', '0/2.jpg', '1/3.jpg', '1/4.jpg', '1/5.jpg', '2/6.jpg'];

describe('convert', () => {
  test('unpacks a set into one folder a person, and passes over what is there', async () => {
    const out = join(folder, 'a');
    const first = await convert(join(fixture, 'train.rec'), '--out', out, '--json');
    expect({ code: first.code, stderr: said(first.stderr) }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(first.stdout)).toMatchObject({
      records: 6,
      written: 6,
      there: 0,
      people: 3,
      indexed: true,
      problems: [],
      stopped: false,
      property: { people: 3, height: 16, width: 16 },
    });
    expect(files(out)).toEqual(unpacked);
    // A file that is there is not written again; one that is gone is.
    const old = new Date(2001, 1, 1);
    utimesSync(join(out, '0/1.jpg'), old, old);
    rmSync(join(out, '1/4.jpg'));
    const second = await convert(fixture, '--out', out);
    expect(second.stdout).toMatch(/^1 images of 3 people written to .*, 5 were there, 0 problems; /);
    expect(statSync(join(out, '0/1.jpg')).mtime).toEqual(old);
    expect(files(out)).toEqual(unpacked);
  });

  test('packs a folder, and unpacks it byte for byte', async () => {
    const people = join(folder, 'people');
    const images = new Map<string, Buffer>();
    for (const [i, path] of ['Ann/1.jpg', 'Ann/2.jpg', 'Bob/10.png', 'Bob/9.png'].entries()) {
      images.set(path, await encode(noise(12, 9, 3, i), 12, 9, path.endsWith('png') ? 'png' : 'jpeg'));
      write(join(people, path), images.get(path)!);
    }
    write(join(people, 'Bob/11.png'), await encode(noise(5, 5, 3), 5, 5, 'png'));
    write(join(people, 'Cy/1.jpg'), 'no image');
    const rec = join(folder, 'packed/mine.rec');
    const packed = await convert(people, '--out', rec, '--json');
    expect(packed.code).toBe(0);
    expect(JSON.parse(packed.stdout)).toMatchObject({
      images: 5,
      people: 2,
      height: 12,
      width: 9,
      otherSizes: 1,
    });
    expect(said(packed.stderr)).toMatch(
      /^skipped .*Cy\/1\.jpg: .*\n1 images are not 12x9 as the first one is; .*\n$/,
    );
    expect(files(join(folder, 'packed'))).toEqual(['mine.idx', 'mine.lst', 'mine.rec']);

    const back = join(folder, 'back');
    expect((await convert(rec, '--out', back)).code).toBe(0);
    expect(files(back)).toEqual(['0/1.jpg', '0/2.jpg', '1/3.png', '1/4.png', '1/5.png']);
    for (const [path, original] of [
      ['0/1.jpg', 'Ann/1.jpg'],
      ['0/2.jpg', 'Ann/2.jpg'],
      ['1/3.png', 'Bob/9.png'],
      ['1/4.png', 'Bob/10.png'],
    ])
      expect(readFileSync(join(back, path!))).toEqual(images.get(original!));
    const again = join(folder, 'again/mine.rec');
    await convert(back, '--out', again);
    expect(readFileSync(again)).toEqual(readFileSync(rec));
  });

  test('names damaged records and unpacks the others', async () => {
    const damaged = join(folder, 'damaged');
    cpSync(fixture, damaged, { recursive: true });
    const bytes = readFileSync(join(fixture, 'train.rec'));
    bytes.fill(0, 728, 736);
    writeFileSync(join(damaged, 'train.rec'), bytes);
    const { code, stdout, stderr } = await convert(damaged, '--out', join(folder, 'b'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ written: 5, people: 3 });
    expect(said(stderr)).toMatch(/^.*train\.rec: record 2 at byte 728: no record begins there .*\n$/);
    expect(files(join(folder, 'b'))).toEqual(unpacked.filter((path) => path !== '0/2.jpg'));
    rmSync(join(damaged, 'train.idx'));
    const scanned = await convert(join(damaged, 'train.rec'), '--out', join(folder, 'c'), '--json');
    expect(JSON.parse(scanned.stdout)).toMatchObject({ written: 5, indexed: false });
    // Scanned or not, an image has one name, so a run goes on where another stopped.
    expect(files(join(folder, 'c'))).toEqual(files(join(folder, 'b')));
    expect(said(scanned.stderr)).toMatch(
      /^.*record 2 of the file at byte 728: .*; reading goes on at byte 1460\n$/,
    );
  });

  test("does not write into another set's folder", async () => {
    const out = join(folder, 'mixed');
    write(join(out, '1/3.jpg'), 'another image');
    const { code, stderr } = await convert(fixture, '--out', out);
    expect(code).toBe(3);
    expect(said(stderr)).toMatch(
      /^hypersphere: .*1\/3\.jpg: is another image than record 3 of .*; choose an empty folder\n$/,
    );
    expect(readFileSync(join(out, '1/3.jpg'), 'utf8')).toBe('another image');
  });

  test('ends with one line for what it cannot convert', async () => {
    const out = join(folder, 'd');
    const nothing = await convert(join(folder, 'nowhere'), '--out', out);
    expect(nothing).toMatchObject({ code: 4 });
    expect(nothing.stderr).toMatch(/^hypersphere: .*nowhere: no such file or folder\n$/);
    const text = await convert(write(join(folder, 'text.rec'), 'no records'), '--out', out);
    expect(said(text.stderr)).toMatch(
      /^hypersphere: .*text\.rec: holds no image \(record 1 of the file at byte 0: no record begins there.*\n$/,
    );
    const empty = await convert(folder, '--out', out);
    expect(empty.stderr).toMatch(/^hypersphere: .*: holds no train\.rec to unpack; .* with --out\n$/);
    const file = await convert(fixture, '--out', join(folder, 'text.rec/in'));
    expect(file.stderr).toMatch(/^hypersphere: .*below the file .*\n$/);
    expect(await convert(join(fixture, 'train.rec'), '--out', 'x.rec')).toMatchObject({ code: 2 });
    expect(await convert(fixture)).toMatchObject({ code: 2 });
    const loose = await convert(join(folder, 'a/0'), '--out', join(folder, 'e.rec'));
    expect(loose.stderr).toMatch(/^hypersphere: .*holds 2 images but no folders of people.*\n$/);
  });
});
