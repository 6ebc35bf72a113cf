// Images a second of embedding on the CPU: our exported networks in 32-bit floats and in 8-bit integers, beside PyTorch
// and TensorFlow.js, all in one run and in turns. See bench/README.md.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { describeNetwork } from '../../src/nn/index.js';
import { openDevice } from '../../src/runtime/index.js';
import { cosineAt } from '../../src/theory/vectors.js';
import { whole, wholes } from '../options.js';
import { alternate, median, type Ratio, ratioOf, ratios } from '../statistics.js';
import { type Candidate, StepServer } from '../step-server.js';
import { MATMUL_FLOP, matmulPeak } from '../train-step/matmul-peak.js';
import { imagesFor, type TimedModel, timedModel } from './models.js';

interface Options {
  net: string[];
  batch: number[];
  threads: number[];
  steps: number;
  tfjsBatch: number;
  smoke: boolean;
  json: boolean;
}

interface Row {
  name: string;
  /** Milliseconds an image: median. */
  milliseconds: number;
  /** The same of its fastest run, which other work on the machine disturbs least. */
  fastest: number;
  imagesPerSecond: number;
  /** FLOP of the float network a second over the matrix product's, round by round. */
  shareOfPeak: number;
  /** Time over that of our floats, round by round: median and quartiles. */
  ratio: Ratio;
  /** Cosine of its first embedding and that of our floats. */
  cosine: number;
}

interface CaseResult {
  net: string;
  batch: number;
  threads: number;
  steps: number;
  peakGflops: number;
  rows: Row[];
}

const options = new Command('embed')
  .description('times embedding on the CPU beside PyTorch and TensorFlow.js')
  .option('--net <names>', 'networks, separated by commas', (text) => text.split(','), [
    'mobilefacenet',
    'sphereface-4',
    'sphereface-20',
  ])
  .option('--batch <sizes>', 'images a run, separated by commas', wholes, [1, 8, 32])
  .option('--threads <counts>', 'threads of every side, separated by commas', wholes, [1, 2])
  .option('--steps <n>', 'runs timed of each, after two that are discarded', whole, 8)
  .option('--tfjs-batch <n>', 'the largest batch that TensorFlow.js is timed with', whole, 8)
  .option('--smoke', 'one small case, to see that the benchmark runs', false)
  .option('--json', 'print one JSON object', false)
  .parse()
  .opts<Options>();

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** A side with the embedding of the first image. */
type Side = Candidate & { embedding: number[] };

async function ours(
  name: string,
  bytes: Uint8Array,
  { size }: TimedModel,
  batch: number,
  threads: number,
): Promise<Side> {
  const device = await openDevice('cpu', { threads });
  const model = await device.load(bytes, name);
  const feed = { images: { data: imagesFor(batch, size), shape: [batch, 3, ...size] } };
  const run = async () => (await model.run(feed)).embedding!.data as Float32Array;
  const first = await run();
  return {
    name,
    embedding: [...first.subarray(0, first.length / batch)],
    async step() {
      const start = performance.now();
      await run();
      return performance.now() - start;
    },
    close: () => device.close(),
  };
}

/** PyTorch as it is written, with channels last, and traced, frozen and optimised for inference. */
async function pytorch({ layers, size }: TimedModel, batch: number, threads: number): Promise<Side[]> {
  const script = fileURLToPath(new URL('./pytorch_server.py', import.meta.url));
  const sides: Side[] = [];
  const [height, width] = size;
  const sizes = Object.entries({ height, width, batch, threads }).flatMap(([k, v]) => [`--${k}`, String(v)]);
  for (const python of (process.env.HYPERSPHERE_PYTHON ?? 'python3').split(path.delimiter)) {
    for (const [label, flags] of [
      ['channels last', ['--channels-last']],
      ['frozen', ['--frozen']],
      ['frozen, channels last', ['--frozen', '--channels-last']],
    ] as const) {
      try {
        const server = await StepServer.start('PyTorch', python, [
          script,
          '--layers',
          layers,
          ...sizes,
          ...flags,
        ]);
        server.name = `PyTorch ${server.version.replace(/\+.*/, '')} ${label}`;
        sides.push(Object.assign(server, { embedding: server.about.embedding as number[] }));
      } catch (error) {
        say(`PyTorch ${label} left out: ${path.basename(python)}: ${(error as Error).message}`);
        break;
      }
    }
  }
  return sides;
}

async function tensorflow({ layers, size }: TimedModel, batch: number, threads: number): Promise<Side[]> {
  const folder = process.env.HYPERSPHERE_TFJS;
  if (!folder || !existsSync(path.join(folder, 'node_modules/@tensorflow/tfjs-backend-wasm'))) return [];
  if (batch > options.tfjsBatch) return [];
  const script = fileURLToPath(new URL('./tfjs_server.mjs', import.meta.url));
  const parameters = [script, folder, layers, ...[...size, batch, threads].map(String)];
  try {
    const server = await StepServer.start('TensorFlow.js', process.execPath, parameters);
    server.name = `TensorFlow.js ${server.version} WASM, ${server.about.threads} thread${server.about.threads === 1 ? '' : 's'}`;
    return [Object.assign(server, { embedding: server.about.embedding as number[] })];
  } catch (error) {
    say(`TensorFlow.js left out: ${(error as Error).message}`);
    return [];
  }
}

async function measure(model: TimedModel, batch: number, threads: number): Promise<CaseResult> {
  const peak = await matmulPeak(threads);
  const sides = [
    await ours('Hypersphere float32', model.float, model, batch, threads),
    await ours('Hypersphere int8', model.int8, model, batch, threads),
    ...(options.smoke ? [] : await pytorch(model, batch, threads)),
    ...(options.smoke ? [] : await tensorflow(model, batch, threads)),
  ];
  try {
    const [ofPeak = [], ...times] = await alternate([peak, ...sides], options.steps, (round, rounds) => {
      if (process.stderr.isTTY)
        process.stderr.write(`\r${model.name}, batch ${batch}: round ${round} of ${rounds} `);
    });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    const flop = 2 * batch * describeNetwork(model.name, { size: [...model.size] }).multiplyAdds;
    const { embedding } = sides[0]!;
    const rows = sides.map((side, i): Row => {
      const own = times[i]!;
      const cosine = cosineAt(embedding, 0, side.embedding, 0, embedding.length);
      // The integers' own figures are elsewhere; other floats must be the same network.
      if (i > 1 && !(cosine > 0.9999))
        throw new Error(`${side.name} computes something else (cosine ${cosine})`);
      return {
        name: side.name,
        milliseconds: median(own) / batch,
        fastest: Math.min(...own) / batch,
        imagesPerSecond: (1000 * batch) / median(own),
        shareOfPeak: (flop / MATMUL_FLOP) * median(ratios(ofPeak, own)),
        ratio: ratioOf(own, times[0]!),
        cosine,
      };
    });
    const peakGflops = MATMUL_FLOP / 1e6 / median(ofPeak);
    return { net: model.name, batch, threads, steps: options.steps, peakGflops, rows };
  } finally {
    for (const side of [peak, ...sides]) await side.close();
  }
}

function print({ net, batch, threads, peakGflops, rows }: CaseResult): void {
  console.log(
    `\n${net}, batch ${batch}, ${threads} thread${threads === 1 ? '' : 's'}, matrix product ${peakGflops.toFixed(0)} GFLOP/s`,
  );
  console.log(
    `${''.padEnd(40)}${['ms/image', 'least', 'images/s', 'of peak'].map((h) => h.padStart(10)).join('')}  time / our float32's (quartiles)`,
  );
  for (const { name, milliseconds, fastest, imagesPerSecond, shareOfPeak, ratio } of rows) {
    const cells = [
      milliseconds.toFixed(2),
      fastest.toFixed(2),
      imagesPerSecond.toFixed(0),
      `${(100 * shareOfPeak).toFixed(0)} %`,
    ];
    console.log(
      `${name.padEnd(40)}${cells.map((cell) => cell.padStart(10)).join('')}  ${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`,
    );
  }
}

const folder = mkdtempSync(path.join(tmpdir(), 'embed-'));
const results: CaseResult[] = [];
try {
  const nets = options.smoke ? ['sphereface-4'] : options.net;
  for (const net of nets) {
    const model = await timedModel(net, folder, options.smoke ? [32, 32] : undefined);
    for (const threads of options.smoke ? [1] : options.threads)
      for (const batch of options.smoke ? [2] : options.batch) {
        const result = await measure(model, batch, threads);
        results.push(result);
        if (!options.json) print(result);
      }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (options.json) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  console.log(JSON.stringify({ machine, results }));
}
