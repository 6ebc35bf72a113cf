// Softmax, modified softmax and the head itself against plain loops: value, and gradient against
// differences of those loops.
import { describe, expect, test } from 'vitest';
import { sub } from '../../src/graph/index.js';
import { marginHead, psiOf, replaceCosine } from '../../src/losses/index.js';
import { evaluate, evaluateTerms, expectAgreement, expectClose, sampleOf } from './evaluate.js';
import {
  angleBetween,
  angularLogits,
  crossEntropy,
  differences,
  dot,
  lengthOf,
  psiOfAngle,
  type Sample,
  softmaxLogits,
  unit,
} from './plain.js';

describe('softmax', () => {
  const sample = sampleOf(1);

  test('with bias', () => {
    const actual = evaluate('softmax', sample);
    expectAgreement(actual, sample, softmaxLogits);
    expectClose(actual.logits, softmaxLogits(sample).flat());
    const gradient = differences([sample.bias!], ([bias]) =>
      crossEntropy(softmaxLogits({ ...sample, bias }), sample.labels),
    );
    expectClose(actual.gradient['fc6.bias']!, gradient.flat(), 1e-6);
    const bias = actual.parameters.find((p) => p.name === 'fc6.bias')!;
    expect([bias.rate, bias.decay]).toEqual([2, 0]);
  });

  test('without bias', () => {
    const actual = evaluate('softmax', sample, { bias: false });
    expectAgreement(actual, sample, (s) => softmaxLogits({ ...s, bias: undefined }));
    expect(actual.parameters.map((p) => p.name)).toEqual(['fc6.weight']);
  });

  test('huge logits give a finite loss and gradient', () => {
    const large = { ...sample, x: sample.x.map((row) => row.map((v) => v * 1e4)) };
    const actual = evaluate('softmax', large);
    expectClose([actual.value], [crossEntropy(softmaxLogits(large), large.labels)]);
    expect(actual.gradient.x!.every(Number.isFinite)).toBe(true);
  });
});

describe('modified softmax', () => {
  const sample = sampleOf(2);

  test('agrees with the formula', () => {
    const actual = evaluate('modified-softmax', sample);
    expectAgreement(actual, sample, angularLogits);
    expectClose(actual.logits, angularLogits(sample).flat());
  });

  test('does not see how long class vectors are', () => {
    const longer = { ...sample, weights: sample.weights.map((row, j) => row.map((v) => v * (j + 1))) };
    expectClose([evaluate('modified-softmax', longer).value], [evaluate('modified-softmax', sample).value]);
  });

  test('the metrics are the mean cosine to the true class and the mean length of the embedding', () => {
    const { cosine, embeddingLength } = evaluate('modified-softmax', sample).metrics;
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(cosine).toBeCloseTo(
      mean(sample.x.map((row, i) => Math.cos(angleBetween(row, sample.weights[sample.labels[i]!]!)))),
      6,
    );
    expect(embeddingLength).toBeCloseTo(mean(sample.x.map(lengthOf)), 6);
  });
});

describe('the head takes other margins as one line each', () => {
  const sample = sampleOf(5);
  const s = 16;
  const cosines = ({ x, weights }: Sample): number[][] =>
    x.map((row) => weights.map((w) => dot(unit(row), unit(w))));

  test('CosFace: s (cos - .35)', () => {
    const actual = evaluateTerms(sample, (context) =>
      marginHead(context, {
        weights: 'unit',
        features: 'unit',
        scale: s,
        margin: replaceCosine((c) => sub(c, 0.35)),
      }),
    );
    expectAgreement(actual, sample, (changed) =>
      cosines(changed).map((row, i) => row.map((c, j) => s * (j === sample.labels[i] ? c - 0.35 : c))),
    );
  });

  test('L-Softmax without annealing: |W_y| |x| psi', () => {
    const actual = evaluateTerms(sample, (context) =>
      marginHead(context, {
        weights: 'free',
        features: 'free',
        margin: replaceCosine((c) => psiOf(c, 3)),
      }),
    );
    expectAgreement(actual, sample, (changed) =>
      softmaxLogits({ ...changed, bias: undefined }).map((row, i) =>
        row.map((z, j) => {
          if (j !== sample.labels[i]) return z;
          const [x, w] = [changed.x[i]!, changed.weights[j]!];
          return lengthOf(x) * lengthOf(w) * psiOfAngle(angleBetween(x, w), 3);
        }),
      ),
    );
  });
});
