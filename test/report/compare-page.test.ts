// The page of compared faces: whole markup, nothing from elsewhere, names that cannot become tags, and what is framed is
// what was decided; pictures with faces drawn where they are.
import { parseHTML } from 'linkedom';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { alikePairs, type Detection, type Landmarks, NO_LIMITS } from '../../src/face/index.js';
import { type CompareResults, comparedPhotograph, comparePage, drawFaces } from '../../src/report/index.js';
import { expectWellFormed } from '../support/markup.js';

const EVIL = `<script>alert('x')</script>"><img src=x onerror=alert(1)> & co.jpg`;

const detection = (x: number, y: number, size: number): Detection => ({
  box: { x, y, width: size, height: size },
  score: 0.875,
  landmarks: [
    [0.3, 0.4],
    [0.7, 0.4],
    [0.5, 0.6],
    [0.35, 0.8],
    [0.65, 0.8],
  ].map(([u, v]) => [...[x + u! * size, y + v! * size]]) as unknown as Landmarks,
});
const photograph = (width: number, height: number) => ({
  ...{ width, height, scale: 1 },
  pixels: new Uint8Array(width * height * 3).fill(90),
});
const aligned = { pixels: new Uint8Array(12 * 10 * 3).fill(50), width: 12, height: 10 };

/** Results with so many faces in two photographs, the first of which has one of them. */
async function results(faces: number, more: Partial<CompareResults> = {}): Promise<CompareResults> {
  const face = (number: number) => ({
    ...{ number, detection: detection(10 * number, 5, 20), aligned, quality: 0.5, reasons: ['<b>'] },
  });
  const all = Array.from({ length: faces }, (_, i) => face(i + 1));
  const similarities = all.map((_, a) => all.map((_, b) => (a === b ? 1 : 1 - 0.01 * Math.abs(a - b))));
  const threshold = more.decision?.threshold;
  const judged = all.map(({ detection }, i) => ({
    ...{ detection, photograph: Math.min(i, 1), embedding: new Float32Array() },
    quality: { parts: {}, measures: {} } as never,
  }));
  const options = { threshold: threshold ?? 2, limits: NO_LIMITS, allowRepeats: true };
  return {
    pairs: alikePairs(judged, more.similarities ?? similarities, options),
    photographs: [
      await comparedPhotograph(EVIL, photograph(120, 60), all.slice(0, 1)),
      await comparedPhotograph('b.jpg', photograph(60, 120), all.slice(1)),
    ],
    ...{ problems: [], similarities, settings: [['Model', EVIL]], ...more },
  };
}
const decision = { threshold: 0.975, fmr: 0.001, on: EVIL };

describe('the page', () => {
  test.each([0, 1, 2, 5, 20])('of %i faces is whole, and holds all it shows', async (faces) => {
    const page = comparePage(await results(faces, { decision, problems: [`${EVIL}: the file is empty`] }));
    expectWellFormed(page);
    const { document } = parseHTML(page);
    expect(document.querySelectorAll('script, link, iframe, object, embed, base')).toHaveLength(0);
    const policy = document.querySelector('meta[http-equiv]')!.getAttribute('content');
    expect(policy).toBe("default-src 'none'; style-src 'unsafe-inline'; img-src data:");
    const images = [...document.querySelectorAll('img')];
    // Two photographs, each face aligned, and each twice beside the matrix.
    expect(images).toHaveLength(2 + (faces > 1 ? 3 * faces : faces));
    for (const image of images) {
      expect(image.getAttribute('src')).toMatch(/^data:image\/jpeg;base64,[A-Za-z0-9+/=]+$/);
      expect(image.getAttribute('alt')).not.toBe('');
      for (const name of image.getAttributeNames()) expect(name).not.toMatch(/^on/);
    }
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    expect(document.querySelectorAll('circle')).toHaveLength(5 * faces);
    expect(document.querySelector('h1')!.textContent).toBe(
      `${faces === 0 ? 'No' : faces} face${faces === 1 ? '' : 's'} in 2 photographs`,
    );
    expect(document.body.textContent).toContain(EVIL);
  });

  test('frames what reaches the threshold, both ways, and says how many', async () => {
    const { document } = parseHTML(comparePage(await results(5, { decision })));
    // Neighbours and those next to them: .99 and .98.
    expect(document.querySelectorAll('td.same')).toHaveLength(2 * (4 + 3));
    expect(document.querySelectorAll('td.self')).toHaveLength(5);
    const lead = document.querySelector('.lead')!.textContent;
    expect(lead).toContain('The 10 pairs of faces have similarities');
    expect(lead).toContain('from 0.96 to 0.99');
    expect(lead).toContain('At the threshold of 0.975, 7 count as one person.');
    expect(lead).toContain('lets through 0.1 % of the pairs of different people');
  });

  test('frames no pair of one photograph, and says why it is not taken for one person', async () => {
    const whole = await results(5, { decision });
    const pairs = whole.pairs.map((pair) =>
      pair.a === 0
        ? pair
        : {
            ...pair,
            decision: 'different' as const,
            reasons: [{ code: 'one-photograph' as const, message: `two faces of ${EVIL}` }],
          },
    );
    const page = comparePage({ ...whole, pairs });
    expectWellFormed(page);
    const { document } = parseHTML(page);
    // Face 1 with 2 and 3; the other five pairs are of the second photograph.
    expect(document.querySelectorAll('td.same')).toHaveLength(2 * 2);
    expect(document.querySelectorAll('td.open.within')).toHaveLength(2 * 5);
    expect(document.querySelectorAll('td.within')).toHaveLength(2 * 6);
    const lead = document.querySelector('.lead')!.textContent;
    expect(lead).toContain('2 count as one person. 5 more pairs reach it and are not taken for one person');
    expect(lead).toContain(`two faces of ${EVIL}.`);
  });

  test('of more faces than a table can have lists the pairs that reach the threshold', async () => {
    const page = comparePage(await results(70, { decision: { threshold: 0.985 } }));
    expectWellFormed(page);
    const { document } = parseHTML(page);
    expect(document.querySelectorAll('table.matrix')).toHaveLength(0);
    expect(document.querySelectorAll('.pairs figure')).toHaveLength(69);
    const undecided = comparePage(await results(70));
    expect(undecided).toContain('give --threshold to see the pairs that reach it');
  });

  test('decides nothing for a model that states no threshold', async () => {
    const { document } = parseHTML(comparePage(await results(3)));
    expect(document.querySelectorAll('td.same')).toHaveLength(0);
    expect(document.body.textContent).toContain('The model states no threshold, so nothing is decided.');
  });

  test.each([-1, 0, 0.5, 1])(
    'shades cells between nothing and all at a threshold of %f',
    async (threshold) => {
      const similarities = [-1, -0.5, 0, 0.5, 0.99, 1].map((value) => [
        value,
        value,
        value,
        value,
        value,
        value,
      ]);
      const page = comparePage(await results(6, { decision: { threshold }, similarities }));
      const shares = [...page.matchAll(/var\(--same\) ([^%]*)%/g)].map(([, share]) => Number(share));
      expect(shares).toHaveLength(30);
      for (const share of shares) expect(share >= 0 && share <= 100).toBe(true);
      // Row by row similarities rise, and so do the shades.
      for (let i = 1; i < shares.length; i++) expect(shares[i]!).toBeGreaterThanOrEqual(shares[i - 1]!);
    },
  );
});

describe('pictures', () => {
  test('are shrunk to what a page shows, and their faces with them', async () => {
    const shown = await comparedPhotograph('a.jpg', photograph(1800, 900), [
      { number: 1, detection: detection(900, 300, 200), aligned, quality: 1, reasons: [] },
    ]);
    expect([shown.width, shown.height]).toEqual([900, 450]);
    expect(shown.faces[0]!.detection.box).toEqual({ x: 450, y: 150, width: 100, height: 100 });
    const { width, height } = await sharp(Buffer.from(shown.image.split(',')[1]!, 'base64')).metadata();
    expect([width, height]).toEqual([900, 450]);
  });

  test.each([
    [300, 200],
    [3, 1],
    [1, 900],
    [4500, 3000],
    [20, 9000],
  ])('of %i x %i can be drawn into', async (width, height) => {
    const jpeg = await drawFaces(photograph(width, height), [
      { detection: detection(-5, -5, 30), label: EVIL },
      { detection: detection(width - 10, height - 10, 40), label: '' },
    ]);
    const shrink = Math.max(1, Math.max(width, height) / 2000);
    const size = await sharp(jpeg).metadata();
    expect([size.width, size.height]).toEqual(
      [width, height].map((side) => Math.max(1, Math.round(side / shrink))),
    );
  });

  test('have the box where the face is, and are left alone elsewhere', async () => {
    const jpeg = await drawFaces(photograph(400, 300), [{ detection: detection(100, 120, 80), label: '' }]);
    const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
    const green = (x: number, y: number) => data[(y * info.width + x) * 3 + 1]! - 90;
    for (const [x, y] of [
      [100, 160],
      [180, 160],
      [140, 120],
      [140, 200],
    ] as const)
      expect(Math.abs(green(x, y))).toBeGreaterThan(30);
    for (const [x, y] of [
      [50, 160],
      [140, 130],
      [230, 160],
      [140, 260],
    ] as const)
      expect(Math.abs(green(x, y))).toBeLessThan(12);
  });
});
