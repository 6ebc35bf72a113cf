// Fits the model to what main.ts measured (--out) and prints, as Markdown, what it says of more ranks than there are
// here; --plot draws it. See docs/scale.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { LENGTH, optionsOf, type StepCase } from './cases.js';
import { backwardShares, messagesOf } from './messages.js';
import {
  computeSeconds,
  exchangeSeconds,
  fitRelative,
  type Link,
  type Message,
  type StepCosts,
  stepSeconds,
  type Work,
} from './model.js';
import { plotEfficiency } from './plot.js';
import type { Measured, Round } from './table.js';

const command = new Command('predict')
  .description('predicts steps on more ranks from measured ones')
  .argument('<files...>', 'what main.ts wrote with --out')
  .option('--faster <times>', 'suppose ranks that compute so many times faster', Number, 1)
  .option('--plot <file>', 'draw the efficiencies as SVG')
  .parse();
const { plot, faster } = command.opts<{ plot?: string; faster: number }>();

interface Results {
  rounds: Round[];
  exchanges: { bytes: number; least: number }[];
}
const files = command.args.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Results);
const rounds = files.flatMap((file) => file.rounds);
const exchanges = files.flatMap((file) => file.exchanges);

/** What a case makes a rank do. */
function workOf(one: StepCase): Work {
  const { batch, ranks, shared, sampled, classes } = one;
  const here = Math.ceil(classes / (shared ? ranks : 1));
  const inStep = sampled < 1 ? Math.min(here, Math.max(Math.ceil(sampled * here), batch)) : here;
  return {
    images: batch / ranks,
    headImages: shared ? batch : batch / ranks,
    headClasses: inStep,
    moved: sampled < 1 ? inStep : 0,
  };
}

const featuresOf = ({ images, headImages, headClasses, moved }: Work): number[] => [
  ...[1, images, headImages * headClasses, headClasses, moved],
];

/** The least of several steps: what others on the machine took is not the step's. */
const secondsOf = ({ least }: Measured): number => least / 1000;

const costsOf = (net: string): Measured[] =>
  rounds
    .filter(({ question }) => question === 'costs')
    .flatMap(({ measured }) => measured.filter((one) => one.net === net));

const heads = costsOf('head');
const head = fitRelative(
  heads.map((one) => featuresOf(workOf(one))),
  heads.map(secondsOf),
);
const [, , perLogit, perClass, perMoved] = head.coefficients as [number, number, number, number, number];
const headCosts = { perLogit, perClass, perMoved };

interface NetFit {
  costs: StepCosts;
  relativeError: number;
  cases: number;
}

/** A network's own costs: what its steps take beyond their heads. */
function fitNet(net: string): NetFit {
  const measured = costsOf(net);
  if (measured.length === 0) throw new Error(`no costs of ${net} were measured`);
  const own = measured.map((one) => {
    return secondsOf(one) - computeSeconds(workOf(one), { perStep: 0, perImage: 0, ...headCosts });
  });
  const { coefficients, relativeError } = fitRelative(
    measured.map((one) => [1, one.batch]),
    own,
  );
  const [perStep, perImage] = coefficients as [number, number];
  return { costs: { perStep, perImage, ...headCosts }, relativeError, cases: measured.length };
}

const nets = [...new Set(rounds.flatMap(({ measured }) => measured.map(({ net }) => net)))].filter(
  (net) => net !== 'head' && costsOf(net).length > 0,
);
const fits = new Map(nets.map((net) => [net, fitNet(net)]));

const link = fitRelative(
  exchanges.map(({ bytes }) => [1, bytes]),
  exchanges.map(({ least }) => least / 1000),
);
const HERE: Link = { latency: link.coefficients[0]!, bandwidth: 1 / link.coefficients[1]! };

/** Networks that are assumed, not measured. */
const LINKS: { name: string; link: Link }[] = [
  { name: '1 Gbit/s, 50 µs', link: { latency: 50e-6, bandwidth: 0.125e9 } },
  { name: '10 Gbit/s, 20 µs', link: { latency: 20e-6, bandwidth: 1.25e9 } },
  { name: '100 Gbit/s, 5 µs', link: { latency: 5e-6, bandwidth: 12.5e9 } },
];

const known = new Map<string, Message[]>();
function messages(one: StepCase): Message[] {
  // The number of classes changes no message where they are shared, and sampling none of the rest.
  const key = JSON.stringify({ ...one, ...(one.shared && { classes: 0, sampled: 0 }) });
  let found = known.get(key);
  if (!found) {
    found = messagesOf(optionsOf(one), one.ranks);
    known.set(key, found);
  }
  return found;
}

interface Prediction {
  computing: number;
  waiting: number;
  gradients: number;
  seconds: number;
  bytes: number;
}

function predict(one: StepCase, over: Link, { parts = 1, perCut = 0, speed = faster } = {}): Prediction {
  const { costs } = fits.get(one.net)!;
  const computing = computeSeconds(workOf(one), costs) / speed;
  const exchanged = one.ranks === 1 ? [] : messages(one);
  const times = exchangeSeconds(exchanged, one.ranks, over);
  const shares = parts === 1 ? undefined : backwardShares(one.net, parts);
  return {
    ...{ computing, ...times },
    seconds: stepSeconds(computing, times, shares, perCut),
    bytes: exchanged.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

const row = (...cells: (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`);
const header = (...cells: string[]): void => {
  row(...cells);
  console.log(`|${'---|'.repeat(cells.length)}`);
};
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
const ms = (seconds: number): string => (1000 * seconds).toPrecision(3);
const brief = (x: number): string => Number(x.toPrecision(3)).toString();

console.log('## Fitted costs (one thread a rank)\n');
header('network', 's a step', 's an image', 'relative error', 'cases');
for (const [net, { costs, relativeError, cases }] of fits)
  row(net, brief(costs.perStep), brief(costs.perImage), percent(relativeError), cases);
console.log(
  `\nHead: ${brief(perLogit * 1e9)} ns a pair of image and class, ${brief(perClass * 1e6)} µs a class in the step, ` +
    `${brief(perMoved * 1e6)} µs a sampled class brought and taken back (relative error ${percent(head.relativeError)}, ${heads.length} cases).`,
);
console.log(
  `Between two ranks here: ${brief(HERE.latency * 1e6)} µs and ${brief(HERE.bandwidth / 1e9)} GB/s (relative error ${percent(link.relativeError)}).\n`,
);

console.log('## Two ranks, measured beside the model\n');
header(
  'network',
  'mode',
  'batch in all',
  'measured ms (least)',
  'model ms',
  'measured speed-up (median of turns)',
  'MB given',
);
for (const { measured } of rounds.filter(({ question }) => question === 'ranks'))
  for (const one of measured.filter(({ net }) => fits.has(net))) {
    const { seconds, bytes } = predict(one, HERE, { speed: 1 });
    const speedUp = (one.batch / measured[0]!.batch / (one.ratio?.median ?? Number.NaN)).toFixed(2);
    row(
      one.net,
      one.mode,
      one.batch,
      one.least.toFixed(0),
      ms(seconds),
      one.ranks === 1 ? 1 : speedUp,
      (bytes / 1e6).toFixed(1),
    );
  }

interface Setting {
  title: string;
  /** The case on so many ranks. */
  on(ranks: number): StepCase;
  /** What an efficiency of 1 would be: one rank's images a second, or those of as much work without exchanges. */
  ideal: 'one rank' | 'no exchange';
}

const step = (one: Partial<StepCase>): StepCase => ({
  ...{ kind: 'step', net: 'sphereface-20', loss: 'cosface', batch: 64, classes: 1000, ranks: 1, threads: 1 },
  ...{ shared: false, sampled: 1, backwardParts: 1, ...one },
});
const MILLIONS = 10_000_000;
const IMAGES = 64;
/** More are seldom trained with, and a rank's sample has room for each label of a batch. */
const MOST_IMAGES = 4096;
const settings: Setting[] = [
  ...(fits.has('sphereface-64')
    ? [
        {
          title: "the paper's: SphereFace-64, batch 512, 10,575 classes",
          on: (ranks: number) =>
            step({ net: 'sphereface-64', loss: 'a-softmax', batch: 512, classes: 10_575, ranks }),
          ideal: 'one rank' as const,
        },
      ]
    : []),
  ...[0.1, 0.01].map((sampled) => ({
    title: `10 million classes, ${100 * sampled} % a step, SphereFace-20, ${IMAGES} images a rank, ${MOST_IMAGES} in all at most`,
    on: (ranks: number) =>
      step({ batch: Math.min(MOST_IMAGES, IMAGES * ranks), classes: MILLIONS, ranks, shared: true, sampled }),
    ideal: 'no exchange' as const,
  })),
];

function efficiencyOf(
  { on, ideal }: Setting,
  ranks: number,
  over: Link,
): Prediction & { efficiency: number } {
  const found = predict(on(ranks), over);
  const best = ideal === 'one rank' ? predict(on(1), over).seconds / ranks : found.computing;
  return { ...found, efficiency: best / found.seconds };
}

console.log('\n## Predicted\n');
for (const setting of settings) {
  console.log(`${setting.title} (efficiency: beside ${setting.ideal})\n`);
  header(
    'ranks',
    'computing ms',
    'MB given a rank',
    ...LINKS.map(({ name }) => `${name}: step ms, efficiency`),
  );
  for (const ranks of [8, 64, 512]) {
    const found = LINKS.map(({ link: over }) => efficiencyOf(setting, ranks, over));
    const { computing, bytes } = found[0]!;
    row(
      ...[ranks, ms(computing), (bytes / 1e6).toFixed(0)],
      ...found.map(({ seconds, efficiency }) => `${ms(seconds)}, ${percent(efficiency)}`),
    );
  }
  console.log('');
}

console.log('## Ten million on 8 ranks: a rank\n');
const GIB = 2 ** 30;
const size = { ranks: 8, here: MILLIONS / 8, numbers: 4 };
header(
  'sampled',
  'class vectors GiB',
  'their velocities GiB',
  "the step's own copies GiB",
  'logits of a batch of 512, three copies, GiB',
);
for (const sampled of [0.1, 0.01]) {
  const rows = size.here * sampled;
  const vectors = (size.here * LENGTH * size.numbers) / GIB;
  const copies = (5 * rows * LENGTH * size.numbers) / GIB;
  const logits = (3 * 512 * rows * size.numbers) / GIB;
  row(percent(sampled), ...[vectors, vectors, copies, logits].map((x) => x.toFixed(2)));
}

console.log('\n## Cutting the backward pass\n');
/** What a cut costs here: the stages' time with two parts beside that with one. */
const cutOf = (net: string): number | undefined => {
  const measured = rounds.find((r) => r.question === 'parts' && r.measured[0]!.net === net)?.measured;
  const [one, two] = [1, 2].map((n) => measured?.find(({ backwardParts }) => backwardParts === n));
  return one && two && Math.max(0, two.computing - one.computing) / 1000;
};
header(
  'network, data parallel, 8 ranks, 32 images each',
  'cost of a cut ms',
  ...LINKS.map(({ name }) => `${name}: step ms in 1, 2, 3 parts`),
);
for (const net of nets) {
  const cut = cutOf(net);
  if (cut === undefined) continue;
  const one = step({ net, batch: 256, ranks: 8 });
  row(
    net,
    ms(cut),
    ...LINKS.map(({ link: over }) =>
      [1, 2, 3].map((parts) => ms(predict(one, over, { parts, perCut: cut / faster }).seconds)).join(', '),
    ),
  );
}

if (plot) {
  const powers = Array.from({ length: 10 }, (_, i) => 2 ** i);
  const lines = settings.flatMap((setting) =>
    LINKS.flatMap(({ name, link: over }) =>
      powers.map((ranks) => ({
        setting: setting.title,
        network: name,
        ranks,
        efficiency: efficiencyOf(setting, ranks, over).efficiency,
      })),
    ),
  );
  writeFileSync(plot, plotEfficiency(lines));
}
