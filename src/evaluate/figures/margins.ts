// The margin functions that the comparisons show, each as the loss that trains with it gives it: what stands in
// the place of cos(theta) for the true class, and for the others.
import { type AngleFunction, type Annealing, lossNamed } from '../../losses/index.js';

/** A margin function in a comparison. */
export interface Margin {
  /** As in file names and data. */
  id: string;
  title: string;
  loss: string;
  options: Record<string, unknown>;
  /** What the margin does: curves of one family are drawn together. */
  family: 'multiplied' | 'subtracted' | 'added' | 'combined' | 'others';
  /** The annealing weight at which it is shown; without one, the margin has the whole logit. */
  lambda?: number;
}

const combination = (m1: number, m2: number, m3: number): Margin => ({
  id: `combined-${m1}-${m2}-${m3}`,
  title: `Combined (${m1}, ${m2}, ${m3})`,
  loss: 'combined',
  options: { m1, m2, m3 },
  family: 'combined',
});

/** lambda at the end of the paper's schedule. */
const lambdaMinimum = (lossNamed('a-softmax').defaults.annealing as Annealing).minimum;

/** All margin functions, in the order in which the field came to them within each family. */
export const MARGINS: readonly Margin[] = [
  ...[2, 3, 4].map(
    (margin): Margin => ({
      id: `a-softmax-${margin}`,
      title: `A-Softmax, m = ${margin}`,
      loss: 'a-softmax',
      options: { margin },
      family: 'multiplied',
    }),
  ),
  {
    id: 'a-softmax-4-annealed',
    title: `A-Softmax, m = 4, λ = ${lambdaMinimum}`,
    loss: 'a-softmax',
    options: { margin: 4 },
    family: 'multiplied',
    lambda: lambdaMinimum,
  },
  {
    id: 'sphereface-r-v1',
    title: 'SphereFace-R v1, m = 1.5',
    loss: 'sphereface-r-v1',
    options: { margin: 1.5 },
    family: 'multiplied',
  },
  {
    id: 'cosface',
    title: 'CosFace, AM-Softmax, m = 0.35',
    loss: 'cosface',
    options: { margin: 0.35 },
    family: 'subtracted',
  },
  { id: 'arcface', title: 'ArcFace, m = 0.5', loss: 'arcface', options: { margin: 0.5 }, family: 'added' },
  {
    id: 'arcface-easy',
    title: 'ArcFace, easy margin',
    loss: 'arcface',
    options: { margin: 0.5, easyMargin: true },
    family: 'added',
  },
  combination(1, 0.5, 0),
  combination(1, 0, 0.35),
  combination(1, 0.3, 0.2),
  combination(0.9, 0.4, 0.15),
  {
    id: 'sphereface-r-v2',
    title: 'SphereFace-R v2, m = 1.5',
    loss: 'sphereface-r-v2',
    options: { margin: 1.5 },
    family: 'others',
  },
];

/** The plain cosine, of every loss without a margin. */
export const COSINE: Omit<Margin, 'family'> = {
  id: 'cosine',
  title: 'no margin: cos θ',
  loss: 'modified-softmax',
  options: {},
};

/** What stands for the cosine of the true class: the loss's own target, annealed where the margin says so. */
export function targetOf({ loss, options, lambda }: Omit<Margin, 'family'>): AngleFunction {
  const target = lossNamed(loss).target!(options);
  if (lambda === undefined) return target;
  return (theta) => (lambda * Math.cos(theta) + target(theta)) / (1 + lambda);
}

/** What stands for the cosine of every other class; the cosine itself in all but SphereFace-R v2. */
export function othersOf({ loss, options }: Omit<Margin, 'family'>): AngleFunction {
  return lossNamed(loss).others?.(options) ?? Math.cos;
}
