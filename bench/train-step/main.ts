// Images a second of the SphereFace training step beside PyTorch (and TensorFlow.js) on the CPU, all in one run and
// in turns, with the share of the machine's matrix-product peak. See bench/README.md.
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { describeNetwork } from '../../src/nn/index.js';
import { whole, wholes } from '../options.js';
import { alternate, median, type Ratio, ratioOf, ratios } from '../statistics.js';
import { type Candidate, StepServer } from '../step-server.js';
import type { Case } from './candidate.js';
import { hypersphere, INPUT_SIZE } from './hypersphere.js';
import { MATMUL_FLOP, matmulPeak } from './matmul-peak.js';
import { type TensorflowResult, timeTensorflow } from './tensorflow.js';

interface Options {
  net: number[];
  batch: number[];
  steps: number;
  threads: number;
  classes: number;
  plain: boolean;
  tfjsSeconds: number;
  json: boolean;
}

/** One candidate's figures in one case. */
interface Row {
  name: string;
  milliseconds: number;
  fastest: number;
  imagesPerSecond: number;
  /** FLOP of direct convolution a second over the peak's, round by round. */
  shareOfPeak: number;
  /** Time over the fastest PyTorch's, round by round: median and quartiles. */
  ratio?: Ratio;
}

interface CaseResult extends Case {
  steps: number;
  peakGflops: number;
  rows: Row[];
}

const options = new Command('train-step')
  .description('times the SphereFace training step beside PyTorch and TensorFlow.js')
  .option('--net <depths>', 'layers, separated by commas', wholes, [4, 20])
  .option('--batch <sizes>', 'images a step, separated by commas', wholes, [16, 32, 64])
  .option('--steps <n>', 'steps timed of each, after two that are discarded', whole, 8)
  .option('--threads <n>', 'threads of every side', whole, 2)
  .option('--classes <n>', 'people in the softmax head', whole, 1000)
  .option('--plain', 'time the plain formulations of the graph as well', false)
  .option('--tfjs-seconds <n>', 'budget of each TensorFlow.js backend', whole, 300)
  .option('--json', 'print one JSON object', false)
  .parse()
  .opts<Options>();

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** FLOP of one training step: forward, gradient of the input, gradient of the kernel; a multiply-add is two. */
function stepFlop({ depth, batch, classes }: Case): number {
  const network = describeNetwork(`sphereface-${depth}`, { size: INPUT_SIZE });
  return 3 * 2 * batch * (network.multiplyAdds + network.embedding * classes);
}

/** Both memory layouts of every PyTorch named by HYPERSPHERE_PYTHON; those that do not start are named and left out. */
async function pytorch({ depth, batch, classes, threads }: Case): Promise<StepServer[]> {
  const script = fileURLToPath(new URL('./pytorch_server.py', import.meta.url));
  const servers: StepServer[] = [];
  for (const python of (process.env.HYPERSPHERE_PYTHON ?? 'python3').split(path.delimiter)) {
    const sizes = Object.entries({ depth, batch, classes, threads }).flatMap(([k, v]) => [
      `--${k}`,
      String(v),
    ]);
    for (const layout of [[], ['--channels-last']]) {
      try {
        servers.push(await StepServer.start('PyTorch', python, [script, ...sizes, ...layout]));
      } catch (error) {
        say(`PyTorch left out: ${path.basename(python)}: ${(error as Error).message}`);
        break;
      }
      const server = servers.at(-1)!;
      server.name = `PyTorch ${server.version.replace(/\+.*/, '')}${layout.length > 0 ? ' channels last' : ''}`;
    }
  }
  return servers;
}

async function measure(sizes: Case): Promise<CaseResult> {
  const rivals = await pytorch(sizes);
  const candidates: Candidate[] = [
    await matmulPeak(sizes.threads),
    ...rivals,
    await hypersphere('Hypersphere', sizes, 'fast'),
    ...(options.plain ? [await hypersphere('Hypersphere plain', sizes, 'plain')] : []),
  ];
  const title = `SphereFace-${sizes.depth}, batch ${sizes.batch}`;
  try {
    const [peak = [], ...times] = await alternate(candidates, options.steps, (round, rounds) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${title}: round ${round} of ${rounds} `);
    });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    const reference = times.slice(0, rivals.length).sort((a, b) => median(a) - median(b))[0];
    const work = stepFlop(sizes) / MATMUL_FLOP;
    const rows = times.map((own, i): Row => {
      return {
        name: candidates[i + 1]!.name,
        milliseconds: median(own),
        fastest: Math.min(...own),
        imagesPerSecond: (1000 * sizes.batch) / median(own),
        shareOfPeak: work * median(ratios(peak, own)),
        ...(reference && { ratio: ratioOf(own, reference) }),
      };
    });
    return { ...sizes, steps: options.steps, peakGflops: MATMUL_FLOP / 1e6 / median(peak), rows };
  } finally {
    for (const candidate of candidates) await candidate.close();
  }
}

function print({ depth, batch, threads, peakGflops, rows }: CaseResult): void {
  console.log(
    `\nSphereFace-${depth}, batch ${batch}, ${threads} threads, matrix product ${peakGflops.toFixed(0)} GFLOP/s`,
  );
  console.log(
    `${''.padEnd(30)}${['median ms', 'least ms', 'images/s', 'of peak'].map((h) => h.padStart(11)).join('')}  time / PyTorch's (quartiles)`,
  );
  for (const { name, milliseconds, fastest, imagesPerSecond, shareOfPeak, ratio } of rows) {
    const cells = [
      milliseconds.toFixed(0),
      fastest.toFixed(0),
      imagesPerSecond.toFixed(1),
      `${(100 * shareOfPeak).toFixed(0)} %`,
    ];
    const relative = ratio
      ? `  ${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`
      : '';
    console.log(`${name.padEnd(30)}${cells.map((cell) => cell.padStart(11)).join('')}${relative}`);
  }
}

const results: CaseResult[] = [];
for (const depth of options.net) {
  for (const batch of options.batch) {
    const result = await measure({ depth, batch, classes: options.classes, threads: options.threads });
    results.push(result);
    if (!options.json) print(result);
  }
}

let tensorflow: (Case & { results: TensorflowResult[] }) | undefined;
const folder = process.env.HYPERSPHERE_TFJS;
if (folder && existsSync(path.join(folder, 'node_modules/@tensorflow/tfjs'))) {
  const sizes: Case = {
    depth: options.net[0]!,
    batch: options.batch[0]!,
    classes: options.classes,
    threads: options.threads,
  };
  tensorflow = { ...sizes, results: await timeTensorflow(folder, sizes, options.tfjsSeconds) };
  if (!options.json) {
    console.log(`\nTensorFlow.js, SphereFace-${sizes.depth}, batch ${sizes.batch}`);
    for (const { backend, version = '', steps, note } of tensorflow.results) {
      const times = steps.map((step) => `${(step / 1000).toFixed(1)} s`).join(', ');
      console.log(`${`${backend} ${version}`.padEnd(30)}${times ? `steps of ${times}` : ''}${note ?? ''}`);
    }
  }
} else {
  say('TensorFlow.js left out: HYPERSPHERE_TFJS names no folder with @tensorflow/tfjs installed');
}

if (options.json) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  console.log(JSON.stringify({ machine, results, ...(tensorflow && { tensorflow }) }));
}
