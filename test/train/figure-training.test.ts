// The trainer of small networks: what must hold of every network, whatever it has learned.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embedSet } from '../../src/evaluate/figures/embed-set.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { digitSet, faceSet } from '../../src/train/figure-data.js';
import { DIGIT_RECIPE, FACE_RECIPE } from '../../src/train/figure-recipe.js';
import { type FeatureJob, shiftPlanes, trainFeatures } from '../../src/train/figure-training.js';
import { writeFaces } from './faces.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

const digits = digitSet({ seed: 1, classes: [0, 1, 2], perClass: 40 });
const train = (job: FeatureJob, { seed = 1, steps = 20, recipe = DIGIT_RECIPE } = {}) =>
  trainFeatures(device, job, digits.train, recipe, { steps, batch: 32, seed });

const softmax = (bias: boolean, net: Partial<FeatureJob['net']> = {}): FeatureJob => ({
  net: { subject: 'digits', features: 2, ...net },
  loss: 'softmax',
  options: { bias },
});

describe('a small network', () => {
  it('has no negative feature with the last ReLU, and some without', async () => {
    const least = async (relu: boolean) => {
      const { model } = await train(softmax(true, { relu }));
      const { vectors } = await embedSet(device, model, digits.train, 2);
      return vectors.original.reduce((a, b) => Math.min(a, b), Infinity);
    };
    expect(await least(true)).toBeGreaterThanOrEqual(0);
    expect(await least(false)).toBeLessThan(0);
  });

  it('has biases exactly when softmax is asked for them', async () => {
    expect((await train(softmax(true))).biases).toHaveLength(3);
    expect((await train(softmax(false))).biases).toBeUndefined();
    const angular = await train({ ...softmax(true), loss: 'a-softmax', options: { margin: 4 } });
    expect(angular.biases).toBeUndefined();
  });

  it('gives W x + b as its logits, in as many dimensions as asked', async () => {
    for (const features of [2, 3, 16]) {
      const { model, classVectors, biases } = await train(softmax(true, { features }));
      expect(classVectors).toHaveLength(3 * features);
      const { vectors, logits, predicted } = await embedSet(device, model, digits.test, features);
      digits.test.labels.forEach((_, i) => {
        const x = vectors.original.subarray(i * features, (i + 1) * features);
        const z = [0, 1, 2].map((k) =>
          x.reduce((sum, value, d) => sum + value * classVectors[k * features + d]!, biases![k]!),
        );
        z.forEach((value, k) => {
          expect(logits[i * 3 + k]).toBeCloseTo(value, 3);
        });
        expect(predicted[i]).toBe(z.indexOf(Math.max(...z)));
      });
    }
  });

  it('comes out the same for the same seed, and otherwise for another', async () => {
    const [one, two, other] = [
      await train(softmax(true)),
      await train(softmax(true)),
      await train(softmax(true), { seed: 2 }),
    ];
    expect(two.curve).toEqual(one.curve);
    expect(two.classVectors).toEqual(one.classVectors);
    expect(other.classVectors).not.toEqual(one.classVectors);
  });

  it('anneals lambda to the minimum of its recipe, unless its own options say otherwise', async () => {
    const margin: FeatureJob = { ...softmax(true), loss: 'a-softmax', options: { margin: 4 } };
    const { curve } = await train(margin, { steps: 40 });
    expect(curve[0]!.lambda).toBeGreaterThan(curve[10]!.lambda!);
    expect(curve[39]!.lambda).toBe(DIGIT_RECIPE.annealing.minimum);
    const own = { ...margin, options: { margin: 4, annealing: { base: 7, gamma: 0, power: 1, minimum: 7 } } };
    expect((await train(own)).curve.at(-1)!.lambda).toBe(7);
  });

  it('stops where its loss is no longer a number, and says at which step', async () => {
    const wild = { ...DIGIT_RECIPE, rate: 1e12, warmUp: 1 };
    const { diverged, curve } = await train(softmax(true), { steps: 100, recipe: wild });
    expect(diverged).toBe(curve.length + 1);
    expect(curve.every(({ loss }) => Number.isFinite(loss))).toBe(true);
  });

  it('learns faces too', async () => {
    const faces = await faceSet(await writeFaces(3, 10), { seed: 1, people: 3, testShare: 0.3 });
    const job: FeatureJob = { net: { subject: 'faces', features: 3 }, loss: 'softmax', options: {} };
    const { curve, model } = await trainFeatures(device, job, faces.train, FACE_RECIPE, {
      steps: 60,
      batch: 21,
      seed: 1,
    });
    expect(curve.at(-1)!.loss).toBeLessThan(curve[0]!.loss / 2);
    expect((await embedSet(device, model, faces.test, 3)).predicted).toHaveLength(9);
  });
});

describe('shifted planes', () => {
  it('of one image move together, and let background in', () => {
    const planes = { size: [8, 6], channels: 3, background: -9 } as const;
    const images = new Float32Array(40 * 3 * 48).fill(-9);
    for (let image = 0; image < 40; image++)
      for (let c = 0; c < 3; c++) images[(image * 3 + c) * 48 + 4 * 6 + 3] = c + 1;
    shiftPlanes(images, planes, 2, 1, 0);
    const places = new Set<number>();
    for (let image = 0; image < 40; image++) {
      const at = [0, 1, 2].map((c) =>
        images.subarray((image * 3 + c) * 48, (image * 3 + c + 1) * 48).indexOf(c + 1),
      );
      expect(at[0]).toBeGreaterThanOrEqual(0);
      expect(new Set(at).size).toBe(1);
      places.add(at[0]!);
    }
    expect(places.size).toBeGreaterThan(10);
    expect(new Set(images)).toEqual(new Set([-9, 1, 2, 3]));
  });
});
