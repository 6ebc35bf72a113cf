// One rank of a group that is timed (group.ts): builds the step of a case, then takes one whenever it is told to.
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { random } from '../../src/common/random.js';
import { nameOf } from '../../src/graph/index.js';
import { type Communicator, openCommunicator } from '../../src/mpi/index.js';
import { networkNamed } from '../../src/nn/index.js';
import { openDevice } from '../../src/runtime/index.js';
import { RankProgram, stepOnRank } from '../../src/train/rank-program.js';
import { freshState } from '../../src/train/start.js';
import { NAMES } from '../../src/train/step.js';
import { type Case, type ExchangeCase, optionsOf, type StepCase } from './cases.js';
import { writeIdentity } from './identities.js';

/** What a rank says of a step. */
export interface RankStep {
  milliseconds: number;
  /** Seconds in the stages and waiting for exchanges, and bytes given to exchanges; of a rank alone all 0. */
  computing: number;
  exchanging: number;
  bytes: number;
  loss: number;
  /** Memory of the process now and at most so far, in bytes. */
  resident: number;
  peak: number;
}

/** Batches that come in turns. */
const BATCHES = 4;
const RATE = 0.02;

type Taken = Pick<RankStep, 'computing' | 'exchanging' | 'bytes' | 'loss'>;

/** What takes step `i`. */
type Take = (i: number) => Promise<Taken>;

async function openStep(one: StepCase, communicator: Communicator): Promise<Take> {
  const options = optionsOf(one);
  const { rank, size: ranks } = communicator;
  const step = stepOnRank(options, communicator);
  const device = await openDevice('cpu', { threads: one.threads, spin: false });
  const shape = [networkNamed(options.net).channels, ...options.size] as const;
  const pixels = shape[0] * shape[1] * shape[2];
  const rows = one.batch / ranks;
  const batches = Array.from({ length: BATCHES }, (_, b) => {
    const stream = random(1, 'labels', b);
    const labels = Int32Array.from({ length: one.batch }, () => stream.integer(one.classes));
    const images = new Float32Array(rows * pixels);
    for (let i = 0; i < rows; i++)
      writeIdentity(images, i * pixels, { identity: labels[rank * rows + i]!, image: 0 }, shape);
    return { labels, images };
  });
  const feedsOf = (i: number) => {
    const { labels, images } = batches[i % BATCHES]!;
    return {
      [NAMES.images]: images,
      [NAMES.labels]: labels.subarray(rank * rows, (rank + 1) * rows),
      [NAMES.rate]: RATE,
      ...Object.fromEntries(step.schedule.map(({ input, at }) => [nameOf(input), at(i + 1)])),
    };
  };
  if (ranks === 1 && one.sampled === 1 && one.backwardParts === 1) {
    // As `hypersphere train` does without mpirun.
    const program = await device.compile(step.graph, { formulations: options.formulations });
    program.setState(freshState(step, options.seed));
    return async (i) => {
      const results = await program.run(feedsOf(i));
      return { computing: 0, exchanging: 0, bytes: 0, loss: results[NAMES.loss]!.data[0]! };
    };
  }
  const program = await RankProgram.open(device, step, options, communicator);
  program.begin();
  return async (i) => {
    const before = { ...program.spent };
    const results = await program.run(i, feedsOf(i), batches[i % BATCHES]!.labels);
    const { computing, exchanging, bytes } = program.spent;
    return {
      computing: computing - before.computing,
      exchanging: exchanging - before.exchanging,
      bytes: bytes - before.bytes,
      loss: results[NAMES.loss]!.data[0]!,
    };
  };
}

function openExchange({ count }: ExchangeCase, communicator: Communicator): Take {
  const values = new Float32Array(count).fill(1);
  return async () => {
    await communicator.allReduce(values, 'max');
    return { computing: 0, exchanging: 0, bytes: values.byteLength, loss: values[0]! };
  };
}

const [socketPath, text] = process.argv.slice(2) as [string, string];
const one = JSON.parse(text) as Case;
const communicator = await openCommunicator();
const socket = connect(socketPath);
await once(socket, 'connect');
const say = (what: unknown) => socket.write(`${JSON.stringify(what)}\n`);
const began = performance.now();
const take = one.kind === 'step' ? await openStep(one, communicator) : openExchange(one, communicator);
say({ rank: communicator.rank, seconds: (performance.now() - began) / 1000 });
let taken = 0;
for await (const _ of createInterface({ input: socket })) {
  const start = performance.now();
  const result = await take(taken++);
  const milliseconds = performance.now() - start;
  const answer: RankStep = {
    ...{ milliseconds, ...result },
    ...{ resident: process.memoryUsage.rss(), peak: 1024 * process.resourceUsage().maxRSS },
  };
  say(answer);
}
await communicator.close();
process.exit(0);
