// Runs on several processes, over MPI, against the same run in one: every loss, 50 steps, in single precision as
// training has it. The equations themselves are held to more digits in ranks.test.ts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lossNamed } from '../../src/losses/index.js';
import { openDevice } from '../../src/runtime/index.js';
import { noMpi, onRanks } from '../support/ranks.js';
import { type Case, type Outcome, outcomeOfSample, outcomesOf } from './ranks/cases.js';

const SCRIPT = fileURLToPath(new URL('ranks/steps.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ranks-mpi-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What rank 0 of `ranks` makes of the cases. */
async function outcomesOn(ranks: number, cases: readonly Case[]): Promise<Outcome[]> {
  const file = join(folder, `${ranks}.json`);
  writeFileSync(file, JSON.stringify(cases));
  const run = await onRanks(ranks, SCRIPT, [file], { seconds: 400 });
  if (run.code !== 0) throw new Error(`${run.launcher}\n${run.ranks.map(({ stderr }) => stderr).join('')}`);
  return JSON.parse(run.ranks[0]!.stdout) as Outcome[];
}

// Rates and options that leave a loss to compare after 50 steps, and no chaos that makes much of a rounding.
const fast = { annealing: { gamma: 100 } };
const LOSSES: Case[] = [
  { loss: 'softmax' },
  { loss: 'a-softmax', lossOptions: fast },
  { loss: 'a-softmax', lossOptions: { ...fast, gradient: 'caffe' } },
  { loss: 'a-softmax', lossOptions: { annealing: { ...fast.annealing, wait: true } } },
  { loss: 'cosface', lossOptions: { scale: 16 }, rate: 3e-4 },
  { loss: 'arcface', lossOptions: { scale: 16 }, rate: 3e-4 },
  { loss: 'normface', rate: 3e-4 },
  { loss: 'coco', rate: 3e-4 },
  { loss: 'sphereface-plus', lossOptions: fast, rate: 2e-3 },
  { loss: 'a-softmax+mhe', lossOptions: { 'a-softmax': fast, weights: { mhe: 0.3 } }, rate: 2e-3 },
  { loss: 'softmax+center', lossOptions: { weights: { center: 0.1 } } },
  { loss: 'softmax+center-invariant', lossOptions: { weights: { 'center-invariant': 0.01 } } },
  { loss: 'contrastive', rate: 1e-3 },
  { loss: 'marginal', rate: 3e-4 },
  { loss: 'triplet', lossOptions: { margin: 1, mining: 'all' }, rate: 3e-4 },
  { loss: 'range', lossOptions: { alpha: 1, beta: 1, margin: 4 }, rate: 1e-3 },
];
const nameOf = ({ loss, lossOptions, classPlan, net, syncBatchNorm }: Case): string =>
  `${loss}${net ? ` of ${net}` : ''}${JSON.stringify(lossOptions ?? {}).includes('caffe') ? ' (caffe)' : ''}${classPlan ? ', class parallel' : ''}${syncBatchNorm ? ', normalised by the whole batch' : ''}`;

const shared = (given: Case): Case => ({ ...given, classPlan: { shared: true, sampled: 1 } });
const CASES = [
  ...LOSSES,
  ...LOSSES.filter(({ loss }) => lossNamed(loss).kind === 'classification').map(shared),
];
/** On more ranks than most machines of tests have cores, every third case. */
const FEWER = CASES.filter((_, i) => i % 3 === 1);
/** Weights enough that they travel by themselves, and are not copied for it. */
const LARGE: Case = { loss: 'a-softmax', lossOptions: fast, net: 'sphereface-4', rate: 4e-3 };

/**
 * Batch normalisation by the whole batch. On images as small as these the last layers normalise single pixels, which
 * makes much of a rounding: so a few small steps, beside the equations in double precision.
 */
const SYNCHRONISED: Case = {
  ...{ loss: 'softmax', net: 'mobilefacenet', syncBatchNorm: true },
  ...{ steps: 5, rate: 2e-5, batch: 16 },
};

const SAMPLED: Case = {
  ...{ loss: 'cosface', lossOptions: { scale: 16 }, classes: 40, steps: 1 },
  classPlan: { shared: true, sampled: 0.5 },
};

/** Batch normalisation is another thing on several ranks; see below. */
const NORMALISED: Case = { loss: 'softmax', net: 'mobilefacenet', steps: 1 };

function expectClose(actual: Outcome, expected: Outcome): void {
  expect(actual.losses.length).toBe(expected.losses.length);
  expected.losses.forEach((loss, i) => {
    const error = Math.abs(actual.losses[i]! - loss) / Math.max(1, Math.abs(loss));
    expect(error, `loss of step ${i + 1}: ${actual.losses[i]} and ${loss}`).toBeLessThan(1e-5);
  });
  expect(actual.accuracies).toEqual(expected.accuracies);
  // Numbers are held against the largest that a tensor has had, so that gradients that die out need not agree in
  // what rounding leaves of them; biases of embeddings of which only differences count never are more than that.
  const history = new Map<string, { largest: number; norm: number }>();
  expected.states.forEach((state, at) => {
    const shapes = (tensors: typeof state) => tensors.map(({ name, length }) => [name, length]);
    expect(shapes(actual.states[at]!)).toEqual(shapes(state));
    state.forEach(({ name, largest, norm, some }, i) => {
      const before = history.get(name) ?? { largest: 0.01, norm: 0.01 };
      const scale = { largest: Math.max(before.largest, largest), norm: Math.max(before.norm, norm) };
      history.set(name, scale);
      const own = actual.states[at]![i]!;
      expect(Math.abs(own.norm - norm) / scale.norm, `length of ${name}`).toBeLessThan(1e-5);
      const worst = Math.max(...some.map((value, k) => Math.abs(own.some[k]! - value)));
      expect(worst / scale.largest, name).toBeLessThan(1e-5);
    });
  });
}

describe.skipIf(noMpi)(`steps over MPI${noMpi ? ` (${noMpi})` : ''}`, () => {
  let alone: Outcome[];
  const over: Record<number, Outcome[]> = {};
  let normalised: Outcome[];

  beforeAll(async () => {
    over[2] = await outcomesOn(2, [...CASES, LARGE, shared(LARGE), SYNCHRONISED, SAMPLED, NORMALISED]);
    over[4] = await outcomesOn(4, FEWER);
    const parts = [[0, 4] as const, [4, 8] as const].map((rows) => ({ ...NORMALISED, rows }));
    const all = await outcomesOf([...LOSSES, LARGE, SYNCHRONISED, ...parts]);
    alone = all.slice(0, -parts.length);
    normalised = all.slice(-parts.length);
  });

  const NAMED = [...LOSSES, LARGE, SYNCHRONISED];
  test('the losses leave something to compare', () => {
    alone.forEach(({ losses }, i) => {
      expect(Math.max(...losses.slice(-5)), nameOf(NAMED[i]!)).toBeGreaterThan(1e-3);
      expect(losses.at(-1), nameOf(NAMED[i]!)).not.toBe(losses[0]);
    });
  });

  describe.each([2, 4])('on %i ranks', (ranks) => {
    const cases = ranks === 2 ? [...CASES, LARGE, shared(LARGE), SYNCHRONISED] : FEWER;
    test.each(cases.map((given, i) => [nameOf(given), i] as const))('%s', (_, i) => {
      const { classPlan, ...same } = cases[i]!;
      const at = NAMED.findIndex((other) => JSON.stringify(other) === JSON.stringify(same));
      expectClose(over[ranks]![i]!, alone[at]!);
    });
  });

  test('sampled classes: the loss is that of the classes that the ranks sample, each of its own', async () => {
    const device = await openDevice('cpu', { threads: 1 });
    const expected = await outcomeOfSample(device, SAMPLED, 2);
    await device.close();
    const [actual] = over[2]!.slice(-2);
    expect(actual!.losses[0]).toBeCloseTo(expected.losses[0]!, 4);
    expect(actual!.accuracies).toEqual(expected.accuracies);
  });

  test('batch normalisation is by the rows of each rank, and running statistics are the mean of all ranks', () => {
    // So the first step goes to the mean of where each rank alone would go with its rows.
    const [actual] = over[2]!.slice(-1);
    const [a, b] = normalised as [Outcome, Outcome];
    expect(actual!.losses[0]).toBeCloseTo((a.losses[0]! + b.losses[0]!) / 2, 5);
    const names = actual!.states[0]!.map(({ name }) => name);
    expect(names.filter((name) => name.endsWith('.running_mean')).length).toBeGreaterThan(10);
    let apart = 0;
    actual!.states[0]!.forEach(({ name, some, largest }, i) => {
      some.forEach((value, k) => {
        const [one, other] = [a.states[0]![i]!.some[k]!, b.states[0]![i]!.some[k]!];
        apart = Math.max(apart, Math.abs(one - other) / (largest || 1));
        expect(Math.abs(value - (one + other) / 2) / (largest || 1), name).toBeLessThan(1e-5);
      });
    });
    expect(apart).toBeGreaterThan(0.01);
  });
});
