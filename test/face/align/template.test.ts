// Templates by name and convention, and patches as templates.
import { describe, expect, test } from 'vitest';
import { patches, patchNamed, patchTemplate } from '../../../src/face/align/patch.js';
import { templateLabel, templateNamed, templatePoints, templates } from '../../../src/face/align/template.js';
import { alignFace, type Landmarks } from '../../../src/face/index.js';
import { waves } from './pictures.js';

describe('templates', () => {
  test('ArcFace is SphereFace moved 8 pixels to the right, and their origins differ', () => {
    const [arcface, sphereface] = [templateNamed('arcface'), templateNamed('sphereface-112x96')];
    expect(arcface.points.map(([x, y]) => [Number((x - 8).toFixed(4)), y])).toEqual(sphereface.points);
    expect([arcface.origin, sphereface.origin]).toEqual([0, 1]);
    expect([sphereface.width, sphereface.height]).toEqual([96, 112]);
  });

  test('points counted from 1 are one less counted from 0', () => {
    const [one, zero] = [templateNamed('sphereface', 1), templateNamed('sphereface', 0)];
    expect(templatePoints(zero)).toEqual(zero.points);
    templatePoints(one).forEach(([x, y], i) => {
      expect([x + 1, y + 1]).toEqual(zero.points[i]);
    });
  });

  test('a label names the template again, patch and origin included', () => {
    for (const template of templates)
      for (const origin of [0, 1] as const)
        for (const patch of ['', '/upper', '/0.1,0.2,0.5,0.25']) {
          const named = templateNamed(`${template.name}${patch}`, origin);
          expect(templateNamed(templateLabel(named))).toEqual(named);
        }
    expect(templateLabel(templateNamed('ArcFace'))).toBe('arcface-112@0');
  });

  test.each([['vgg'], [''], ['arcface@2'], ['not stated']])("'%s' is none", (name) => {
    expect(() => templateNamed(name)).toThrow(/is no template: there are sphereface-112x96.*arcface-112/);
  });
});

describe('patches', () => {
  const arcface = templateNamed('arcface');

  test('the whole is the template', () => {
    const whole = patchTemplate(arcface, patchNamed('whole'));
    expect(whole).toMatchObject({ width: 112, height: 112, name: 'arcface-112/whole' });
    whole.points.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(arcface.points.flat()[i]!, 10);
    });
  });

  test('named patches keep the template’s size, whatever it is, and show what they say', () => {
    for (const template of templates) {
      const inside = (patch: string) =>
        templatePoints(patchTemplate(template, patchNamed(patch))).map(
          ([x, y]) => x >= 0 && y >= 0 && x <= template.width - 1 && y <= template.height - 1,
        );
      for (const { name } of patches) {
        expect(patchTemplate(template, patchNamed(name))).toMatchObject({
          width: template.width,
          height: template.height,
        });
      }
      expect(inside('upper').slice(0, 2)).toEqual([true, true]);
      expect(inside('lower').slice(2)).toEqual([true, true, true]);
      expect(inside('left')[0]).toBe(true);
      expect(inside('right')[1]).toBe(true);
    }
  });

  test.each([0, 1] as const)(
    'a quarter of the aligned face is its pixels twice as large (origin %i)',
    (origin) => {
      const template = templateNamed('arcface', origin);
      const photograph = { width: 300, height: 300, pixels: waves(300, 300) };
      const landmarks = template.points.map(([x, y]) => [2 * x + 30, 2 * y + 30]) as unknown as Landmarks;
      // At the photograph's own scale, so that neither blends pixels: its lower right quarter.
      const quarter = patchTemplate(template, patchNamed('0.5,0.5,0.5,0.5'));
      const patch = alignFace(photograph, landmarks, quarter, { antialias: 'none' });
      const large = patchTemplate(template, patchNamed('whole'), { width: 224, height: 224 });
      const whole = alignFace(photograph, landmarks, large, { antialias: 'none' });
      let worst = 0;
      for (let y = 0; y < 112; y++)
        for (let i = 0; i < 336; i++)
          worst = Math.max(worst, Math.abs(patch[y * 336 + i]! - whole[(y + 112) * 672 + 336 + i]!));
      expect(worst).toBeLessThanOrEqual(1);
    },
  );

  test('a rectangle of another aspect is not stretched', () => {
    const band = patchTemplate(arcface, patchNamed('0,0.25,1,0.5'));
    expect([band.width, band.height]).toEqual([112, 56]);
    const [left, right] = [band.points[0], band.points[1]];
    expect(right[0] - left[0]).toBeCloseTo(arcface.points[1][0] - arcface.points[0][0], 10);
    expect(left[1]).toBeCloseTo(arcface.points[0][1] - 28, 10);
  });

  test.each([['eyes'], ['0,0,1'], ['0,0,0,1'], ['0,0,1,'], ['a,b,c,d']])("'%s' is none", (text) => {
    expect(() => patchNamed(text)).toThrow(/is no patch: give whole, upper/);
  });

  test('a patch of less than a pixel is refused', () => {
    expect(() => patchTemplate(arcface, patchNamed('0,0,1,0.001'))).toThrow(/less than a pixel/);
  });
});
