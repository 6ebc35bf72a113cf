// Whole training steps against PyTorch: three steps of SphereFace-4 and -10 on small images, with Caffe's update rule
// written out by hand on the other side. Losses, embeddings' effect and final weights have to agree.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nameOf, sizeOf } from '../../src/graph/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { NAMES, trainingStep } from '../../src/train/step.js';
import { expectSamples, hashed, readFixture, type Samples } from '../support/fixtures.js';

interface Run {
  depth: number;
  size: [number, number];
  embedding: number;
  classes: number;
  batch: number;
  loss: string;
  margin: number;
  bias: boolean;
  rate: number;
  momentum: number;
  decay: number;
  steps: { labels: number[]; imagesSalt: number; annealing: number; loss: number }[];
  parameters: {
    name: string;
    shape: number[];
    salt: number;
    amplitude: number;
    offset: number;
    rate: number;
    decay: number;
    final: Samples;
  }[];
}
const { runs } = readFixture<{ runs: Run[] }>('training');

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 2 });
});
afterAll(() => device.close());

describe.each(['plain', 'fast'] as const)('%s formulation', (formulations) => {
  test.each(runs)('three steps of SphereFace-$depth with $loss agree with PyTorch', async (run) => {
    const step = trainingStep({
      net: `sphereface-${run.depth}`,
      size: run.size,
      embedding: run.embedding,
      reluAfterFc1: false,
      loss: run.loss,
      lossOptions: run.loss === 'softmax' ? { bias: run.bias } : { margin: run.margin, gradient: 'exact' },
      classes: run.classes,
      batch: run.batch,
      momentum: run.momentum,
      weightDecay: run.decay,
    });
    // The same parameters in the same order, with the same multipliers, under names of their own.
    expect(step.parameters.map(({ shape, rate, decay }) => ({ shape: [...shape], rate, decay }))).toEqual(
      run.parameters.map(({ shape, rate, decay }) => ({ shape, rate, decay })),
    );
    const program = await device.compile(step.graph, { formulations });
    const state = new Map<string, Float32Array>();
    step.parameters.forEach((parameter, i) => {
      state.set(parameter.name, hashed(run.parameters[i]!));
    });
    for (const velocity of step.velocities) {
      state.set(nameOf(velocity), new Float32Array(sizeOf(velocity.shape)));
    }
    await program.setState(state);
    for (const { labels, imagesSalt, annealing, loss } of run.steps) {
      const images = hashed({ shape: [run.batch, 3, ...run.size], salt: imagesSalt, amplitude: 1 });
      const feeds: Record<string, Float32Array | Int32Array | number> = {
        [NAMES.images]: images,
        [NAMES.labels]: Int32Array.from(labels),
        [NAMES.rate]: run.rate,
      };
      for (const { input } of step.schedule) feeds[nameOf(input)] = annealing;
      const result = await program.run(feeds);
      expect(Math.abs(result[NAMES.loss]!.data[0]! - loss)).toBeLessThan(2e-5 * loss);
    }
    const final = await program.getState();
    await program.dispose();
    step.parameters.forEach((parameter, i) => {
      expectSamples(final.get(parameter.name)!, run.parameters[i]!.final, 1e-4, parameter.name);
    });
  });
});
