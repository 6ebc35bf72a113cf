// Time and memory of training steps by the number of classes and of ranks, with the machine's limits beside them;
// --out keeps what was measured for predict.ts. See bench/README.md.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { Command } from 'commander';
import { memoryCopy } from '../memory.js';
import { whole } from '../options.js';
import { alternate, median, quantile, ratioOf } from '../statistics.js';
import type { Candidate } from '../step-server.js';
import { MATMUL_FLOP, matmulPeak } from '../train-step/matmul-peak.js';
import { type ExchangeCase, LENGTH, modeOf, optionsOf, type StepCase } from './cases.js';
import { RankGroup } from './group.js';
import { type Limits, type Measured, printRound, type Round } from './table.js';

interface Options {
  nets: string;
  loss: string;
  questions: string;
  classes: string;
  batch: number;
  steps: number;
  threads: number;
  memory: number;
  smoke: boolean;
  out?: string;
  json: boolean;
}

const given = new Command('scale')
  .description('times training steps by the number of classes and of ranks')
  .option(
    '--questions <list>',
    'of classes, ranks, parts, costs, exchange',
    'classes,ranks,parts,costs,exchange',
  )
  .option('--nets <names>', "networks of 'ranks', 'parts' and 'costs'", 'sphereface-4,sphereface-20')
  .option('--loss <name>', 'loss', 'cosface')
  .option('--classes <counts>', "people, of 'classes'", '10000,100000,1000000')
  .option('--batch <n>', 'images a step', whole, 32)
  .option('--steps <n>', 'steps timed of each, after two that are discarded', whole, 5)
  .option('--threads <n>', 'threads of each rank', whole, 1)
  .option('--memory <GiB>', 'what cases that take turns may need together', whole, 6)
  .option('--smoke', 'see that it runs: the smallest cases, once', false)
  .option('--out <file>', 'write everything that was measured there, as JSON')
  .option('--json', 'print one JSON object', false)
  .parse()
  .opts<Options>();

const options: Options = given.smoke
  ? { ...given, nets: 'head', classes: '200', batch: 4, steps: 1, questions: 'classes,ranks,parts,exchange' }
  : given;
const nets = options.nets.split(',');
const { batch, loss, threads } = options;

const step = (one: Partial<StepCase>): StepCase => ({
  ...{ kind: 'step', net: 'head', loss, batch, classes: 1000, ranks: 1, threads },
  ...{ shared: false, sampled: 1, backwardParts: 1, ...one },
});

/** Bytes that a case needs, about: what is kept of the classes, and what a step makes of those in it. */
function bytesOf({ classes, ranks, shared, sampled }: StepCase): number {
  const here = classes / (shared ? ranks : 1);
  const kept = sampled < 1 ? 2 * here : 0;
  return ranks * (300e6 + 4 * LENGTH * (kept + 6 * here * sampled));
}

/** The cases of one question, in rounds: the first case of a round is what the others are compared with. */
const QUESTIONS: Record<string, () => { title: string; cases: StepCase[] }[]> = {
  classes: () =>
    options.classes.split(',').map((text) => {
      const classes = Number(text);
      const cases = [1, 0.1, 0.01].flatMap((sampled) => [
        step({ classes, sampled }),
        ...(sampled === 1 ? [step({ classes, ranks: 2 })] : []),
        step({ classes, sampled, ranks: 2, shared: true }),
      ]);
      return {
        title: `${classes} classes, head alone, batch ${batch}`,
        cases: cases.filter((one) => bytesOf(one) <= options.memory * 2 ** 30),
      };
    }),
  ranks: () =>
    nets.map((net) => ({
      title: `${net}, 1 and 2 ranks: as many images a rank (weak), as many in all (strong)`,
      cases: [
        step({ net }),
        step({ net, batch: 2 * batch, ranks: 2 }),
        step({ net, ranks: 2 }),
        step({ net, ranks: 2, shared: true }),
      ],
    })),
  parts: () =>
    nets.map((net) => ({
      title: `${net}, backward pass in 1, 2 and 3 parts`,
      cases: [1, 2, 3].flatMap((backwardParts) => step({ net, ranks: 2, backwardParts })),
    })),
  costs: () => [
    ...nets.map((net) => ({
      title: `${net}, by images`,
      cases: [2, 4, 8, 16, 32].filter((n) => n <= batch).map((n) => step({ net, batch: n })),
    })),
    {
      title: 'head alone, by images and classes',
      cases: [
        ...[1000, 10_000, 40_000].flatMap((classes) => [8, 64].map((n) => step({ classes, batch: n }))),
        ...[0.1, 0.5].flatMap((sampled) => step({ classes: 40_000, batch: 64, sampled })),
      ],
    },
  ],
};

const say = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
};

/** Runs of cases that fit into memory together; each begins with the first, unless that leaves no room. */
function together(cases: readonly StepCase[]): StepCase[][] {
  const [reference, ...others] = cases as [StepCase, ...StepCase[]];
  const room = options.memory * 2 ** 30;
  const needed = (group: readonly StepCase[]) => group.reduce((sum, one) => sum + bytesOf(one), 0);
  const groups: StepCase[][] = [[reference]];
  for (const one of others) {
    const last = groups.at(-1)!;
    if (last[0] === reference && needed([...last, one]) <= room) last.push(one);
    else groups.push(needed([reference, one]) <= room ? [reference, one] : [one]);
  }
  return groups;
}

async function inTurns<T extends Candidate>(title: string, candidates: readonly T[]): Promise<number[][]> {
  return alternate(candidates, options.steps, (round, rounds) =>
    say(`${title}: round ${round} of ${rounds}`),
  );
}

/** Times the cases of a group in turns with the machine's limits. */
async function timeGroup(
  title: string,
  cases: readonly StepCase[],
  reference: StepCase,
): Promise<{ limits: Limits; measured: Measured[] }> {
  const groups: RankGroup[] = [];
  const limits: Candidate[] = [];
  try {
    for (const one of cases) {
      say(`${title}: starting ${modeOf(one)}, ${one.ranks} ranks`);
      groups.push(await RankGroup.start(one));
    }
    const copy = await memoryCopy(threads);
    limits.push(await matmulPeak(threads), copy);
    const [peak = [], copies = [], ...times] = await inTurns(title, [...limits, ...groups]);
    return {
      limits: { gflops: MATMUL_FLOP / 1e6 / median(peak), copyGigabytes: copy.bytes / 1e6 / median(copies) },
      measured: groups.map((group, i) =>
        describe(group, cases[i]!, times[i]!, cases[0] === reference ? times[0] : undefined),
      ),
    };
  } finally {
    for (const candidate of [...groups, ...limits]) await candidate.close();
  }
}

function describe(group: RankGroup, one: StepCase, own: number[], first: number[] | undefined): Measured {
  const timed = group.steps.slice(-own.length);
  const over = (pick: (rank: (typeof timed)[0][0]) => number) =>
    median(timed.map((ranks) => Math.max(...ranks.map(pick))));
  return {
    ...one,
    mode: modeOf(one),
    milliseconds: median(own),
    low: quantile(own, 0.25),
    high: quantile(own, 0.75),
    least: Math.min(...own),
    ...(first && { ratio: ratioOf(own, first) }),
    computing: 1000 * over(({ computing }) => computing),
    exchanging: 1000 * over(({ exchanging }) => exchanging),
    exchanged: over(({ bytes }) => bytes),
    peak: Math.max(...group.steps.flat().map(({ peak }) => peak)),
    startSeconds: group.seconds,
    losses: group.steps.map(([rank]) => rank!.loss),
  };
}

const rounds: Round[] = [];
for (const question of options.questions.split(',').filter((name) => name !== 'exchange')) {
  const plan = QUESTIONS[question];
  if (!plan) throw new Error(`no question is called '${question}'`);
  for (const { title, cases } of plan()) {
    if (cases.length === 0) continue;
    for (const one of cases) optionsOf(one);
    const parts: { limits: Limits; measured: Measured[] }[] = [];
    const groups = together(cases);
    for (const group of groups) parts.push(await timeGroup(title, group, cases[0]!));
    const round: Round = {
      question,
      title,
      limits: parts[0]!.limits,
      // The first case has run with each group.
      measured: parts.flatMap(({ measured }, i) =>
        measured.filter((_, at) => i === 0 || groups[i]![at] !== cases[0]),
      ),
    };
    rounds.push(round);
    say('');
    if (!options.json) printRound(round);
  }
}

/** Sums over two ranks, by size. */
async function exchanges(): Promise<{ bytes: number; milliseconds: number; least: number }[]> {
  const counts = options.smoke ? [16] : [16, 2 ** 12, 2 ** 16, 2 ** 20, 2 ** 23];
  const groups: RankGroup[] = [];
  try {
    for (const count of counts) {
      const one: ExchangeCase = { kind: 'exchange', ranks: 2, count };
      groups.push(await RankGroup.start(one));
    }
    const times = await inTurns('exchange', groups);
    return times.map((own, i) => ({
      bytes: 4 * counts[i]!,
      milliseconds: median(own),
      least: Math.min(...own),
    }));
  } finally {
    for (const group of groups) await group.close();
  }
}

const exchanged = options.questions.includes('exchange') ? await exchanges() : [];
say('');
if (!options.json)
  for (const { bytes, milliseconds, least } of exchanged)
    console.log(
      `allReduce of ${String(bytes).padStart(9)} bytes on 2 ranks: ${milliseconds.toFixed(2)} ms (least ${least.toFixed(2)})` +
        `, ${(bytes / 1e6 / milliseconds).toFixed(2)} GB/s`,
    );
const result = {
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
  ...{ threads, batch, loss, steps: options.steps, rounds, exchanges: exchanged },
};
if (options.out) writeFileSync(options.out, `${JSON.stringify(result, null, 1)}\n`);
if (options.json) console.log(JSON.stringify(result));
