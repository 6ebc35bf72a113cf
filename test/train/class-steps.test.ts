// Steps with sampled classes: what they compute, that nothing else moves, and that they can be continued.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alone } from '../../src/mpi/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { sampleClasses } from '../../src/train/class-sampling.js';
import { RankProgram, stepOnRank } from '../../src/train/rank-program.js';
import { NAMES } from '../../src/train/step.js';
import { type Case, feedsOf, labelsOf, optionsOf, outcomeOf, outcomeOfSample } from './ranks/cases.js';

describe('steps with sampled classes', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice('cpu', { threads: 1 });
  });
  afterAll(() => device.close());

  const given: Case = { loss: 'cosface', lossOptions: { scale: 16 }, rate: 3e-4, classes: 40, steps: 8 };
  const sampled: Case = { ...given, classPlan: { shared: false, sampled: 0.3 } };

  const open = async () => {
    const options = optionsOf(sampled);
    const step = stepOnRank(options, alone);
    const program = await RankProgram.open(device, step, options, alone);
    const take = async (from: number, to: number) => {
      const losses: number[] = [];
      for (let i = from; i < to; i++) {
        const feeds = feedsOf(sampled, step.schedule, i, 0, options.batch);
        losses.push((await program.run(i, feeds, labelsOf(sampled, i)))[NAMES.loss]!.data[0]!);
      }
      return losses;
    };
    const look = async () => {
      const rows = program.classRows!;
      const tensors = new Map([...rows.tensors].map(([name, values]) => [name, values.slice()]));
      return { state: await program.getState(), rows: { ...rows, tensors } };
    };
    return { program, take, look };
  };

  test('a sample of all is the run without one', async () => {
    const whole = await outcomeOf(device, given);
    const all = await outcomeOf(device, { ...given, classPlan: { shared: false, sampled: 1 } }, alone);
    all.losses.forEach((loss, i) => {
      expect(Math.abs(loss - whole.losses[i]!)).toBeLessThan(1e-5 * Math.max(1, loss));
    });
  });

  test('compute the loss of a run that has the classes of the sample alone', async () => {
    const first = { ...sampled, steps: 1 };
    const [actual, expected] = [
      await outcomeOf(device, first, alone),
      await outcomeOfSample(device, first, 1),
    ];
    expect(actual.losses[0]).toBeCloseTo(expected.losses[0]!, 4);
    expect(actual.accuracies).toEqual(expected.accuracies);
    // Which is not the loss of all classes.
    expect(
      Math.abs(actual.losses[0]! - (await outcomeOf(device, { ...given, steps: 1 })).losses[0]!),
    ).toBeGreaterThan(0.1);
  });

  test('move the weights and velocities of the sample and no others', async () => {
    const { program, take, look } = await open();
    program.begin();
    await take(0, 3);
    const before = await look();
    await take(3, 4);
    const after = await look();
    const sample = sampleClasses({ from: 0, to: 40 }, labelsOf(sampled, 3), 12, {
      seed: optionsOf(sampled).seed,
      step: 3,
    });
    for (const [name, values] of after.rows.tensors) {
      const length = values.length / 40;
      for (let label = 0; label < 40; label++) {
        const row = (tensors: Map<string, Float32Array>) =>
          tensors.get(name)!.subarray(label * length, (label + 1) * length);
        const moved = row(after.rows.tensors).some((value, i) => value !== row(before.rows.tensors)[i]);
        expect(moved, `${name}, class ${label}`).toBe(sample.includes(label));
      }
    }
    await program.dispose();
  });

  test('continue from what was kept as if they had never stopped', async () => {
    const whole = await open();
    whole.program.begin();
    const losses = await whole.take(0, 8);
    const first = await open();
    first.program.begin();
    await first.take(0, 4);
    const { state, rows } = await first.look();
    const second = await open();
    second.program.setState(state, rows);
    expect(await second.take(4, 8)).toEqual(losses.slice(4));
    expect(await second.look()).toEqual(await whole.look());
    for (const { program } of [whole, first, second]) await program.dispose();
  });
});
