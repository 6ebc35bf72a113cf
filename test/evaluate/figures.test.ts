import { describe, expect, it } from 'vitest';
import type { Angles, BoundaryPanel } from '../../src/evaluate/figures/boundaries.js';
import { boundaries } from '../../src/evaluate/figures/boundaries.js';
import { fig3, surplus } from '../../src/evaluate/figures/fig-3.js';
import { collectFigure, figures, figuresNamed } from '../../src/evaluate/figures/index.js';
import { boundaryBetween, stretches } from '../../src/evaluate/figures/root.js';
import { targetLogits } from '../../src/evaluate/figures/target-logits.js';
import { lossNamed } from '../../src/losses/index.js';

const options = { seed: 1, device: 'cpu' } as const;
const DEGREE = Math.PI / 180;

describe('the names of figures', () => {
  it('are known in the ways people write them, and come in the order of the page', () => {
    for (const name of ['3', 'fig3', 'fig-3', 'Fig. 3', 'figure 3']) {
      expect(figuresNamed(name)).toEqual([fig3]);
    }
    expect(figuresNamed('boundaries,3').map(({ name }) => name)).toEqual(['fig-3', 'boundaries']);
    expect(figuresNamed('all')).toEqual(figures);
  });

  it('are listed to those who use another', () => {
    expect(() => figuresNamed('fig-4')).toThrow(/'fig-4'.*all.*fig-3.*target-logits.*boundaries/);
    expect(() => figuresNamed('')).toThrow(/fig-3/);
  });

  it('are unique', () => {
    expect(new Set(figures.map(({ name }) => name)).size).toBe(figures.length);
  });
});

describe('the file of a figure', () => {
  it('is plain JSON, and tells a seed only where one had a part in it', async () => {
    const file = await collectFigure(targetLogits, options);
    expect(JSON.parse(JSON.stringify(file))).toEqual(file);
    expect(file).toMatchObject({ format: 'hypersphere-figure/1', name: 'target-logits' });
    expect(file.seed).toBeUndefined();
  });
});

describe('roots', () => {
  it('end inside, one rounding error from outside', () => {
    const root = boundaryBetween((at) => 2 - at * at, 0, 5);
    expect(2 - root * root).toBeGreaterThanOrEqual(0);
    expect(root).toBeCloseTo(Math.SQRT2, 14);
  });

  it('bound every stretch, those at the ends of the range too', () => {
    const found = stretches(Math.cos, 0, 4 * Math.PI, 100);
    const expected = [0, 0.5, 1.5, 2.5, 3.5, 4].map((at) => at * Math.PI);
    expect(found.flat()).toHaveLength(6);
    found.flat().forEach((at, i) => {
      expect(at).toBeCloseTo(expected[i]!, 12);
    });
  });
});

describe('target-logit curves', async () => {
  const { step, cosine, targets, others } = await targetLogits.collect(options);
  const curve = (id: string) => targets.find((one) => one.id === id)!;
  const angles = cosine.values.map((_, i) => i * step * DEGREE);

  it('cover 0 to 180 degrees and are the losses’ own targets', () => {
    for (const one of [cosine, ...targets]) {
      expect((one.values.length - 1) * step).toBe(180);
      if (one.lambda !== undefined) continue;
      expect(one.values).toEqual(angles.map(lossNamed(one.loss).target!(one.options)));
    }
  });

  it('are what the papers write', () => {
    const written: Record<string, (theta: number) => number> = {
      'a-softmax-2': (a) => (a <= Math.PI / 2 ? Math.cos(2 * a) : -Math.cos(2 * a) - 2),
      'a-softmax-4-annealed': (a) => {
        const k = Math.min(3, Math.floor((4 * a) / Math.PI));
        return (5 * Math.cos(a) + (-1) ** k * Math.cos(4 * a) - 2 * k) / 6;
      },
      cosface: (a) => Math.cos(a) - 0.35,
      arcface: (a) => (a <= Math.PI - 0.5 ? Math.cos(a + 0.5) : Math.cos(a) - 0.5 * Math.sin(0.5)),
      'sphereface-r-v1': (a) => (a <= Math.PI / 1.5 ? Math.cos(1.5 * a) : -1),
      'combined-1-0.3-0.2': (a) => (a + 0.3 <= Math.PI ? Math.cos(a + 0.3) - 0.2 : -Math.cos(a + 0.3) - 2.2),
    };
    for (const [id, f] of Object.entries(written)) {
      curve(id).values.forEach((value, i) => {
        expect(value, `${id} at ${i * step}`).toBeCloseTo(f(angles[i]!), 12);
      });
    }
    others[0]!.values.forEach((value, i) => {
      expect(value).toBeCloseTo(Math.cos(angles[i]! / 1.5), 12);
    });
  });

  it('never rise, but for the leap of the easy margin at 90 degrees', () => {
    for (const { id, values } of targets) {
      const rises = values.flatMap((value, i) => (i > 0 && value > values[i - 1]! + 1e-12 ? [i * step] : []));
      if (id !== 'arcface-easy') expect(rises, id).toEqual([]);
      else expect(rises).toHaveLength(1);
    }
    expect(curve('arcface-easy').leaps.map(({ theta }) => theta)).toEqual([expect.closeTo(90, 9)]);
    expect(curve('arcface').leaps).toEqual([
      {
        theta: expect.closeTo(180 - 0.5 / DEGREE, 9),
        before: expect.closeTo(-1, 6),
        after: expect.closeTo(-Math.cos(0.5) - 0.5 * Math.sin(0.5), 6),
      },
    ]);
    expect(targets.filter(({ leaps }) => leaps.length > 0)).toHaveLength(2);
  });
});

/** How far class k's inequality holds at (theta_1, theta_2), written anew. */
function holds(
  { loss, options: chosen, lambda, lengths }: BoundaryPanel,
  k: 0 | 1,
  [t1, t2]: Angles,
): number {
  const [own, other] = k === 0 ? [t1, t2] : [t2, t1];
  const { target, others = () => Math.cos } = lossNamed(loss);
  let value = target!(chosen)(own * DEGREE);
  if (lambda !== undefined) value = (lambda * Math.cos(own * DEGREE) + value) / (1 + lambda);
  return lengths[k] * value - lengths[1 - k]! * others(chosen)(other * DEGREE);
}

const inside = ([x, y]: Angles, polygon: readonly Angles[]): boolean =>
  polygon.filter(([x1, y1], i) => {
    const [x2, y2] = polygon[(i + 1) % polygon.length]!;
    return y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1);
  }).length %
    2 ===
  1;

describe('decision boundaries', async () => {
  const { between, panels } = await boundaries.collect(options);

  it('are where both sides of the class’s inequality are equal', () => {
    for (const panel of panels) {
      for (const k of [0, 1] as const) {
        const points = panel.boundaries[k].flat();
        expect(points.length, panel.id).toBeGreaterThan(80);
        const worst = Math.max(...points.map((point) => Math.abs(holds(panel, k, point))));
        expect(worst, panel.id).toBeLessThan(1e-9);
      }
    }
  });

  it('bound regions in which the inequality holds, and outside of which it does not', () => {
    for (const panel of panels) {
      for (const k of [0, 1] as const) {
        for (let t1 = 2.3; t1 < 180; t1 += 7.1) {
          for (let t2 = 1.7; t2 < 180; t2 += 7.1) {
            const surplusHere = holds(panel, k, [t1, t2]);
            // Polygons have straight sides: at the very border they may be off.
            if (Math.abs(surplusHere) < 5e-3) continue;
            const inRegion = panel.regions[k].some((polygon) => inside([t1, t2], polygon));
            expect(inRegion, `${panel.id}, class ${k + 1}, at ${t1}, ${t2}`).toBe(surplusHere > 0);
          }
        }
      }
    }
  });

  it('leave the margin that the papers derive', () => {
    const margin = (id: string, at: number) =>
      panels.find((panel) => panel.id === id)!.arcs[between.indexOf(at)]?.margin;
    for (const at of between) {
      for (const m of [2, 3, 4]) {
        expect(margin(`a-softmax-${m}`, at)).toBeCloseTo(((m - 1) / (m + 1)) * at, 9);
      }
      expect(margin('arcface', at)).toBeCloseTo(0.5 / DEGREE, 9);
      expect(margin('cosine', at)).toBeCloseTo(0, 9);
      for (const id of ['sphereface-r-v1', 'sphereface-r-v2']) {
        expect(margin(id, at)).toBeCloseTo(at / 5, 9);
      }
    }
    // cos a - 0.35 = cos(90 - a), and twice what is left on either side of 45 degrees.
    const a = 45 - Math.asin(0.35 / Math.SQRT2) / DEGREE;
    expect(margin('cosface', 90)).toBeCloseTo(90 - 2 * a, 9);
    expect(margin('cosface', 30), 'a margin beyond 1 - cos 30°').toBeUndefined();
  });
});

describe('constraint regions (Fig. 3)', async () => {
  const { constraints, euclidean, reach, between } = await fig3.collect(options);
  const constraint = (id: string) => constraints.find((one) => one.id === id)!;
  const classes = [0, 1] as const;
  const norm = (x: readonly number[]) => Math.hypot(...x);

  it('end where the class’s inequality holds with equality, or at the rim of what is shown', () => {
    for (const one of constraints) {
      for (const k of classes) {
        const plane = surplus({ ...one, vectors: one.vectors.plane }, k);
        for (const x of one.plane[k]) {
          const rim = Math.abs(norm(x) - reach);
          expect(Math.min(Math.abs(plane(x)), rim), one.id).toBeLessThan(1e-9);
          expect(norm(x)).toBeLessThan(reach + 1e-9);
        }
        const sphere = surplus({ ...one, vectors: one.vectors.space }, k);
        for (const x of one.sphere[k]) {
          expect(Math.abs(sphere(x)), one.id).toBeLessThan(1e-9);
          expect(norm(x)).toBeCloseTo(1, 12);
        }
      }
    }
  });

  it('shrink from modified softmax to A-Softmax, and with m', () => {
    const order = ['modified-softmax', 'a-softmax-2', 'a-softmax-4'].map(constraint);
    for (const [outer, inner] of [order.slice(0, 2), order.slice(1, 3)] as (typeof order)[]) {
      for (const k of classes) {
        const plane = surplus({ ...outer!, vectors: outer!.vectors.plane }, k);
        expect(Math.min(...inner!.plane[k].map(plane))).toBeGreaterThan(-1e-9);
        const sphere = surplus({ ...outer!, vectors: outer!.vectors.space }, k);
        expect(Math.min(...inner!.sphere[k].map(sphere)), inner!.id).toBeGreaterThan(0.05);
      }
    }
  });

  it('meet at the bisector without a margin, and leave (m - 1)/(m + 1) of the angle with one', () => {
    const [one, two] = constraint('modified-softmax').ends;
    expect([one, two]).toEqual([expect.closeTo(between / 2, 9), expect.closeTo(between / 2, 9)]);
    for (const m of [2, 4]) {
      const { ends } = constraint(`a-softmax-${m}`);
      expect(ends[1] - ends[0]).toBeCloseTo(((m - 1) / (m + 1)) * between, 9);
    }
  });

  it('are, for softmax, the two sides of one line, and of one plane', () => {
    const { plane, sphere, vectors, biases } = constraint('softmax');
    const side = (pair: number[][], x: number[]) =>
      x.reduce((sum, value, i) => sum + value * (pair[0]![i]! - pair[1]![i]!), biases[0] - biases[1]);
    for (const k of classes) {
      const sign = k === 0 ? 1 : -1;
      expect(Math.min(...plane[k].map((x) => sign * side(vectors.plane, x)))).toBeGreaterThan(-1e-9);
      for (const x of sphere[k]) expect(side(vectors.space, x)).toBeCloseTo(0, 9);
    }
  });

  it('are, for distances, balls in which any two of one class are nearer than any two of both', () => {
    const { centres, radius, margin } = euclidean;
    const apart = Math.hypot(...centres[0].map((value, i) => value - centres[1][i]!));
    expect(2 * radius).toBeLessThanOrEqual(margin);
    expect(apart - 2 * radius).toBeCloseTo(margin, 12);
  });
});
