// What a run leaves and a later one reads: settings, configurations, checkpoints, metrics, results, projections, pages.
import { createHash } from 'node:crypto';
import { writeSafetensors } from '../../../src/data/safetensors.js';
import { readOutcome } from '../../../src/evaluate/tables/outcome.js';
import { named } from '../../../src/report/evaluation/comparable.js';
import { evaluationsPage } from '../../../src/report/evaluation/comparison-page.js';
import { evaluationPage } from '../../../src/report/evaluation/evaluation-page.js';
import { parseEvaluation } from '../../../src/report/evaluation/read.js';
import { runPage } from '../../../src/report/run-page.js';
import { newestCheckpoint } from '../../../src/train/checkpoint.js';
import { draftConfig, draftRun, readSettings } from '../../../src/train/config.js';
import { readProjectionConfig } from '../../../src/train/projection-config.js';
import { readProjection } from '../../../src/train/projection-model.js';
import { readMetrics, readSkipped } from '../../../src/train/run-folder.js';
import { cmc, det, evaluationOf, verificationOf } from '../../../test/support/evaluations.js';
import { type Files, ofFiles, ofText, type Reader } from '../reader.js';
import { asJson, asText } from '../samples.js';

const settings = {
  data: 'faces',
  net: 'sphereface-4',
  loss: 'a-softmax',
  lossOptions: { margin: 4, annealing: { base: 1000, gamma: 0.1, power: 1, minimum: 5 } },
  size: [112, 96],
  batch: 8,
  epochs: 2,
  lr: 0.1,
  milestones: [0.5, 0.75],
  holdout: ['ada'],
  out: 'runs/x',
};
const settingFiles = (): Files[] => [
  { 'config.json': asJson(settings) },
  {
    'config.json': asJson({
      data: 'faces',
      net: 'mobilefacenet',
      loss: 'softmax+center',
      steps: 9,
      lossOptions: { weights: { center: 0.1 } },
    }),
  },
];

const weights = writeSafetensors(
  new Map([['w', { dtype: 'float32', shape: [2, 2], data: Float32Array.from([1, 2, 3, 4]) }]]),
);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const CHECKPOINT = 'checkpoint-0000010';
const checkpoints = (): Files[] => [
  {
    [`${CHECKPOINT}/state.safetensors`]: weights,
    [`${CHECKPOINT}/progress.json`]: asJson({
      format: 'hypersphere-checkpoint/1',
      step: 10,
      seconds: 1.5,
      sha256: '',
    }),
  },
];
/** The hash of the changed tensors, so that their reader sees them. */
function hashed(files: Files): Files {
  const [state, progress] = [`${CHECKPOINT}/state.safetensors`, `${CHECKPOINT}/progress.json`];
  const text = Buffer.from(files[progress] ?? []).toString('latin1');
  if (!files[state] || !text.includes('"sha256": ""')) return {};
  const right = text.replace('"sha256": ""', `"sha256": "${sha256(files[state])}"`);
  return { [progress]: Buffer.from(right, 'latin1') };
}

const step = (n: number) => ({
  step: n,
  epoch: n / 4,
  loss: 3 / n,
  accuracy: 0.5,
  rate: 0.1,
  lambda: 9,
  imagesPerSecond: 80,
  seconds: n,
});
const runs = (): Files[] => [
  {
    'config.json': asJson({ ...settings, steps: 4, about: { versions: { hypersphere: '1' }, people: 3 } }),
    'metrics.jsonl': asText(...[1, 2, 3, 4].map((n) => JSON.stringify(step(n)))),
    'skipped.jsonl': asText(JSON.stringify({ path: 'a/1.jpg', reason: 'is empty' })),
    'results.json': asJson({
      trained: { images: 4, accuracy: 0.5 },
      heldOut: { pairs: 9, accuracy: 0.9, eer: 0.1 },
    }),
  },
];
function readRun(folder: string): void {
  readMetrics(folder);
  readSkipped(folder);
  runPage(folder);
}

const projections = (): Files[] => [
  {
    'config.json': asJson({
      ...{
        embeddings: 'e.safetensors',
        loss: 'tse',
        lossOptions: {},
        out: 'runs/tse',
        length: 2,
        embeddingsHash: 'ab',
      },
      ...{
        batch: 64,
        perPerson: 4,
        steps: 100,
        lr: 0.01,
        momentum: 0.9,
        weightDecay: 0,
        seed: 1,
        start: 'pca',
      },
      ...{
        holdout: 0,
        device: 'cpu',
        threads: 1,
        stepsPerCall: 10,
        milestones: [0.5],
      },
    }),
    'projection.safetensors': writeSafetensors(
      new Map([['projection', { dtype: 'float32', shape: [1, 2], data: Float32Array.from([1, 2]) }]]),
    ),
  },
];

const evaluations = [
  evaluationOf({ verification: verificationOf(60) }),
  evaluationOf({ protocol: 'open-set', openSet: [det(10)], identification: [cmc(100)] }),
  evaluationOf({
    mistakes: [
      {
        ...{ kind: 'false match', score: 0.5, threshold: 0.4 },
        ...{ a: { path: 'a/1.jpg', person: 'a' }, b: { path: 'b/1.jpg', person: 'b' } },
      },
    ],
  } as Parameters<typeof evaluationOf>[0]),
].map((evaluation) => JSON.stringify(evaluation));

/** Read and drawn, alone and beside one that is as it should be. */
async function drawEvaluation(text: string): Promise<void> {
  const evaluation = parseEvaluation(text, 'evaluation.json');
  await evaluationPage(evaluation);
  const other = parseEvaluation(evaluations[0]!, 'other.json');
  evaluationsPage(
    named([
      { file: 'a/evaluation.json', evaluation },
      { file: 'b/evaluation.json', evaluation: other },
    ]),
  );
}

const outcome = {
  ...{ format: 'hypersphere-outcome/1', recipe: 'a-softmax', seed: 1, end: { loss: 1, accuracy: 0.5 } },
  measured: {
    lfw: { key: 'ab', figures: { accuracy: 0.9 }, about: { accuracy: 'pairs' }, errors: { accuracy: 0.01 } },
  },
};

export const runReaders: readonly Reader[] = [
  ofFiles('settings', (folder) => draftConfig(readSettings(`${folder}/config.json`)), settingFiles),
  ofFiles('resume', (folder) => draftRun([{ out: folder }], true), settingFiles, { share: 0.5 }),
  ofFiles('train-checkpoint', (folder) => newestCheckpoint(folder, () => {}), checkpoints, {
    complete: hashed,
  }),
  ofFiles('run-folder', readRun, runs),
  ofFiles('projection', (folder) => [readProjectionConfig(folder), readProjection(folder)], projections),
  ofText('evaluation', drawEvaluation, evaluations),
  ofFiles(
    'outcome',
    (folder) => readOutcome(folder),
    () => [{ 'outcome.json': asJson(outcome) }],
    { share: 0.5 },
  ),
];
