// Decisions: the measured thresholds at the measured rates, between them what a straight line over the logarithm of
// the rate says, and no threshold at all for faces that were prepared otherwise than those it was measured on.
import { describe, expect, test } from 'vitest';
import { decisionFor, type Manifest, manifestMetadata, openEmbedder } from '../../src/face/index.js';
import { dlibResnetManifest } from '../../src/face/models/dlib-resnet.js';
import { encodeModel } from '../../src/lower/onnx.js';

/** Thresholds of .2 + .1 for every factor of ten. */
const line = (fmr: number) => 0.2 - 0.1 * Math.log10(fmr);
const points = [0.01, 0.0001, 0.1, 0.001].map((fmr) => ({ fmr, threshold: line(fmr) }));
const model = { name: 'm', thresholds: { on: '9 people', points } } as Pick<Manifest, 'name' | 'thresholds'>;

describe('the threshold', () => {
  test.each(points)('at a measured rate ($fmr) is the measured one', ({ fmr, threshold }) => {
    expect(decisionFor(model, { fmr })).toEqual({
      threshold: expect.closeTo(threshold, 12),
      fmr,
      on: '9 people',
    });
  });

  test.each([0.00025, 0.002, 0.05, 0.0999])('between measured rates (%f) lies on the line', (fmr) => {
    expect(decisionFor(model, { fmr }).threshold).toBeCloseTo(line(fmr), 12);
  });

  test('is that of one false match in a thousand when nothing is asked for', () => {
    expect(decisionFor(model, {})).toEqual(decisionFor(model, { fmr: 0.001 }));
  });

  test('rises as fewer false matches are allowed, for the built-in model', () => {
    const rates = [0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001];
    const thresholds = rates.map((fmr) => decisionFor(dlibResnetManifest, { fmr }).threshold);
    for (let i = 1; i < rates.length; i++) expect(thresholds[i]!).toBeGreaterThan(thresholds[i - 1]!);
  });

  test('that is given is taken as it is, and nothing is said of a rate', () => {
    expect(decisionFor(model, { threshold: -0.25 })).toEqual({ threshold: -0.25 });
    expect(decisionFor({ name: 'm' }, { threshold: 0 })).toEqual({ threshold: 0 });
  });
});

describe('a rate that nobody measured', () => {
  test.each([0.00009, 0.2, 1, 1e-9])('is refused: %f', (fmr) => {
    expect(() => decisionFor(model, { fmr })).toThrow(
      `m has thresholds for false match rates from 0.0001 to 0.1, not for ${fmr}; choose one of those or give --threshold T`,
    );
  });

  test('is any other than the one there is', () => {
    const one = {
      name: 'm',
      thresholds: { on: 'x', points: [{ fmr: 0.01, threshold: 0.5 }] },
    } as typeof model;
    expect(decisionFor(one, { fmr: 0.01 }).threshold).toBe(0.5);
    expect(() => decisionFor(one, {})).toThrow(/not for 0.001/);
  });

  test('is every one for a model without thresholds', () => {
    expect(() => decisionFor({ name: 'm' }, {})).toThrow(
      /m does not state .*; give --threshold T \(a cosine\)/,
    );
  });
});

describe('thresholds of a model whose faces are prepared otherwise than it says', () => {
  const stated: Manifest = {
    ...{ format: 'hypersphere-model/1', name: 'm', crop: 'cover-centre', metric: 'cosine', flip: 'none' },
    input: { name: 'images', width: 2, height: 2, order: 'rgb', mean: 127.5, scale: 1 / 128 },
    ...{
      template: 'arcface-112',
      embedding: { length: 12, output: 'features' },
      thresholds: model.thresholds,
    },
    ...{ trainedOn: 'nothing', licence: 'MIT' },
  };
  const bytes = encodeModel({
    opset: 17,
    metadata: manifestMetadata(stated),
    graph: {
      name: 'see',
      inputs: [{ name: 'images', dtype: 'float32', shape: ['N', 3, 2, 2] }],
      outputs: [{ name: 'features', dtype: 'float32', shape: ['N', 12] }],
      initializers: [],
      nodes: [{ opType: 'Flatten', inputs: ['images'], outputs: ['features'], attributes: { axis: 1 } }],
    },
  });
  const open = async (manifest: object) => {
    const embedder = await openEmbedder({ name: 'm.onnx', bytes }, { manifest });
    await embedder.close();
    return embedder.manifest.thresholds;
  };

  test.each([
    ['another template', { template: 'sphereface-112x96@1' }],
    ['another origin', { template: 'arcface-112@1' }],
    ['another order', { input: { order: 'bgr' } }],
    ['another mean', { input: { mean: 0 } }],
    ['another fusion', { flip: 'sum' }],
  ])('are gone: %s', async (_, overrides) => {
    expect(await open(overrides)).toBeUndefined();
  });

  test.each([
    ['nothing', {}],
    ['what it says itself', { flip: 'none', input: { order: 'rgb', mean: 127.5 } }],
    ['its template in full', { template: 'arcface-112@0' }],
  ])('stay: %s', async (_, overrides) => {
    expect(await open(overrides)).toEqual(stated.thresholds);
  });

  test('are those that come with the change', async () => {
    const thresholds = { on: 'me', points: [{ fmr: 0.5, threshold: 0 }] };
    expect(await open({ flip: 'sum', thresholds })).toEqual(thresholds);
  });
});
