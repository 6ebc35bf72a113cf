// What each loss costs beside plain softmax, by the number of people: the head alone, from the embedding to its
// gradient and the update of the class vectors. All in turns with softmax. See bench/README.md.
import { cpus } from 'node:os';
import { Command } from 'commander';
import { whole, wholes } from '../options.js';
import { alternate, median, type Ratio, ratioOf, type Timed } from '../statistics.js';
import { hypersphere } from '../train-step/hypersphere.js';
import { HeadBench, type RunningHead, type Sizes } from './head-step.js';
import { type Head, PER_BATCH, PER_CLASS, REFERENCE } from './heads.js';

interface Options {
  classes: number[];
  batch: number;
  embedding: number;
  steps: number;
  threads: number;
  memory: number;
  net: number[];
  only: string;
  json: boolean;
}

/** One loss at one number of people. */
interface Row {
  title: string;
  milliseconds: number;
  /** Time over softmax's, round by round. */
  ratio: Ratio;
  /** Memory of the head, state included. */
  bytes: number;
}

/** A whole training step with softmax: what the heads are a part of. */
interface WholeStep {
  depth: number;
  milliseconds: number;
  /** Time over that of the softmax head alone, round by round. */
  ratio: Ratio;
}

interface Result extends Sizes {
  rows: Row[];
  wholeSteps: WholeStep[];
}

const options = new Command('losses')
  .description('times every loss, without a network, beside plain softmax')
  .option('--classes <counts>', 'people, separated by commas', wholes, [1000, 10_000, 100_000])
  .option('--batch <n>', 'images a step', whole, 64)
  .option('--embedding <n>', 'length of the embedding', whole, 512)
  .option('--steps <n>', 'steps timed of each, after two that are discarded', whole, 8)
  .option('--threads <n>', 'threads', whole, 2)
  .option(
    '--memory <GiB>',
    'what heads that take turns may need together, at 16 times their weights',
    whole,
    4,
  )
  .option(
    '--net <depths>',
    'time SphereFace steps of these depths as well, for the share of the heads',
    wholes,
    [],
  )
  .option('--only <text>', 'losses whose name contains this', '')
  .option('--json', 'print one JSON object', false)
  .parse()
  .opts<Options>();

const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};

/** Parts of at most `size`. */
function parts<T>(values: readonly T[], size: number): T[][] {
  const count = Math.ceil(values.length / size);
  return Array.from({ length: count }, (_, i) => values.slice(i * size, (i + 1) * size));
}

/** Heads that may be open at once beside softmax. */
function roomFor({ classes, length }: Sizes): number {
  return Math.max(1, Math.floor((options.memory * 2 ** 30) / (16 * 4 * classes * length)) - 1);
}

async function measure(sizes: Sizes, heads: readonly Head[]): Promise<Result> {
  const title = `K = ${sizes.classes}`;
  const bench = await HeadBench.open(sizes);
  const rounds = (timed: readonly Timed[], what: string) =>
    alternate(timed, options.steps, (round, all) => progress(`${title}, ${what}: round ${round} of ${all}`));
  try {
    const reference = await bench.head(REFERENCE);
    const softmaxTimes: number[] = [];
    const rows: Row[] = [];
    for (const part of parts(heads, roomFor(sizes))) {
      const open: RunningHead[] = [];
      for (const head of part) {
        progress(`${title}, ${head.title}: compiling`);
        open.push(await bench.head(head));
      }
      const names = open.length > 1 ? `${open.length} losses` : open[0]!.title;
      const [softmax = [], ...times] = await rounds([reference, ...open], names);
      softmaxTimes.push(...softmax);
      open.forEach(({ title, bytes }, i) => {
        const own = times[i]!;
        rows.push({ title, milliseconds: median(own), ratio: ratioOf(own, softmax), bytes });
      });
      for (const head of open) await head.close();
    }
    const wholeSteps: WholeStep[] = [];
    for (const depth of options.net) {
      const { batch, classes, threads } = sizes;
      const step = await hypersphere(`SphereFace-${depth}`, { depth, batch, classes, threads }, 'fast');
      const [softmax = [], times = []] = await rounds([reference, step], step.name);
      await step.close();
      wholeSteps.push({ depth, milliseconds: median(times), ratio: ratioOf(times, softmax) });
    }
    progress('');
    const one = { median: 1, low: 1, high: 1 };
    const softmax = { title: reference.title, milliseconds: median(softmaxTimes), ratio: one };
    return { ...sizes, rows: [{ ...softmax, bytes: reference.bytes }, ...rows], wholeSteps };
  } finally {
    await bench.close();
  }
}

/** The head's share of a step with that head, when the step with softmax takes `step` times softmax's head. */
const shareOf = (head: number, step: number): number => head / (step - 1 + head);

function print({ classes, batch, length, threads, rows, wholeSteps }: Result): void {
  console.log(`\nK = ${classes}, batch ${batch}, embedding ${length}, ${threads} threads`);
  const shares = wholeSteps.map(({ depth }) => `of SF-${depth}`);
  const heads = ['median ms', 'MiB', ...shares].map((text) => text.padStart(11)).join('');
  console.log(`${''.padEnd(22)}${heads}  time / softmax's (quartiles)`);
  for (const { title, milliseconds, bytes, ratio } of rows) {
    const cells = [
      milliseconds.toFixed(milliseconds < 100 ? 1 : 0),
      (bytes / 2 ** 20).toFixed(0),
      ...wholeSteps.map((step) => `${(100 * shareOf(ratio.median, step.ratio.median)).toFixed(1)} %`),
    ];
    const spread = `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`;
    console.log(`${title.padEnd(22)}${cells.map((cell) => cell.padStart(11)).join('')}  ${spread}`);
  }
  for (const { depth, milliseconds } of wholeSteps)
    console.log(`A SphereFace-${depth} step with softmax: ${milliseconds.toFixed(0)} ms`);
}

const results: Result[] = [];
for (const [i, classes] of options.classes.entries()) {
  const { batch, embedding: length, threads } = options;
  // The losses of pairs and triplets do not see the number of people: once is enough.
  const heads = [...PER_CLASS, ...(i === 0 ? PER_BATCH : [])];
  const wanted = heads.filter(({ title }) => title.includes(options.only));
  const result = await measure({ classes, batch, length, threads }, wanted);
  results.push(result);
  if (!options.json) print(result);
}
if (options.json) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  console.log(JSON.stringify({ machine, results }));
}
