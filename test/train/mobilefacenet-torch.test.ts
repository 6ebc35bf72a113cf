// MobileFaceNet against PyTorch's own layers with the same weights: the embedding that is exported, and one step of
// training: its loss, every gradient, and the statistics kept for later.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nameOf, sizeOf } from '../../src/graph/index.js';
import { lowerInference } from '../../src/lower/index.js';
import { foldNormalizations } from '../../src/nn/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { velocityName } from '../../src/train/sgd.js';
import { embedder, NAMES, trainingStep } from '../../src/train/step.js';
import {
  expectClose,
  expectSamples,
  type Hashed,
  hashed,
  readFixture,
  type Samples,
} from '../support/fixtures.js';

interface Fixture {
  inference: { size: [number, number]; imagesSalt: number; embedding: number[] }[];
  training: {
    size: [number, number];
    embedding: number;
    classes: number;
    labels: number[];
    imagesSalt: number;
    loss: number;
    /** In the order of the layers, the head's last; `after` is a gradient, or what a step makes of a statistic. */
    tensors: (Hashed & { after: Samples })[];
  };
}
const { inference, training } = readFixture<Fixture>('mobilefacenet');

const choice = {
  net: 'mobilefacenet',
  reluAfterFc1: false,
  loss: 'softmax',
  lossOptions: { bias: true },
  embedding: training.embedding,
};

/** The fixture's values of tensors declared in the same order; a kernel of another size keeps its salt and amplitude. */
function filled(parameters: readonly { name: string; shape: readonly number[] }[]) {
  return new Map(
    parameters.map(({ name, shape }, i) => {
      const tensor = training.tensors[i]!;
      if (name !== 'global.weight') expect([name, ...shape]).toEqual([name, ...tensor.shape]);
      const amplitude =
        name === 'global.weight' ? Math.sqrt(4.8 / (shape[2]! * shape[3]!)) : tensor.amplitude;
      return [name, hashed({ ...tensor, shape: [...shape], amplitude })] as const;
    }),
  );
}

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

test.each(inference)('exported at $size it gives the embedding that PyTorch gives', async (reference) => {
  const { size, imagesSalt } = reference;
  const weights = filled(embedder({ ...choice, size }, 'running').parameters);
  const { images, embedding } = embedder({ ...choice, size });
  const model = await device.load(
    lowerInference({ inputs: [images], outputs: { embedding }, weights: foldNormalizations(weights) }),
  );
  const shape = [1, 3, ...size];
  const results = await model.run({
    images: { data: hashed({ shape, salt: imagesSalt, amplitude: 1 }), shape },
  });
  expectClose(results.embedding!.data, reference.embedding, 1e-5, 'embedding');
  await model.dispose();
});

describe.each(['plain', 'fast'] as const)('%s formulation', (formulations) => {
  test('one step has the loss, the gradients and the running statistics of PyTorch', async () => {
    const { size, classes, labels, imagesSalt, loss, tensors } = training;
    const batch = labels.length;
    const options = { ...choice, size, classes, batch, momentum: 0, weightDecay: 0 };
    const { graph, parameters } = trainingStep(options);
    expect(parameters.length).toBe(tensors.length);
    const program = await device.compile(graph, { formulations });
    const weights = filled(parameters);
    const velocities = graph.state.flatMap(({ parameter }) =>
      weights.has(nameOf(parameter))
        ? []
        : [[nameOf(parameter), new Float32Array(sizeOf(parameter.shape))] as const],
    );
    await program.setState(new Map([...weights, ...velocities]));
    const results = await program.run({
      [NAMES.images]: hashed({ shape: [batch, 3, ...size], salt: imagesSalt, amplitude: 1 }),
      [NAMES.labels]: Int32Array.from(labels),
      [NAMES.rate]: 1,
    });
    expectClose(results.loss!.data, [loss], 1e-5, 'loss');
    const state = await program.getState();
    parameters.forEach(({ name, next, rate }, i) => {
      // At rate 1 without momentum and decay a velocity is the gradient times the parameter's multiplier.
      const after = next ? state.get(name)! : state.get(velocityName(name))!.map((v) => v / rate);
      const reference = tensors[i]!.after;
      // A shift before another normalisation changes nothing: its gradient is zero but for rounding.
      if (reference.sumOfSquares < 1e-24) expect(Math.max(...after.map(Math.abs)), name).toBeLessThan(1e-5);
      else expectSamples(after, reference, 1e-4, name);
    });
    await program.dispose();
  });
});
