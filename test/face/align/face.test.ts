// Faces laid on a template: places known by construction, and the aligned faces of LFW that others made.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPhotograph } from '../../../src/data/index.js';
import { type AlignOptions, alignFace, faceTransform } from '../../../src/face/align/face.js';
import { readLandmarkFile } from '../../../src/face/align/landmark-file.js';
import { scaleOf } from '../../../src/face/align/similarity.js';
import { type Template, templateNamed, templatePoints } from '../../../src/face/align/template.js';
import type { Landmarks } from '../../../src/face/index.js';
import { waves } from './pictures.js';

const photograph = { width: 200, height: 180, pixels: waves(180, 200) };

/** The part of the photograph from column x and row y on, [height, width, 3]. */
function cut(x: number, y: number, width: number, height: number): Uint8Array {
  const rows = Array.from({ length: height }, (_, row) => {
    const start = ((y + row) * photograph.width + x) * 3;
    return photograph.pixels.subarray(start, start + width * 3);
  });
  return Uint8Array.from(rows.flatMap((row) => [...row]));
}

test('landmarks that lie as in the template give that part of the photograph, pixel for pixel', () => {
  for (const name of ['sphereface@0', 'sphereface@1', 'arcface@0', 'arcface@1']) {
    const template = templateNamed(name);
    const landmarks = templatePoints(template).map(([x, y]) => [x + 40, y + 30]) as unknown as Landmarks;
    const aligned = alignFace(photograph, landmarks, template);
    expect(aligned).toEqual(cut(40, 30, template.width, template.height));
  }
});

test('the two origins are a pixel apart', () => {
  const landmarks = templatePoints(templateNamed('arcface', 0)).map(([x, y]) => [x + 40, y + 30]);
  const aligned = alignFace(photograph, landmarks as unknown as Landmarks, templateNamed('arcface', 1));
  // Everything lies a pixel further left and up.
  expect(aligned).toEqual(cut(41, 31, 112, 112));
});

test('SphereFace’s fit makes a face larger whose landmarks fit badly', () => {
  const profile: Landmarks = [
    [60, 60],
    [75, 60],
    [85, 80],
    [62, 100],
    [74, 100],
  ];
  const template = templateNamed('sphereface');
  const published = scaleOf(faceTransform(profile, template));
  const umeyama = scaleOf(faceTransform(profile, { ...template, error: 'template' }));
  expect(published).toBeGreaterThan(1.05 * umeyama);
});

test('landmarks in one place are refused', () => {
  const nowhere = Array(5).fill([3, 3]) as unknown as Landmarks;
  expect(() => alignFace(photograph, nowhere, templateNamed('arcface'))).toThrow(/lie in one place/);
});

const lfw = '../shared/data/lfw';
describe.skipIf(!existsSync(lfw))('LFW (skipped where ../shared/data/lfw is absent)', () => {
  const differences = async (template: Template, options: AlignOptions = {}) => {
    const table = await readLandmarkFile(join(lfw, 'landmarks-deepfunneled.tsv'));
    const lines = readFileSync(join(lfw, 'landmarks-deepfunneled.tsv'), 'utf8').split('\n');
    const paths = lines
      .map((line) => line.split('\t')[0]!)
      .filter((path) => path !== '' && existsSync(join(lfw, 'original-250-fold1', path)));
    const found: number[] = [];
    for (const path of paths.filter((_, i) => i % 80 === 0)) {
      const whole = await readPhotograph(join(lfw, 'original-250-fold1', path));
      const aligned = alignFace(whole, table.get(path)![0]!.landmarks, template, options);
      const { pixels } = await readPhotograph(join(lfw, 'aligned-112', path));
      found.push(aligned.reduce((sum, value, i) => sum + Math.abs(value - pixels[i]!), 0) / pixels.length);
    }
    return { worst: Math.max(...found), best: Math.min(...found) };
  };

  test('the faces aligned by ArcFace are had again, to what two JPEG files differ by', async () => {
    expect((await differences(templateNamed('arcface'))).worst).toBeLessThan(2);
  });

  test('another origin or another fit gives other faces', async () => {
    const arcface = templateNamed('arcface');
    expect((await differences({ ...arcface, origin: 1 })).best).toBeGreaterThan(2.5);
    expect((await differences({ ...arcface, error: 'photograph' })).worst).toBeGreaterThan(4);
  });
});
