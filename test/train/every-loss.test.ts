// Every loss trains: on digits it learns to tell them apart and draws classes together, and on portraits (ORL,
// where that folder is at hand) it makes people apart whom it has never seen, each by a stated margin over the
// network it began with.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BatchSource,
  decodeFace,
  digits,
  type ImageSet,
  MemoryImages,
  openTrainingSet,
  readPlanes,
  splitDigits,
} from '../../src/data/index.js';
import { verifyPairs } from '../../src/evaluate/index.js';
import { nameOf, sizeOf } from '../../src/graph/index.js';
import { losses, lossNamed } from '../../src/losses/index.js';
import { lowerInference } from '../../src/lower/index.js';
import { initialParameters } from '../../src/nn/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { angularFisherScore, classMeans, type Vectors } from '../../src/theory/index.js';
import { annealedOver } from '../../src/train/config.js';
import { milestoneSteps, rateAt } from '../../src/train/schedule.js';
import { embedder, NAMES, trainingStep } from '../../src/train/step.js';

interface Recipe {
  loss: string;
  options?: Record<string, unknown>;
  /** Default `RATE`. */
  rate?: number;
  /** On portraits, where it is another. */
  portraitRate?: number;
}
const RATE = 0.03;

/** Each loss alone, or beside the softmax that its paper trains it with. */
const RECIPES: Recipe[] = [
  { loss: 'softmax' },
  { loss: 'modified-softmax' },
  { loss: 'l-softmax', options: { margin: 2 } },
  { loss: 'a-softmax' },
  { loss: 'a-softmax', options: { gradient: 'caffe' } },
  { loss: 'l2-softmax', options: { alpha: 16 } },
  { loss: 'l2-softmax', options: { alpha: 16, learned: true } },
  { loss: 'normface' },
  { loss: 'coco' },
  { loss: 'am-softmax', rate: 0.01 },
  { loss: 'cosface', options: { scale: 30 }, rate: 0.01 },
  { loss: 'arcface', options: { scale: 30 }, rate: 0.01 },
  { loss: 'combined', options: { scale: 30 }, rate: 0.01 },
  { loss: 'sphereface-plus' },
  { loss: 'sphereface-r-v1', options: { gradient: 'detached' }, rate: 0.01 },
  { loss: 'sphereface-r-v2', options: { gradient: 'detached' }, rate: 0.01 },
  { loss: 'contrastive', options: { normalize: true }, rate: 0.06 },
  { loss: 'marginal', rate: 0.06 },
  { loss: 'triplet' },
  { loss: 'tse' },
  { loss: 'tpe', rate: 0.2, portraitRate: 0.08 },
  { loss: 'softmax+contrastive', options: { weights: { contrastive: 0.1 } } },
  { loss: 'softmax+center', options: { weights: { center: 0.01 } } },
  { loss: 'softmax+center+center-invariant', options: { weights: { center: 0.01 } } },
  { loss: 'softmax+range', options: { weights: { range: 0.1 } } },
  { loss: 'a-softmax+mhe' },
];

const titled = RECIPES.map(
  (recipe) => [`${recipe.loss} ${JSON.stringify(recipe.options ?? {})}`, recipe] as const,
);

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

interface Task {
  net: string;
  size: [number, number];
  embedding: number;
  train: ImageSet;
  /** What is measured before and after. */
  measured: ImageSet;
  batch: number;
  perPerson: number;
  steps: number;
}

/** Embeddings of the measured images by the untrained and by the trained network. */
async function beforeAndAfter(task: Task, { loss, options = {}, rate = RATE }: Recipe) {
  const { net, size, embedding, batch, steps, perPerson } = task;
  const lossOptions = annealedOver(steps, lossNamed(loss).check(options), options);
  const choice = { net, size, embedding, reluAfterFc1: false, loss, lossOptions };
  const classes = task.train.classes;
  const step = trainingStep({ ...choice, classes, batch, momentum: 0.9, weightDecay: 5e-4 });
  const program = await device.compile(step.graph);
  const state = initialParameters(step.parameters, 1);
  const embed = async (weights: Map<string, Float32Array>): Promise<Vectors> => {
    const exported = embedder(choice);
    const graph = { inputs: [exported.images], outputs: { embedding: exported.embedding }, weights };
    const model = await device.load(lowerInference(graph));
    const result = await model.run({ [NAMES.images]: await readPlanes(task.measured) });
    await model.dispose();
    return { length: exported.embedding.shape[1]!, original: result.embedding!.data as Float32Array };
  };
  const before = await embed(state);
  for (const velocity of step.velocities)
    state.set(nameOf(velocity), new Float32Array(sizeOf(velocity.shape)));
  program.setState(state);
  const source = new BatchSource(task.train, {
    batch,
    seed: 1,
    ...(lossNamed(loss).needs.imagesPerPerson !== undefined && { perPerson }),
  });
  for (let i = 1; i <= steps; i++) {
    const schedule = step.schedule.map(({ input, at }) => [nameOf(input), at(i)] as const);
    await program.run({
      ...(await source.next(i - 1)),
      [NAMES.rate]: rateAt(i, rate, milestoneSteps([0.6, 0.85], steps), 20),
      ...Object.fromEntries(schedule),
    });
  }
  const after = await embed(await program.getState());
  await program.dispose();
  return { before, after };
}

/** Share of the vectors that point nearest to the mean direction of their own class. */
function nearestMean(vectors: Vectors, labels: Int32Array): number {
  const { means, classOf } = classMeans(vectors, labels, 'normalised');
  const { length, original } = vectors;
  let right = 0;
  for (let i = 0; i < classOf.length; i++) {
    const cosines = Array.from({ length: means.length / length }, (_, k) => {
      const mean = means.subarray(k * length, (k + 1) * length);
      const norm = Math.hypot(...mean);
      return mean.reduce((sum, v, d) => sum + (v * original[i * length + d]!) / norm, 0);
    });
    if (cosines.indexOf(Math.max(...cosines)) === classOf[i]) right++;
  }
  return right / classOf.length;
}

test('every loss has a recipe', () => {
  const named = new Set(RECIPES.flatMap(({ loss }) => loss.split('+')));
  expect([...named].sort()).toEqual(Object.keys(losses).sort());
});

describe('on digits', () => {
  const split = splitDigits(digits(), { seed: 1, perClass: 400, testShare: 0.2 });
  const task: Task = {
    net: 'digits',
    size: [28, 28],
    embedding: 8,
    train: split.train,
    measured: split.test,
    batch: 60,
    perPerson: 6,
    steps: 300,
  };

  test.each(titled)(
    '%s: 85 % of new images nearest their own class, half the Fisher score',
    async (_, recipe) => {
      const { before, after } = await beforeAndAfter(task, recipe);
      const { labels } = task.measured;
      const accuracy = nearestMean(after, labels);
      const [scoreBefore, scoreAfter] = [before, after].map((v) => angularFisherScore(v, labels));
      if (process.env.SHOW)
        console.log(recipe.loss, accuracy, nearestMean(before, labels), scoreBefore, scoreAfter);
      expect(accuracy).toBeGreaterThan(0.85);
      expect(scoreAfter).toBeLessThan(scoreBefore! / 2);
    },
  );
});

const ORL = fileURLToPath(new URL('../../../shared/data/orl', import.meta.url));
const atHand = existsSync(ORL);
if (!atHand) console.log('skipped: losses on portraits, because the ORL faces are not at hand');

describe.skipIf(!atHand)('on portraits of people never seen', () => {
  let task: Task;
  beforeAll(async () => {
    const size: [number, number] = [28, 24];
    const folder = await openTrainingSet(ORL, { size, order: 'bgr', seed: 1, holdout: 10 });
    const images = folder.heldOut.flatMap(({ images: keys }, person) =>
      keys.map((key) => ({ path: join(ORL, key), person })),
    );
    const pixels = await Promise.all(images.map(({ path }) => decodeFace(path, { size, order: 'bgr' })));
    const shape = { height: 28, width: 24, channels: 3 };
    const labels = Int32Array.from(images, ({ person }) => person);
    task = {
      net: 'sphereface-4',
      size,
      embedding: 64,
      train: folder.pixels,
      measured: new MemoryImages(Buffer.concat(pixels), labels, shape),
      batch: 40,
      perPerson: 4,
      steps: 120,
    };
  });

  test.each(titled)('%s: AUC at least .015 above the untrained network', async (_, recipe) => {
    const { portraitRate: rate = recipe.rate } = recipe;
    const { before, after } = await beforeAndAfter(task, { ...recipe, rate });
    const [random, trained] = [before, after].map(
      (vectors) => verifyPairs(vectors, task.measured.labels, { replicates: 0 }).auc,
    );
    if (process.env.SHOW) console.error(recipe.loss, random, trained);
    expect(trained! - random!).toBeGreaterThan(0.015);
  });
});
