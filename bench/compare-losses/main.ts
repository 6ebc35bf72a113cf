// Every loss trained on one set of faces with one budget, several seeds each, and verified on LFW: mean and spread
// of the figures, as a table and as JSON. Resumable: what has its result is not trained again. See bench/README.md.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { UserError } from '../../src/common/errors.js';
import { decodeFace, locatePairs, readPairs } from '../../src/data/index.js';
import { lfw } from '../../src/evaluate/index.js';
import { measureRun } from '../../src/evaluate/run.js';
import { openEmbedder } from '../../src/face/index.js';
import { draftRun, readMetrics, readSettings, type Settings, train } from '../../src/train/index.js';
import { RECIPES, type Recipe } from './recipes.js';

interface Options {
  data: string;
  lfw: string;
  pairs: string;
  config?: string;
  seeds: number;
  epochs: number;
  size: string;
  threads: number;
  only?: string;
  out: string;
}

/** What one run gave. Shares in [0, 1]. */
interface Outcome {
  id: string;
  seed: number;
  diverged?: string;
  lfwAccuracy?: number;
  lfwAuc?: number;
  lfwEer?: number;
  fisher?: number;
  loss?: number;
  accuracy?: number;
  imagesPerSecond?: number;
  seconds?: number;
}

const options = new Command('compare-losses')
  .description('trains every loss with one budget and verifies it on LFW')
  .requiredOption('--data <dir>', 'training faces, one folder a person')
  .requiredOption('--lfw <dir>', 'aligned LFW faces')
  .requiredOption('--pairs <file>', "LFW's pairs.txt")
  .option('--config <file>', 'settings of every run, such as the people to hold out')
  .option('--seeds <n>', 'seeds of each loss', Number, 2)
  .option('--epochs <n>', 'passes over the faces', Number, 10)
  .option('--size <HxW>', 'input size', '56x48')
  .option('--threads <n>', 'threads', Number, 2)
  .option('--only <text>', 'losses whose name contains this')
  .option('--out <dir>', 'folder of the runs', 'runs/compare-losses')
  .parse()
  .opts<Options>();

const [height, width] = options.size.split('x').map(Number) as [number, number];
const folderOf = ({ id }: Recipe, seed: number) =>
  join(options.out, `${id.replace(/[^\w.]+/g, '-')}-seed${seed}`);

async function lfwSet() {
  const list = await readPairs(options.pairs);
  const found = await locatePairs(list, options.lfw);
  const images: Uint8Array[] = [];
  for (const path of found.paths)
    images.push(await decodeFace(path, { size: [height, width], order: 'bgr' }));
  return { ...found, images };
}
type LfwSet = Awaited<ReturnType<typeof lfwSet>>;

/** Trains a recipe unless it is trained already, and measures it. */
async function outcomeOf(recipe: Recipe, seed: number, set: LfwSet): Promise<Outcome> {
  const out = folderOf(recipe, seed);
  const file = join(out, 'outcome.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Outcome;
  const { data, epochs, threads } = options;
  const common: Settings = { data, net: 'sphereface-4', size: [height, width], batch: 64, epochs, threads };
  const shared = options.config === undefined ? {} : readSettings(options.config);
  const outcome: Outcome = { id: recipe.id, seed };
  try {
    const draft = draftRun([common, shared, recipe.settings, { seed, out }], false);
    const { seconds, last } = await train(draft, { force: true });
    const { trained } = await measureRun(out, { threads });
    const embedder = await openEmbedder(join(out, 'model.onnx'), { threads });
    const features = await embedder.both(set.images).finally(() => embedder.close());
    const { accuracy, auc, eer } = lfw({
      features,
      pairs: set.pairs,
      mode: 'sphereface',
      people: set.people,
      files: set.paths,
      replicates: 0,
    });
    // The speed of the fastest half: other work on the machine only ever slows a step down.
    const speeds = readMetrics(out).map(({ imagesPerSecond }) => imagesPerSecond);
    speeds.sort((a, b) => a - b);
    Object.assign(outcome, {
      lfwAccuracy: accuracy,
      lfwAuc: auc,
      lfwEer: eer,
      fisher: trained.angularFisher,
      loss: last?.loss,
      accuracy: last?.accuracy,
      imagesPerSecond: speeds[Math.floor(speeds.length * 0.75)],
      seconds,
    });
  } catch (error) {
    // A run that diverged is an outcome; a missing file or a full disk is not.
    if (!(error instanceof UserError && /^step \d+: /.test(error.message))) throw error;
    outcome.diverged = (error as Error).message;
  }
  mkdirSync(out, { recursive: true });
  writeFileSync(file, `${JSON.stringify(outcome)}\n`);
  return outcome;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const spread = (values: readonly number[]) =>
  Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)) * (values.length / (values.length - 1)));

/** A figure over seeds: mean and, with several, the standard deviation. */
function cell(outcomes: readonly Outcome[], name: keyof Outcome, digits: number, factor = 1): string {
  const values = outcomes.map((one) => one[name]).filter((value): value is number => Number.isFinite(value));
  if (values.length === 0) return '–';
  const middle = (mean(values) * factor).toFixed(digits);
  return values.length === 1 ? middle : `${middle} ± ${(spread(values) * factor).toFixed(digits)}`;
}

function table(outcomes: readonly Outcome[]): string {
  const rows = RECIPES.flatMap(({ id }) => {
    const own = outcomes.filter((one) => one.id === id);
    if (own.length === 0) return [];
    const cells = [
      id,
      cell(own, 'lfwAccuracy', 2, 100),
      cell(own, 'lfwAuc', 4),
      cell(own, 'lfwEer', 1, 100),
      cell(own, 'fisher', 3),
      cell(own, 'imagesPerSecond', 0),
    ];
    const failed = own.filter((one) => one.diverged !== undefined).length;
    if (failed > 0) cells[0] += ` (${failed} of ${own.length} diverged)`;
    return [`| ${cells.join(' | ')} |`];
  });
  const head =
    '| loss | LFW accuracy, % | LFW AUC | LFW EER, % | angular Fisher score, training | images/s |';
  return [head, '|---|---|---|---|---|---|', ...rows].join('\n');
}

const set = await lfwSet();
const outcomes: Outcome[] = [];
const wanted = RECIPES.filter(({ id }) => id.includes(options.only ?? ''));
for (let seed = 1; seed <= options.seeds; seed++) {
  for (const recipe of wanted) {
    const outcome = await outcomeOf(recipe, seed, set);
    outcomes.push(outcome);
    const figures = outcome.diverged ?? `LFW ${((outcome.lfwAccuracy ?? 0) * 100).toFixed(2)} %`;
    process.stderr.write(
      `${outcomes.length}/${wanted.length * options.seeds} ${recipe.id}, seed ${seed}: ${figures}\n`,
    );
    writeFileSync(join(options.out, 'outcomes.json'), `${JSON.stringify(outcomes, null, 1)}\n`);
  }
}
process.stdout.write(`${table(outcomes)}\n`);
