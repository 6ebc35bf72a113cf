// Evaluations for the tests of pages, with figures that can be worked out by hand.
import type { CmcCurve, DetCurve, Evaluation, VerificationPart } from '../../src/evaluate/evaluation.js';
import { EVALUATION_FORMAT } from '../../src/evaluate/evaluation.js';
import { crossValidate } from '../../src/evaluate/folds.js';
import { exactRule } from '../../src/evaluate/thresholds.js';
import { verificationFigures } from '../../src/evaluate/verification.js';

export const EVIL = `<script>alert('x')</script>"><img src=x onerror=alert(1)> & co`;

/** Figures of 200 same pairs and as many different ones as are asked for, scores on a grid, two folds. */
export function verificationOf(differentPairs: number, shift = 0.5): VerificationPart {
  const same = Uint8Array.from({ length: 200 + differentPairs }, (_, i) => (i < 200 ? 1 : 0));
  const scores = Float64Array.from(same, (kind, i) =>
    kind ? shift + ((i * 37) % 200) / 500 : -0.3 + ((i * 53) % differentPairs) / differentPairs,
  );
  const folds = Array.from(same, (_, i) => i % 2);
  const { trials: _, ...figures } = verificationFigures(
    crossValidate(folds, same, () => scores, exactRule),
    scores,
    same,
    { replicates: 50 },
  );
  return figures;
}

export const cmc = (gallery: number, first = 0.8): CmcCurve => ({
  ...{ gallery, trials: 500, ranks: [1, 2, 5, gallery], rates: [first, 0.9, 0.95, 1] },
  intervals: [
    [first - 0.05, first + 0.05],
    [0.85, 0.93],
    [0.93, 0.97],
    [1, 1],
  ],
});

/** Searches whose FNIR falls from 40 % to 4 % as FPIR rises from none to all. */
export function det(gallery: number, nonMated = 2000): DetCurve {
  const steps = Array.from({ length: 37 }, (_, i) => i);
  return {
    ...{ gallery, nonMated, mated: 1000, rank: 1 },
    thresholds: steps.map((i) => 0.9 - i / 100),
    fpir: steps.map((i) => (i / 36) ** 4),
    fnir: steps.map((i) => 0.4 - i / 100),
    points: [
      {
        ...{ fpir: 0.0001, fnir: null, threshold: null, falsePositives: 0 },
        reason: 'needs at least 10000 non-mated searches, there are 2000',
      },
      { fpir: 0.01, fnir: 0.29, threshold: 0.79, falsePositives: 20, interval: [0.25, 0.33] },
      { fpir: 0.1, fnir: 0.2, threshold: 0.7, falsePositives: 200, thresholdInterval: [0.68, 0.72] },
    ],
  };
}

export function evaluationOf(parts: Partial<Evaluation> = {}): Evaluation {
  return {
    format: EVALUATION_FORMAT,
    protocol: 'pairs',
    title: 'verification of pairs, mode exact',
    summary: [
      { figure: 'accuracy', value: '91.25 % +- 0.75', interval: '88.00 % .. 93.50 %', note: 'of two folds' },
      {
        ...{ figure: 'TAR at FAR 0.0001', value: 'not known', interval: '' },
        note: 'needs at least 10000 impostor scores, there are 400',
      },
    ],
    model: { name: 'model-a', file: 'a.onnx', sha256: 'ab'.repeat(32), length: 128 },
    settings: [
      ['Faces', 'lfw/aligned-112'],
      ['Pairs', 'lfw/pairs.txt: 2 folds'],
      ['Mode', 'exact'],
    ],
    notes: ['faces taken as they are'],
    seconds: 3.25,
    ...parts,
  };
}
