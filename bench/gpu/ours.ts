// Our training step and our embedding on a device, each in a process of its own (`server.ts`): a card that two
// runtimes share in one process is nobody's use, and CUDA's arithmetic is chosen by the environment.
import { fileURLToPath } from 'node:url';
import { nameOf, sizeOf } from '../../src/graph/index.js';
import { lowerInference } from '../../src/lower/index.js';
import { initialParameters } from '../../src/nn/index.js';
import { type DeviceName, openDevice } from '../../src/runtime/index.js';
import { embedder, trainingStep } from '../../src/train/step.js';
import { StepServer } from '../step-server.js';

/** Height and width of the paper's input. */
export const SIZE = [112, 96] as const;

/** What is timed. */
export interface Work {
  work: 'train' | 'embed';
  depth: number;
  batch: number;
  classes: number;
  threads: number;
}

/** One way to do it. */
export interface Way {
  device: DeviceName;
  formulations: 'fast' | 'plain';
  stepsPerCall: number;
  /** Whether CUDA may round the factors of products to TF32; as it does by itself. */
  tf32: boolean;
}

/** Starts the work in a process of its own. */
export function startOurs(work: Work, way: Way): Promise<StepServer> {
  const { device, formulations, stepsPerCall, tf32 } = way;
  const notes = [
    ...(formulations === 'plain' ? ['plain'] : []),
    ...(stepsPerCall > 1 ? [`${stepsPerCall} a call`] : []),
    ...(device === 'cuda' ? [tf32 ? 'TF32' : 'float32'] : []),
  ];
  const name = ['Hypersphere', device, ...notes].join(' ');
  const script = fileURLToPath(new URL('./server.ts', import.meta.url));
  const environment = { ...process.env, ...(!tf32 && { NVIDIA_TF32_OVERRIDE: '0' }) };
  const given = JSON.stringify({ work, way });
  return StepServer.start(name, process.execPath, ['--import', 'tsx', script, given], environment);
}

const images = (batch: number): Float32Array =>
  Float32Array.from({ length: batch * 3 * SIZE[0] * SIZE[1] }, (_, i) => ((i * 7919) % 2003) / 1001.5 - 1);

/** Opens the device and gives a function that takes one step: images in, the loss or the embeddings out. */
export async function openOurs(work: Work, way: Way): Promise<() => Promise<void>> {
  const device = await openDevice(way.device, { threads: work.threads });
  const network = { net: `sphereface-${work.depth}`, size: SIZE, embedding: 512, reluAfterFc1: false };
  const loss = { loss: 'softmax', lossOptions: { bias: true } };
  if (work.work === 'embed') {
    const graph = embedder({ ...network, ...loss });
    const weights = initialParameters(graph.parameters, 1);
    const { images: input, embedding } = graph;
    const model = await device.load(
      lowerInference({ inputs: [input], outputs: { embedding }, weights, metadata: {} }),
    );
    const data = images(work.batch);
    return async () => {
      const { embedding: found } = await model.run({ images: data });
      if (!found!.data.every(Number.isFinite)) throw new Error('an embedding is not finite');
    };
  }
  const { classes, batch } = work;
  const step = trainingStep({ ...network, ...loss, classes, batch, momentum: 0.9, weightDecay: 5e-4 });
  const { formulations, stepsPerCall: k } = way;
  const program = await device.compile(step.graph, { formulations, stepsPerCall: k });
  const state = initialParameters(step.parameters, 1);
  for (const v of step.velocities) state.set(nameOf(v), new Float32Array(sizeOf(v.shape)));
  program.setState(state);
  const feeds = {
    images: images(batch * k),
    labels: Int32Array.from({ length: batch * k }, (_, i) => i % classes),
    rate: 0.01,
  };
  return async () => {
    const results = await program.run(feeds);
    if (!results.loss!.data.every(Number.isFinite)) throw new Error('the loss is not finite');
  };
}
