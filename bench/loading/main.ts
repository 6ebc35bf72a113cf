// Images a second that the loader gives from a JPEG folder, a record file and memory, beside PyTorch's DataLoader, and
// what share of a training step waits for them. See bench/README.md.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import sharp from 'sharp';
import { random } from '../../src/common/random.js';
import { writeRecordSet } from '../../src/data/index.js';
import { networkNamed } from '../../src/nn/index.js';
import { whole, wholes } from '../options.js';
import { alternate, median, ratios } from '../statistics.js';
import { type Candidate, StepServer } from '../step-server.js';
import { type LoadCase, loader, openSource, type Source } from './loaders.js';
import { type Fed, fedStep } from './training.js';

interface Options {
  data?: string;
  net: string[];
  batch: number;
  batches: number;
  steps: number;
  rounds: number;
  threads: number[];
  trainThreads: number;
  smoke: boolean;
  json: boolean;
}

const options = new Command('loading')
  .description('times the loading of training images, alone and under training steps')
  .option('--data <folder>', 'JPEG files, one folder a person; a record file is made of it')
  .option('--net <names>', 'networks to feed', (text) => text.split(','), ['sphereface-4', 'mobilefacenet'])
  .option('--batch <n>', 'images a batch', whole, 64)
  .option('--batches <n>', 'batches that a loader alone is timed over', whole, 8)
  .option('--steps <n>', 'rounds of the loaders, and training steps of each block', whole, 8)
  .option('--rounds <n>', 'blocks of training steps on each source', whole, 3)
  .option('--threads <list>', 'threads of the loaders', wholes, [1, 2])
  .option('--train-threads <n>', 'threads of the training step', whole, cpus().length)
  .option('--smoke', 'a made-up folder and one step of everything, to see that it runs', false)
  .option('--json', 'print one JSON object', false)
  .parse()
  .opts<Options>();

const scratch = mkdtempSync(join(tmpdir(), 'hypersphere-loading-'));
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Some people of noise, for `--smoke`. */
async function madeUp(): Promise<string> {
  const folder = join(scratch, 'faces');
  for (let person = 0; person < 3; person++) {
    mkdirSync(join(folder, `p${person}`), { recursive: true });
    for (let i = 0; i < 6; i++) {
      const stream = random(1, person, i);
      const raw = Buffer.from(Uint8Array.from({ length: 112 * 112 * 3 }, () => stream.integer(256)));
      await sharp(raw, { raw: { width: 112, height: 112, channels: 3 } })
        .jpeg()
        .toFile(join(folder, `p${person}`, `${i}.jpg`));
    }
  }
  return folder;
}

/** PyTorch's DataLoader with each decoder that its Python has; those that do not start are named and left out. */
async function rivals(
  data: string,
  { size, batch, batches }: LoadCase,
  workers: number,
): Promise<Candidate[]> {
  const script = fileURLToPath(new URL('./dataloader_server.py', import.meta.url));
  const found: Candidate[] = [];
  for (const decoder of ['pil', 'cv2']) {
    const sizes = { data, decoder, height: size[0], width: size[1], batch, batches, workers };
    const flags = Object.entries(sizes).flatMap(([name, value]) => [`--${name}`, String(value)]);
    try {
      const server = await StepServer.start('', process.env.HYPERSPHERE_PYTHON ?? 'python3', [
        script,
        ...flags,
      ]);
      server.name = `PyTorch ${String(server.about.torch).replace(/\+.*/, '')}, ${server.version}`;
      found.push(server);
    } catch (error) {
      say(`PyTorch with ${decoder} left out: ${(error as Error).message}`);
    }
  }
  return found;
}

interface LoaderRow {
  name: string;
  threads: number;
  imagesPerSecond: number;
  /** Of the faster DataLoader's time in the same round; absent without one. */
  timeOverPytorch?: number;
}

async function loaders(
  data: string,
  sources: Source[],
  sizes: LoadCase,
  threads: number,
): Promise<LoaderRow[]> {
  const others = await rivals(data, sizes, threads);
  const candidates = [
    ...others,
    ...(await Promise.all(sources.map((source) => loader(source, sizes, threads)))),
  ];
  try {
    const times = await alternate(candidates, options.steps, (round, rounds) => {
      if (process.stderr.isTTY)
        process.stderr.write(`\rloaders, ${threads} threads: round ${round} of ${rounds} `);
    });
    const reference = times.slice(0, others.length).sort((a, b) => median(a) - median(b))[0];
    return times.map((own, i) => ({
      name: candidates[i]!.name,
      threads,
      imagesPerSecond: (1000 * sizes.batch * sizes.batches) / median(own),
      ...(reference && { timeOverPytorch: median(ratios(own, reference)) }),
    }));
  } finally {
    for (const candidate of candidates) await candidate.close();
  }
}

interface TrainingRow {
  net: string;
  name: string;
  imagesPerSecond: number;
  /** Share of the steps' time that they waited for images. */
  waited: number;
  /** Time of a step over that of one whose batch is at hand, block by block. */
  timeOverStill: number;
}

async function training(sources: Source[], net: string): Promise<TrainingRow[]> {
  const { size, embedding } = networkNamed(net);
  const hw = [size[0], size[1]] as const;
  const sets = [
    undefined,
    ...(await Promise.all(sources.map((source) => openSource(source, hw, undefined)))),
  ];
  const classes = sets[1]!.people.length;
  const step = await fedStep(net, hw, embedding, {
    batch: options.batch,
    threads: options.trainThreads,
    classes,
  });
  try {
    const blocks: Fed[][] = sets.map(() => []);
    for (let round = 0; round < options.rounds; round++)
      for (const [i, set] of sets.entries()) {
        if (process.stderr.isTTY) process.stderr.write(`\r${net}: round ${round + 1} of ${options.rounds} `);
        blocks[i]!.push(await step.take(set, options.steps));
      }
    const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
    const still = blocks[0]!.map(({ times }) => median(times));
    return blocks.map((fed, i) => {
      const times = fed.flatMap((block) => block.times);
      return {
        net,
        name: i === 0 ? 'a batch at hand' : sources[i - 1]!.name,
        imagesPerSecond: (1000 * options.batch) / median(times),
        waited: sum(fed.flatMap((block) => block.waits)) / sum(times),
        timeOverStill: median(fed.map((block, k) => median(block.times) / still[k]!)),
      };
    });
  } finally {
    await step.close();
    for (const set of sets) await set?.close();
  }
}

function print(loaded: LoaderRow[], trained: TrainingRow[]): void {
  const names = [...new Set([...loaded, ...trained].map(({ name }) => name))];
  const columns: [string, (name: string) => string][] = [];
  for (const threads of options.threads) {
    const row = (name: string) => loaded.find((one) => one.name === name && one.threads === threads);
    columns.push([`${threads} thr img/s`, (name) => row(name)?.imagesPerSecond.toFixed(0) ?? '']);
    columns.push(['/ PyTorch', (name) => row(name)?.timeOverPytorch?.toFixed(2) ?? '']);
  }
  for (const net of options.net) {
    const row = (name: string) => trained.find((one) => one.name === name && one.net === net);
    columns.push([`${net} img/s`, (name) => row(name)?.imagesPerSecond.toFixed(1) ?? '']);
    columns.push(['waited', (name) => (row(name) ? `${(100 * row(name)!.waited).toFixed(1)} %` : '')]);
    columns.push(['/ at hand', (name) => row(name)?.timeOverStill.toFixed(2) ?? '']);
  }
  const width = (heading: string) => Math.max(9, heading.length) + 2;
  console.log(''.padEnd(36) + columns.map(([heading]) => heading.padStart(width(heading))).join(''));
  for (const name of names)
    console.log(
      name.padEnd(36) + columns.map(([heading, cell]) => cell(name).padStart(width(heading))).join(''),
    );
}

try {
  if (options.smoke)
    Object.assign(options, { net: ['sphereface-4'], batch: 4, batches: 2, steps: 1, rounds: 1 });
  const data = options.smoke ? await madeUp() : options.data;
  if (data === undefined) throw new Error('--data FOLDER is missing');
  const records = join(scratch, 'train.rec');
  await writeRecordSet(data, records);
  const sources: Source[] = [
    { name: 'JPEG folder', path: data, inMemory: false },
    { name: 'record file', path: records, inMemory: false },
    { name: 'memory', path: records, inMemory: true },
  ];
  const { size } = networkNamed(options.net[0]!);
  const sizes: LoadCase = { size: [size[0], size[1]], batch: options.batch, batches: options.batches };
  const loaded: LoaderRow[] = [];
  for (const threads of options.threads) loaded.push(...(await loaders(data, sources, sizes, threads)));
  const trained: TrainingRow[] = [];
  for (const net of options.net) trained.push(...(await training(sources, net)));
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  if (options.json) {
    const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
    console.log(JSON.stringify({ machine, batch: options.batch, loaded, trained }));
  } else print(loaded, trained);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
