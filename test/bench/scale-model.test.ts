import { describe, expect, test } from 'vitest';
import { optionsOf } from '../../bench/scale/cases.js';
import { backwardShares, messagesOf } from '../../bench/scale/messages.js';
import {
  allGatherSeconds,
  allReduceSeconds,
  computeSeconds,
  exchangeSeconds,
  fitRelative,
  pipelineSeconds,
  stepSeconds,
} from '../../bench/scale/model.js';
import { describeNetwork } from '../../src/nn/index.js';

const link = { latency: 1e-3, bandwidth: 1e6 };

describe('the fit', () => {
  const sizes = [1, 2, 5, 9].flatMap((b) => [10, 70, 300].map((k) => [1, b, b * k, k]));

  test('finds the coefficients of exact data', () => {
    const truth = [0.5, 0.2, 1e-3, 4e-3];
    const targets = sizes.map((row) => row.reduce((sum, x, j) => sum + x * truth[j]!, 0));
    const { coefficients, relativeError } = fitRelative(sizes, targets);
    for (const [j, value] of coefficients.entries()) expect(value).toBeCloseTo(truth[j]!, 9);
    expect(relativeError).toBeLessThan(1e-9);
  });

  test('minimises relative errors: of one constant for 1 and 3 it is 1.2', () => {
    // d/dc of (c - 1)^2 + (c / 3 - 1)^2 is 0 at c = (1 + 1/3) / (1 + 1/9).
    expect(fitRelative([[1], [1]], [1, 3]).coefficients[0]).toBeCloseTo(1.2, 12);
  });

  test('has no negative cost', () => {
    const rows = [1, 2, 3, 4].map((x) => [1, x]);
    const { coefficients } = fitRelative(rows, [4, 3, 2, 1]);
    expect(coefficients[1]).toBe(0);
    expect(coefficients[0]).toBeGreaterThan(0);
  });

  test('refuses sizes that do not tell its features apart', () => {
    const rows = [1, 2, 3].map((x) => [x, 2 * x]);
    expect(() => fitRelative(rows, [1, 2, 3])).toThrow(/measure more sizes/);
  });
});

describe('collectives', () => {
  test('one rank exchanges nothing', () => {
    expect(allReduceSeconds(1e9, 1, link)).toBe(0);
    expect(allGatherSeconds(1e9, 1, link)).toBe(0);
  });

  test.each([2, 8, 64, 512])(
    '%d ranks: few bytes cost rounds, many cost twice their time on the wire',
    (ranks) => {
      expect(allReduceSeconds(0, ranks, link)).toBeCloseTo(Math.log2(ranks) * link.latency, 12);
      const bytes = 1e12;
      const wire = (2 * (ranks - 1) * bytes) / ranks / link.bandwidth;
      const latency = 2 * (ranks - 1) * link.latency;
      expect(
        allReduceSeconds(bytes, ranks, link) / Math.min(wire + latency, Math.log2(ranks) * 1e6),
      ).toBeCloseTo(1, 6);
    },
  );

  test('gathering brings what the others have', () => {
    expect(allGatherSeconds(1e6, 8, link)).toBeCloseTo(3e-3 + 7, 12);
  });
});

describe('overlap', () => {
  const equal = (parts: number, computing: number, exchanging: number) =>
    pipelineSeconds(Array.from({ length: parts }, () => ({ computing, exchanging })));

  test.each([1, 2, 5])(
    'of %d equal parts all but the last exchange is hidden, or all but the first part',
    (parts) => {
      expect(equal(parts, 3, 1)).toBeCloseTo(3 * parts + 1, 12);
      expect(equal(parts, 1, 3)).toBeCloseTo(1 + 3 * parts, 12);
    },
  );

  test('a step is never shorter than what it computes or exchanges, nor longer than both', () => {
    const exchanges = { waiting: 0.2, gradients: 1.5 };
    const whole = stepSeconds(3, exchanges);
    expect(whole).toBeCloseTo(3 + 0.2 + 1.5, 12);
    const shares = [
      { computing: 0.5, gradients: 0.5 },
      { computing: 0.5, gradients: 0.5 },
    ];
    // Half of the gradients, .75 s, travel beside half of the backward pass, 1 s.
    expect(stepSeconds(3, exchanges, shares)).toBeCloseTo(whole - 0.75, 12);
    expect(stepSeconds(3, exchanges, shares, 0.1)).toBeCloseTo(whole - 0.75 + 0.1, 12);
  });
});

test('a step on several ranks computes what its features say', () => {
  const costs = { perStep: 1, perImage: 10, perLogit: 100, perClass: 1000, perMoved: 1e4 };
  const work = { images: 2, headImages: 3, headClasses: 5, moved: 7 };
  expect(computeSeconds(work, costs)).toBe(1 + 20 + 1500 + 5000 + 70_000);
});

describe('messages, read off the graph', () => {
  const base = {
    ...({ kind: 'step', net: 'head', loss: 'cosface', batch: 16, classes: 1000 } as const),
    ...{ ranks: 1, threads: 1, shared: false, sampled: 1, backwardParts: 1 },
  };
  const bytesOf = (messages: readonly { bytes: number }[]) =>
    messages.reduce((sum, { bytes }) => sum + bytes, 0);
  const network = describeNetwork('sphereface-4', { size: [8, 8], embedding: 512 });

  test('data parallel: one gradient of every parameter, and a few scalars', () => {
    const messages = messagesOf(optionsOf(base), 4);
    const expected = 4 * (network.parameters + 1000 * 512);
    expect(bytesOf(messages)).toBeGreaterThanOrEqual(expected);
    expect(bytesOf(messages)).toBeLessThan(expected + 64);
    expect(messages.every(({ gradient }) => gradient)).toBe(true);
  });

  test('class parallel: the embeddings, their gradient and few numbers an image, whatever the classes', () => {
    const few = messagesOf(optionsOf({ ...base, shared: true }), 4);
    const many = messagesOf(optionsOf({ ...base, shared: true, classes: 1e6, sampled: 0.1 }), 4);
    expect(many).toEqual(few);
    const waiting = few.filter(({ gradient }) => !gradient);
    // Each rank gives its own 4 embeddings, and a gradient for all 16.
    const least = 4 * 512 * (4 + 16);
    expect(bytesOf(waiting)).toBeGreaterThanOrEqual(least);
    expect(bytesOf(waiting)).toBeLessThan(least + 4 * 16 * 16);
    expect(bytesOf(few) - bytesOf(waiting)).toBeGreaterThanOrEqual(4 * network.parameters);
    const seconds = exchangeSeconds(few, 4, { latency: 0, bandwidth: 1e9 });
    expect(seconds.gradients).toBeGreaterThan(seconds.waiting);
  });
});

test.each([1, 2, 3])('the parts of a backward pass cut in %d make up the whole', (parts) => {
  const shares = backwardShares('sphereface-20', parts);
  expect(shares).toHaveLength(parts);
  for (const key of ['computing', 'gradients'] as const)
    expect(shares.reduce((sum, share) => sum + share[key], 0)).toBeCloseTo(1, 9);
});
