// Steps lowered for CUDA hold operators that its provider implements, and convolutions as cuDNN has them.
import { expect, test } from 'vitest';
import { acos, constant } from '../../src/graph/index.js';
import { losses } from '../../src/losses/index.js';
import { decodeModel, lowerStep, type OnnxGraph, type OnnxNode, OPSET } from '../../src/lower/index.js';
import { openDevice, Program } from '../../src/runtime/index.js';
import { trainingStep } from '../../src/train/step.js';
import { CUDA_OPERATORS } from './cuda-operators.js';

/** All nodes, those of inner graphs too. */
function nodesOf({ nodes }: OnnxGraph): OnnxNode[] {
  const inner = nodes.flatMap(({ attributes }) =>
    Object.values(attributes ?? {}).flatMap((a) =>
      typeof a === 'object' && 'graph' in a ? nodesOf(a.graph as OnnxGraph) : [],
    ),
  );
  return [...nodes, ...inner];
}

const nodesFor = (net: string, loss: string, stepsPerCall = 1): OnnxNode[] => {
  const { graph } = trainingStep({
    ...{ net, size: [32, 32], embedding: 8, reluAfterFc1: false, classes: 5, batch: 4 },
    ...{ loss: loss === 'mhe' ? 'softmax+mhe' : loss, lossOptions: {}, momentum: 0.9, weightDecay: 5e-4 },
  });
  return nodesOf(decodeModel(lowerStep(graph, { target: 'cuda', stepsPerCall }).model).graph);
};

const cases = [
  ...Object.keys(losses).map((loss) => ['sphereface-4', loss, 1] as const),
  ['sphereface-20', 'a-softmax', 10] as const,
  ['mobilefacenet', 'arcface', 1] as const,
  ['digits', 'softmax', 2] as const,
];

test.each(cases)('a step of %s with %s, %i in a call, has CUDA kernels for all its operators', (...of) => {
  expect(OPSET).toBe(17);
  const nodes = nodesFor(...of);
  const missing = nodes.filter(({ domain, opType }) => domain || (CUDA_OPERATORS[opType] ?? 99) > OPSET);
  expect(missing.map(({ domain, opType }) => `${domain ?? ''}:${opType}`)).toEqual([]);
  expect(nodes.length).toBeGreaterThan(50);
});

test('convolutions are two-dimensional, with padding alike on both sides and no kernels as large as an image', () => {
  const convolutions = nodesFor('sphereface-20', 'softmax').filter(({ opType }) => /^Conv/.test(opType));
  expect(convolutions.length).toBeGreaterThan(20);
  for (const { attributes } of convolutions) {
    expect(attributes?.kernel_shape).toEqual([3, 3]);
    expect(attributes?.pads).toEqual([1, 1, 1, 1]);
    expect(attributes?.dilations).toBeUndefined();
  }
});

test('the angle of a cosine, which is written as a series for CUDA, to float32', async () => {
  const cosines = Float32Array.from({ length: 2001 }, (_, i) => i / 1000 - 1);
  const lowered = lowerStep(
    { inputs: [], state: [], outputs: { angles: acos(constant(cosines, [2001])) } },
    { target: 'cuda' },
  );
  const program = await Program.open(lowered, { target: 'cpu', threads: 1, spin: false });
  const { angles } = await program.run({});
  cosines.forEach((cosine, i) => {
    expect(Math.abs(angles!.data[i]! - Math.acos(cosine))).toBeLessThan(6e-7);
  });
  await program.dispose();
});

test('a CUDA device that is not there is refused with what to install', async () => {
  // On a machine that has one, opening succeeds and there is nothing to refuse.
  const device = await openDevice('cuda', { threads: 1 }).catch((error: Error) => error);
  if (device instanceof Error) expect(device.message).toMatch(/cuDNN 9.*onnxruntime-node-install=cuda12/);
  else await device.close();
});
