// Images a second of the SphereFace training step beside PyTorch (and TensorFlow.js) on the CPU, all in one run and
// in turns, with what the machine reaches in a matrix product and in copying memory. See bench/README.md.
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { describeNetwork } from '../../src/nn/index.js';
import { memoryCopy } from '../memory.js';
import { whole, wholes } from '../options.js';
import { alternate, median, ratioOf, ratios } from '../statistics.js';
import { StepServer } from '../step-server.js';
import type { Case } from './candidate.js';
import { INPUT_SIZE } from './hypersphere.js';
import { MATMUL_FLOP, matmulPeak } from './matmul-peak.js';
import { pytorch } from './pytorch.js';
import { type CaseResult, printCase, printHeader, type Row } from './table.js';
import { type TensorflowResult, timeTensorflow } from './tensorflow.js';

interface Options {
  net: number[];
  batch: number[];
  steps: number;
  threads: number;
  classes: number;
  plain: boolean;
  tfjsSeconds: number;
  smoke: boolean;
  json: boolean;
}

const given = new Command('train-step')
  .description('times the SphereFace training step beside PyTorch and TensorFlow.js')
  .option('--net <depths>', 'layers, separated by commas', wholes, [4, 20, 64])
  .option('--batch <sizes>', 'images a step, separated by commas', wholes, [16, 32, 64, 128])
  .option('--steps <n>', 'steps timed of each, after two that are discarded', whole, 5)
  .option('--threads <n>', 'threads of every side', whole, 2)
  .option('--classes <n>', 'people in the softmax head', whole, 1000)
  .option('--plain', 'time the plain formulations of the graph as well', false)
  .option('--tfjs-seconds <n>', 'budget of each TensorFlow.js backend', whole, 300)
  .option('--smoke', 'see that it runs: the smallest case, once, without rivals', false)
  .option('--json', 'print one JSON object', false)
  .parse()
  .opts<Options>();

const options: Options = given.smoke ? { ...given, net: [4], batch: [2], steps: 1, classes: 8 } : given;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** FLOP of one training step: forward, gradient of the input, gradient of the kernel; a multiply-add is two. */
function stepFlop({ depth, batch, classes }: Case): number {
  const network = describeNetwork(`sphereface-${depth}`, { size: INPUT_SIZE });
  return 3 * 2 * batch * (network.multiplyAdds + network.embedding * classes);
}

/** Our step, in a process of its own. */
function hypersphere(name: string, sizes: Case, formulations: 'fast' | 'plain'): Promise<StepServer> {
  const script = fileURLToPath(new URL('hypersphere-server.ts', import.meta.url));
  const parameters = ['--import', 'tsx', script, JSON.stringify(sizes), formulations];
  return StepServer.start(name, process.execPath, parameters);
}

async function measure(sizes: Case): Promise<CaseResult> {
  const rivals = options.smoke ? [] : await pytorch(sizes, say);
  const copy = await memoryCopy(sizes.threads);
  const sides = [
    ...rivals,
    await hypersphere('Hypersphere', sizes, 'fast'),
    ...(options.plain ? [await hypersphere('Hypersphere plain', sizes, 'plain')] : []),
  ];
  const candidates = [await matmulPeak(sizes.threads), copy, ...sides];
  const title = `SphereFace-${sizes.depth}, batch ${sizes.batch}`;
  try {
    const [peak = [], copies = [], ...times] = await alternate(candidates, options.steps, (round, rounds) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${title}: round ${round} of ${rounds} `);
    });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    const reference = times.slice(0, rivals.length).sort((a, b) => median(a) - median(b))[0];
    const work = stepFlop(sizes) / MATMUL_FLOP;
    const rows = times.map((own, i): Row => {
      return {
        name: sides[i]!.name,
        memory: sides[i]!.peakMemory(),
        milliseconds: median(own),
        fastest: Math.min(...own),
        imagesPerSecond: (1000 * sizes.batch) / median(own),
        shareOfPeak: work * median(ratios(peak, own)),
        ...(reference && { ratio: ratioOf(own, reference) }),
      };
    });
    return {
      ...sizes,
      steps: options.steps,
      peakGflops: MATMUL_FLOP / 1e6 / median(peak),
      copyGigabytes: copy.bytes / 1e6 / median(copies),
      rows,
    };
  } finally {
    for (const candidate of candidates) await candidate.close();
  }
}

const { threads, classes } = options;
const results: CaseResult[] = [];
if (!options.json) printHeader(threads);
for (const depth of options.net) {
  for (const batch of options.batch) {
    const result = await measure({ depth, batch, classes, threads });
    results.push(result);
    if (!options.json) printCase(result);
  }
}

let tensorflow: (Case & { results: TensorflowResult[] }) | undefined;
const folder = process.env.HYPERSPHERE_TFJS;
if (!options.smoke && folder && existsSync(path.join(folder, 'node_modules/@tensorflow/tfjs'))) {
  const sizes: Case = { depth: options.net[0]!, batch: options.batch[0]!, classes, threads };
  tensorflow = { ...sizes, results: await timeTensorflow(folder, sizes, options.tfjsSeconds) };
  if (!options.json) {
    console.log(`\nTensorFlow.js, SphereFace-${sizes.depth}, batch ${sizes.batch}`);
    for (const { backend, version = '', steps, note } of tensorflow.results) {
      const times = steps.map((step) => `${(step / 1000).toFixed(1)} s`).join(', ');
      console.log(`${`${backend} ${version}`.padEnd(30)}${times ? `steps of ${times}` : ''}${note ?? ''}`);
    }
  }
} else if (!options.smoke) {
  say('TensorFlow.js left out: HYPERSPHERE_TFJS names no folder with @tensorflow/tfjs installed');
}

if (options.json) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  console.log(JSON.stringify({ machine, results, ...(tensorflow && { tensorflow }) }));
}
