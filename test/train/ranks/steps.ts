// Run under mpirun or alone: takes steps on made-up images and prints the losses and the weights, as JSON, on rank 0.
// Alone and without `--rank-program` it takes them as a run in one process does, with a `Program`.
import { nameOf } from '../../../src/graph/index.js';
import { openCommunicator } from '../../../src/mpi/index.js';
import { openDevice } from '../../../src/runtime/index.js';
import { type RankOptions, RankProgram, stepOnRank } from '../../../src/train/rank-program.js';
import { freshState } from '../../../src/train/start.js';
import { NAMES, trainingStep } from '../../../src/train/step.js';

const { loss, steps, batch, classes, classPlan, rankProgram, backwardParts, lossOptions, net, rate } = {
  ...{ loss: 'softmax', steps: 50, batch: 8, classes: 10, lossOptions: {}, net: 'sphereface-4', rate: 0.01 },
  ...{ classPlan: { shared: false, sampled: 1 }, rankProgram: true, backwardParts: 1 },
  ...(JSON.parse(process.argv[2] ?? '{}') as object),
};
const size = [16, 16] as const;
const options: RankOptions = {
  ...{ net, size, embedding: 16, reluAfterFc1: false, loss, lossOptions, classes, batch },
  ...{ momentum: 0.9, weightDecay: 5e-4, seed: 1, formulations: 'fast', classPlan, backwardParts },
};

/** Images that differ from step to step, and are alike for one person. */
function imagesOf(step: number, labels: Int32Array): Float32Array {
  const pixels = 3 * size[0] * size[1];
  return Float32Array.from({ length: labels.length * pixels }, (_, i) => {
    const [row, pixel] = [Math.floor(i / pixels), i % pixels];
    return Math.sin(pixel * (1 + labels[row]!) * 0.1) + 0.3 * Math.cos(1.3 * step + 0.7 * pixel + row);
  });
}
const labelsOf = (step: number) =>
  Int32Array.from({ length: batch }, (_, i) => (3 * step + Math.floor(i / 2)) % classes);

const communicator = await openCommunicator();
const { rank, size: ranks } = communicator;
const device = await openDevice('cpu', { threads: 1 });
const losses: number[] = [];
let state: Map<string, Float32Array>;
const feedsOf = (
  step: number,
  from: number,
  to: number,
  schedule: ReturnType<typeof trainingStep>['schedule'],
) => {
  const labels = labelsOf(step);
  const pixels = 3 * size[0] * size[1];
  return {
    [NAMES.images]: imagesOf(step, labels).subarray(from * pixels, to * pixels),
    [NAMES.labels]: labels.subarray(from, to),
    [NAMES.rate]: rate,
    ...Object.fromEntries(schedule.map(({ input, at }) => [nameOf(input), at(step + 1)])),
  };
};
if (rankProgram) {
  const step = stepOnRank(options, communicator);
  const program = await RankProgram.open(device, step, options, communicator);
  program.begin();
  const rows = batch / ranks;
  for (let i = 0; i < steps; i++) {
    const feeds = feedsOf(i, rank * rows, (rank + 1) * rows, step.schedule);
    losses.push((await program.run(i, feeds, labelsOf(i)))[NAMES.loss]!.data[0]!);
  }
  state = await program.getState();
  const own = program.classRows;
  for (const [name, rowsHere] of own?.tensors ?? []) {
    state.set(name, classPlan.shared ? await communicator.allGather(rowsHere.slice()) : rowsHere);
  }
} else {
  const step = trainingStep(options);
  const program = await device.compile(step.graph);
  await program.setState(freshState(step, 1));
  for (let i = 0; i < steps; i++) {
    losses.push((await program.run(feedsOf(i, 0, batch, step.schedule)))[NAMES.loss]!.data[0]!);
  }
  state = await program.getState();
}
if (rank === 0) {
  const weights = [...state].sort(([a], [b]) => (a < b ? -1 : 1));
  console.log(
    JSON.stringify({
      losses,
      // Enough of each tensor to tell it by: length, norm, and every 97th number.
      state: weights.map(([name, values]) => [
        name,
        values.length,
        Math.sqrt(values.reduce((sum, v) => sum + v * v, 0)),
        [...values].filter((_, at) => at % 97 === 0).slice(0, 200),
      ]),
    }),
  );
}
await device.close();
await communicator.close();
