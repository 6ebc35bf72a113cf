// The product's own training step, along the path that `hypersphere train` takes: network, loss, gradients and
// update from src/train/step.ts, lowered and run by src/runtime.
import { nameOf, sizeOf } from '../../src/graph/index.js';
import { initialParameters } from '../../src/nn/index.js';
import { openDevice } from '../../src/runtime/index.js';
import { NAMES, trainingStep } from '../../src/train/step.js';
import type { Candidate } from '../step-server.js';
import type { Case } from './candidate.js';

/** Height and width of the paper's input. */
export const INPUT_SIZE = [112, 96] as const;

/**
 * A softmax training step of SphereFace on the CPU. The time covers handing over the images and labels, the step,
 * and reading the loss.
 */
export async function hypersphere(
  name: string,
  { depth, batch, classes, threads }: Case,
  formulations: 'fast' | 'plain',
): Promise<Candidate> {
  const step = trainingStep({
    net: `sphereface-${depth}`,
    size: INPUT_SIZE,
    embedding: 512,
    reluAfterFc1: false,
    loss: 'softmax',
    lossOptions: { bias: true },
    classes,
    batch,
    momentum: 0.9,
    weightDecay: 5e-4,
  });
  const device = await openDevice('cpu', { threads, spin: false });
  const program = await device.compile(step.graph, { formulations });
  const state = initialParameters(step.parameters, 1);
  for (const velocity of step.velocities)
    state.set(nameOf(velocity), new Float32Array(sizeOf(velocity.shape)));
  await program.setState(state);
  const feeds = {
    [NAMES.images]: Float32Array.from(
      { length: batch * 3 * INPUT_SIZE[0] * INPUT_SIZE[1] },
      (_, i) => ((i * 7919) % 2003) / 1001.5 - 1,
    ),
    [NAMES.labels]: Int32Array.from({ length: batch }, (_, i) => i % classes),
    [NAMES.rate]: 0.01,
  };
  return {
    name,
    async step() {
      const start = performance.now();
      const result = await program.run(feeds);
      const milliseconds = performance.now() - start;
      const loss = result[NAMES.loss]!.data[0]!;
      if (!Number.isFinite(loss)) throw new Error(`${name}: the loss became ${loss}`);
      return milliseconds;
    },
    async close() {
      await program.dispose();
      await device.close();
    },
  };
}
