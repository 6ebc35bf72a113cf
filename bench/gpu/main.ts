// Images a second of training and embedding SphereFace on graphics cards, beside PyTorch there, in turns: one table a
// case. See bench/README.md.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import type { DeviceName } from '../../src/runtime/index.js';
import { whole, wholes } from '../options.js';
import { alternate, median, ratioOf } from '../statistics.js';
import { StepServer } from '../step-server.js';
import { startOurs, type Way, type Work } from './ours.js';

interface Options {
  net: number[];
  batch: number[];
  device: DeviceName[];
  work: Work['work'][];
  classes: number;
  steps: number;
  threads: number;
  looped: number;
  smoke: boolean;
  json: boolean;
}

const names = <T extends string>(text: string): T[] => text.split(',') as T[];

const options = new Command('gpu')
  .description('times training and embedding on graphics cards beside PyTorch')
  .option('--net <depths>', 'layers, separated by commas', wholes, [4, 20, 64])
  .option('--batch <sizes>', 'images a step, separated by commas', wholes, [64, 256, 512])
  .option('--device <names>', 'devices of ours, separated by commas', names<DeviceName>, [
    'cuda',
    'webgpu',
  ] as DeviceName[])
  .option('--work <kinds>', 'train, embed or both', names<Work['work']>, ['train', 'embed'] as Work['work'][])
  .option('--classes <n>', 'people in the softmax head', whole, 1000)
  .option('--steps <n>', 'steps timed of each, after two that are discarded', whole, 20)
  .option('--threads <n>', 'threads on the CPU', whole, 8)
  .option('--looped <n>', 'steps in one call of the looped row of CUDA', whole, 10)
  .option(
    '--smoke',
    'the smallest case on the CPU, and on WebGPU where it is, to see that all of it runs',
    false,
  )
  .option('--json', 'print one JSON object', false)
  .parse()
  .opts<Options>();
if (options.smoke)
  Object.assign(options, {
    net: [4],
    batch: [1],
    device: ['cpu', 'webgpu'],
    classes: 10,
    steps: 1,
    threads: 1,
  });

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** The ways of ours to do `work` on a device. */
function waysOf(device: DeviceName, { work }: Work): Way[] {
  const best: Way = { device, formulations: 'fast', stepsPerCall: 1, tf32: true };
  if (device === 'cpu' || options.smoke) return [best];
  const precise = device === 'cuda' ? [{ ...best, tf32: false }] : [];
  if (work === 'embed') return [best, ...precise];
  const looped = device === 'cuda' ? [{ ...best, stepsPerCall: options.looped }] : [];
  return [best, ...precise, ...looped, { ...best, formulations: 'plain' }];
}

/** PyTorch's rows: both memory layouts, with TF32 and without where that is a choice. */
async function pytorch(work: Work): Promise<StepServer[]> {
  const device = options.smoke ? 'cpu' : 'cuda';
  const script = fileURLToPath(new URL('./pytorch_server.py', import.meta.url));
  const python = (process.env.HYPERSPHERE_PYTHON ?? 'python3').split(path.delimiter)[0]!;
  const given = Object.entries({ ...work, device }).flatMap(([k, v]) => [`--${k}`, String(v)]);
  const servers: StepServer[] = [];
  for (const precision of device === 'cuda' ? [['--tf32'], []] : [[]]) {
    for (const layout of [[], ['--channels-last']]) {
      const note = device === 'cuda' ? (precision.length > 0 ? 'TF32' : 'float32') : 'cpu';
      const name = `PyTorch ${note}${layout.length > 0 ? ' channels last' : ''}`;
      const server = await started(name, () =>
        StepServer.start(name, python, [script, ...given, ...precision, ...layout]),
      );
      if (server) servers.push(server);
    }
  }
  return servers;
}

/** What starts; what does not is named and left out. */
async function started(name: string, start: () => Promise<StepServer>): Promise<StepServer | undefined> {
  try {
    return await start();
  } catch (error) {
    say(`${name} left out: ${(error as Error).message.split('\n')[0]}`);
    return undefined;
  }
}

interface Row {
  name: string;
  milliseconds: number;
  imagesPerSecond: number;
  /** Time over PyTorch's best with the same rounding of products: median and quartiles of the rounds. */
  ratio?: { median: number; low: number; high: number };
}

async function measure(work: Work): Promise<Row[]> {
  const servers = await pytorch(work);
  const rivals = servers.length;
  for (const device of options.device) {
    for (const way of waysOf(device, work)) {
      const server = await started(`Hypersphere ${device}`, () => startOurs(work, way));
      if (server) servers.push(server);
    }
  }
  try {
    const times = await alternate(servers, options.steps, (round, rounds) => {
      if (process.stderr.isTTY) process.stderr.write(`\rround ${round} of ${rounds} `);
    });
    const rounded = (name: string) => name.includes('TF32');
    return servers.map(({ name }, i): Row => {
      const own = times[i]!;
      // WebGPU computes in float32, and so does PyTorch without TF32.
      const alike = times.filter((_, j) => j < rivals && rounded(servers[j]!.name) === rounded(name));
      const best = [...alike].sort((a, b) => median(a) - median(b))[0];
      return {
        name,
        milliseconds: median(own),
        imagesPerSecond: (1000 * work.batch) / median(own),
        ...(best && { ratio: ratioOf(own, best) }),
      };
    });
  } finally {
    for (const server of servers) await server.close();
  }
}

const results: (Work & { rows: Row[] })[] = [];
for (const kind of options.work) {
  for (const depth of options.net) {
    for (const batch of options.batch) {
      const work: Work = { work: kind, depth, batch, classes: options.classes, threads: options.threads };
      const rows = await measure(work);
      results.push({ ...work, rows });
      if (options.json) continue;
      console.log(`\nSphereFace-${depth}, ${kind}, batch ${batch}`);
      console.log(`${''.padEnd(36)}  median ms   images/s  time / PyTorch's (quartiles)`);
      for (const { name, milliseconds, imagesPerSecond, ratio } of rows) {
        const relative = ratio
          ? `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`
          : '';
        console.log(
          `${name.padEnd(36)}${milliseconds.toFixed(1).padStart(11)}${imagesPerSecond.toFixed(0).padStart(11)}  ${relative}`,
        );
      }
    }
  }
}
if (options.json) console.log(JSON.stringify({ results }));
