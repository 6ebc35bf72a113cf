// Drawings of trained figures: from data of a few steps, and their geometry against what can be worked out by hand.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Figure, figures } from '../../src/evaluate/figures/index.js';
import type { TrainedData } from '../../src/evaluate/figures/trained-data.js';
import { border } from '../../src/report/figures/fig-2.js';
import { viewOf } from '../../src/report/figures/fig-5.js';
import { extentOf } from '../../src/report/figures/fig-plane.js';
import { acceptedBy, between } from '../../src/report/figures/fig-ring.js';
import { drawings } from '../../src/report/figures/index.js';
import { figuresPage } from '../../src/report/figures-page.js';
import { html } from '../../src/report/html.js';
import { standalone } from '../../src/report/standalone.js';
import { expectWellFormed, expectXml } from '../support/markup.js';
import { writeFaces } from '../train/faces.js';

const trained = figures.filter((figure) => figure.trained) as Figure<TrainedData>[];
const found = new Map<string, TrainedData>();
beforeAll(async () => {
  const faces = await writeFaces(30, 3);
  for (const figure of trained) {
    // Fig. 9 asks for people with 28 images.
    const folder = figure.name === 'fig-9' ? await writeFaces(3, 28) : faces;
    const options = { seed: 1, device: 'cpu', threads: 1, steps: 3, perClass: 20, faces: folder } as const;
    found.set(figure.name, await figure.collect(options));
  }
});
const draw = (name: string, data = found.get(name)!) => drawings[name]!.draw(data);

/** The data with one network that diverged. */
function diverged(data: TrainedData): TrainedData {
  const copy = structuredClone(data);
  const network = copy.parts[0]!.networks[0]!;
  delete network.measured;
  network.diverged = 7;
  return copy;
}

describe('every drawing of a trained figure', () => {
  it('has plots of digits and of faces, as SVG that stands alone', () => {
    for (const { name } of trained) {
      const { plots } = draw(name);
      const ids = plots.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const subject of ['digits', 'faces']) expect(ids.some((id) => id.startsWith(subject))).toBe(true);
      for (const { svg, caption, title } of plots) {
        expect(svg.text).not.toMatch(/NaN|Infinity|undefined/);
        expect(html`${caption}`.text).not.toMatch(/NaN|undefined/);
        expectXml(standalone(svg, title ?? name));
      }
    }
  });

  it('says in numbers what came out, and how it was trained', () => {
    for (const { name } of trained) {
      const { lead, settings, after } = draw(name);
      expect(html`${lead}${after}`.text).not.toMatch(/NaN|undefined|Infinity/);
      expect(html`${lead}`.text).toMatch(/\d/);
      const names = settings.map(([setting]) => setting);
      expect(names).toEqual(expect.arrayContaining(['digits: learning rate', 'faces: learning rate']));
    }
  });

  it('tells of a network that diverged, and draws the others', () => {
    for (const { name } of trained) {
      const { plots, after } = draw(name, diverged(found.get(name)!));
      expect(html`${after}`.text).toContain('no longer a finite number at step 7');
      expect(plots.some(({ id }) => id.startsWith('faces'))).toBe(true);
      for (const { svg } of plots) expect(svg.text).not.toMatch(/NaN|undefined/);
    }
  });

  it('makes a well-formed page', () => {
    const shown = trained.map((figure) => ({
      figure,
      file: {
        format: 'hypersphere-figure/1' as const,
        name: figure.name,
        seed: 1,
        made: '2020-01-01T00:00:00Z',
        seconds: 1,
        versions: {},
        data: found.get(figure.name),
      },
      drawn: draw(figure.name),
    }));
    const text = figuresPage(shown);
    expectWellFormed(text.replace(/<script>[\s\S]*?<\/script>/, ''));
    // One sphere a margin, of digits and of faces, to be turned.
    expect(text.match(/ data-sphere="/g)).toHaveLength(8);
  });
});

describe('what a loss accepts', () => {
  const at = (degrees: number, length = 1) => [
    length * Math.cos((degrees * Math.PI) / 180),
    length * Math.sin((degrees * Math.PI) / 180),
  ];
  const accepted = (degrees: number, options: Partial<Parameters<typeof acceptedBy>[1]> = {}) =>
    acceptedBy((degrees * Math.PI) / 180, {
      classVectors: [at(0), at(90)],
      lengths: false,
      margin: 1,
      lambda: 0,
      ...options,
    });

  it('is divided by the bisector without a margin', () => {
    expect([44.9, 45.1, 90, 224.9, 225.1, 359].map((angle) => accepted(angle))).toEqual([0, 1, 1, 1, 0, 0]);
  });

  it('ends at 1 / (m + 1) of the angle between the classes with A-Softmax', () => {
    for (const margin of [2, 3, 4]) {
      const edge = 90 / (margin + 1);
      expect(accepted(edge - 0.1, { margin })).toBe(0);
      expect(accepted(edge + 0.1, { margin })).toBe(-1);
      expect(accepted(90 - edge - 0.1, { margin })).toBe(-1);
      expect(accepted(90 - edge + 0.1, { margin })).toBe(1);
    }
  });

  it('has no margin left where lambda outweighs it', () => {
    expect(accepted(44, { margin: 4, lambda: 1e6 })).toBe(0);
  });

  it('moves with the lengths of class vectors only where they count', () => {
    // 2 cos t = sin t at t = 63.43 degrees.
    const classVectors = [at(0, 2), at(90)];
    expect([63.3, 63.6].map((angle) => accepted(angle, { classVectors, lengths: true }))).toEqual([0, 1]);
    expect([44.9, 45.1].map((angle) => accepted(angle, { classVectors }))).toEqual([0, 1]);
  });

  it('takes angles the short way round', () => {
    expect(between(0.1, 2 * Math.PI - 0.1)).toBeCloseTo(0.2, 12);
    expect(between(-3, 3)).toBeCloseTo(2 * Math.PI - 6, 12);
  });
});

describe('the plane', () => {
  it('has its border where both logits are equal, across the whole frame', () => {
    for (const [w, b] of [
      [[1, 0], 0],
      [[0.3, -2], 1.5],
      [[-1, -1], -4],
    ] as const) {
      const [x1, y1, x2, y2] = border(w, b, 10);
      expect(w[0] * x1 + w[1] * y1 + b).toBeCloseTo(0, 9);
      expect(w[0] * x2 + w[1] * y2 + b).toBeCloseTo(0, 9);
      expect(Math.hypot(x2 - x1, y2 - y1)).toBeCloseTo(32, 9);
    }
  });

  it('shows nearly all points, however far a few lie', () => {
    const near = Array.from({ length: 500 }, (_, i) => [Math.cos(i), Math.sin(i)]);
    expect(extentOf([near, [[1000, 0]]])).toBeCloseTo(1.06, 6);
    expect(extentOf([[[0, 0]]])).toBe(1);
  });
});

describe('the sphere', () => {
  it('is turned so that three corners of an octahedron lie well in front', () => {
    const axes = [
      [1, 0, 0],
      [0, 2, 0],
      [0, 0, 3],
    ];
    const corners = axes.flatMap((row) => [row, row.map((value) => -value)]);
    const [right, towards] = viewOf(corners).map((degrees) => (degrees * Math.PI) / 180) as [number, number];
    // Where the reader is, in the sphere's own axes.
    const reader = [
      -Math.cos(towards) * Math.sin(right),
      -Math.cos(towards) * Math.cos(right),
      Math.sin(towards),
    ];
    for (const part of reader) expect(Math.abs(part)).toBeGreaterThan(0.5);
  });
});
