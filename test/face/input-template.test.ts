// A photograph goes straight into a network's input: where an aligned face's landmarks would lie after the window rule.
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeBytes } from '../../src/data/images.js';
import { inputTemplate } from '../../src/face/align/input-template.js';
import { templateNamed, templatePoints } from '../../src/face/align/template.js';
import { alignFace, type Landmarks, type Manifest } from '../../src/face/index.js';
import { waves } from './align/pictures.js';

const model = (template: string, width: number, height: number) => ({
  name: 'm',
  template,
  input: { name: 'images', width, height, order: 'rgb', mean: 0, scale: 1 } satisfies Manifest['input'],
});
const points = (template: string, width: number, height: number) =>
  templatePoints(inputTemplate(model(template, width, height)));
const published = (name: string) => templatePoints(templateNamed(name));

describe('the template in pixels of the input', () => {
  test.each([
    ['arcface-112', 112, 112],
    ['sphereface-112x96', 96, 112],
    ['sphereface-112x96@0', 96, 112],
    ['dlib-150', 150, 150],
  ])('%s is itself for %i x %i', (name, width, height) => {
    points(name, width, height).forEach(([x, y], i) => {
      expect(x).toBeCloseTo(published(name)[i]![0], 10);
      expect(y).toBeCloseTo(published(name)[i]![1], 10);
    });
  });

  test('of 112 x 112 for an input 96 wide is its columns 8 to 103', () => {
    points('arcface-112', 96, 112).forEach(([x, y], i) => {
      expect(x).toBeCloseTo(published('arcface-112')[i]![0] - 8, 10);
      expect(y).toBeCloseTo(published('arcface-112')[i]![1], 10);
    });
  });

  test.each(['arcface-112@0', 'arcface-112@1'])(
    '%s of twice the size: a pixel becomes two by two',
    (name) => {
      points(name, 224, 224).forEach(([x, y], i) => {
        const [px, py] = published(name)[i]!;
        // Pixel 0 becomes pixels 0 and 1, whose middle is .5.
        expect(x).toBeCloseTo(2 * px + 0.5, 10);
        expect(y).toBeCloseTo(2 * py + 0.5, 10);
      });
    },
  );

  test('a face laid straight into the input is the aligned face as the window rule crops it', async () => {
    const photograph = { width: 180, height: 160, pixels: waves(160, 180) };
    const landmarks = published('arcface-112').map(([x, y]) => [
      ...[20 + 0.9 * x - 0.2 * y, 40 + 0.2 * x + 0.9 * y],
    ]) as unknown as Landmarks;
    const aligned = alignFace(photograph, landmarks, templateNamed('arcface-112'));
    const file = await sharp(aligned, { raw: { width: 112, height: 112, channels: 3 } })
      .png()
      .toBuffer();
    const cropped = await decodeBytes(file, 'x', { size: [112, 96], order: 'rgb' });
    const straight = alignFace(photograph, landmarks, inputTemplate(model('arcface-112', 96, 112)));
    // To a rounding: the two transforms are equal, not their last digits.
    expect(straight).toHaveLength(cropped.length);
    const off = straight.map((value, i) => Math.abs(value - cropped[i]!));
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
  });
});

test.each(['not stated', 'my own', ''])(
  "a model whose template is '%s' is told the flag that mends it",
  (template) => {
    expect(() => inputTemplate(model(template, 112, 112))).toThrow(
      `m does not say how its faces are aligned (template: ${template}); say it with --template sphereface-112x96 or arcface-112`,
    );
  },
);
