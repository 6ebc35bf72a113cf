// hypersphere toy: the main job in miniature, what `npm start` runs. Five losses train 2-D features on real
// digits; out come a table, a page to look at, and the same as JSON. With --figure it makes figures instead
// (figures.ts).

import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { writeWholeSync } from '../common/files.js';
import { requireWritable } from '../common/folders.js';
import { locked, lockFolder } from '../common/lock.js';
import { figures } from '../evaluate/figures/index.js';
import { runToy, toyLosses } from '../evaluate/toy.js';
import type { ToyResults } from '../evaluate/toy-results.js';
import { type DeviceName, deviceNames } from '../runtime/index.js';
import { TOY, TOY_LOSSES } from '../train/toy.js';
import { makeFigures } from './figures.js';
import { whole } from './flags.js';
import { duration, note, type Progress, progress, result, UsageError } from './output.js';

const EXAMPLES = `
Examples:
  hypersphere toy
  hypersphere toy --losses softmax,a-softmax-4 --seed 2 --out toy-seed2
  hypersphere toy --json > toy.json
  hypersphere toy --figure target-logits       a figure that needs no training
  hypersphere toy --figure all --faces faces   all figures of the paper, on digits and faces`;

interface Flags {
  out?: string;
  json?: boolean;
  seed: number;
  steps?: number;
  figure?: string;
  faces?: string;
  images?: number;
  losses?: string[];
  device: DeviceName;
  threads?: number;
}

const figureNames = figures.map(({ name }) => name).join(',');

export function toyCommand(): Command {
  return new Command('toy')
    .description('train 2-D features on handwritten digits with five losses, and draw what each does')
    .option('--figure <name>', `instead: figures of the papers, all or any of ${figureNames}`)
    .option('--faces <dir>', 'with --figure: one folder of aligned faces a person, for the face versions')
    .option(
      '--out <dir>',
      'folder for the page and the data (default: hypersphere-toy; hypersphere-figures with --figure)',
    )
    .option('--losses <list>', `any of ${TOY_LOSSES.map(({ id }) => id).join(',')} (default: all)`, lossList)
    .option(
      '--steps <n>',
      `training steps of each loss (default: ${TOY.steps}; with --figure as the figure states)`,
      whole(1),
    )
    .option('--images <n>', 'images of each digit at most (default: all, about 1,000)', whole(10))
    .option('--seed <n>', 'seed of everything random', whole(Number.MIN_SAFE_INTEGER), 1)
    .addOption(new Option('--device <name>', 'where to compute').choices(deviceNames).default('cpu'))
    .option('--threads <n>', 'threads on the CPU (default: all)', whole(1))
    .option('--json', 'print the results as one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

/** Where the comparison goes unless --out says otherwise. */
const TOY_FOLDER = 'hypersphere-toy';

async function run({ figure, faces, ...flags }: Flags): Promise<void> {
  if (figure === undefined) {
    if (faces !== undefined) throw new UsageError('--faces belongs to --figure: give both, or neither');
    requireWritable(flags.out ?? TOY_FOLDER);
    return locked(lockFolder(flags.out ?? TOY_FOLDER), () => compare(flags));
  }
  if (flags.losses) throw new UsageError('--losses is for the comparison; a figure has losses of its own');
  const { images, losses: _, out = 'hypersphere-figures', ...options } = flags;
  requireWritable(out);
  await locked(lockFolder(out), () => makeFigures({ ...options, figure, faces, out, perClass: images }));
}

/** The comparison of losses, without --figure. */
async function compare({ out = TOY_FOLDER, json, images, ...options }: Omit<Flags, 'figure' | 'faces'>) {
  let shown: Progress | undefined;
  try {
    const results = await runToy(
      { ...options, perClass: images },
      {
        onStart({ total, losses, split, seed }) {
          note(
            `${losses.length} losses on ${split.train.labels.length} images of the digits ${split.classes.join(' ')}; ` +
              `${split.heldOutClasses.join(' and ')} kept out; ${total / losses.length} steps each; seed ${seed}`,
          );
          shown = progress(total, 'steps');
        },
        onStep({ loss, latest, done, secondsLeft }) {
          const accuracy = (100 * latest.accuracy).toFixed(0);
          shown?.update(
            done,
            `${duration(secondsLeft)} left  ${loss.title}: loss ${latest.loss.toFixed(3)}  accuracy ${accuracy} %`,
          );
        },
      },
    );
    shown?.stop();
    shown = undefined;
    const page = join(out, 'index.html');
    // Loaded when it is needed, because plots take longer to load than everything else together.
    (await import('../report/toy-page.js')).writeToyPage(page, results);
    writeWholeSync(join(out, 'results.json'), `${JSON.stringify(results)}\n`);
    result({ ...results, page }, report(results, resolve(page)), json);
  } finally {
    shown?.stop();
  }
}

function lossList(text: string): string[] {
  try {
    return toyLosses(text.split(',')).map(({ id }) => id);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

const COLUMNS = [
  ['loss', '', ''],
  ['training', 'accuracy', '%'],
  ['Fisher score', 'training', ''],
  ['Fisher score', 'new images', ''],
  ['class', 'width', 'degrees'],
  ['to nearest', 'class', 'degrees'],
  ['open-set', 'accuracy', '%'],
  ['open-set', 'EER', '%'],
] as const;

/** The table and where to go on, for people. */
function report(results: ToyResults, page: string): string {
  const percent = (share: number) => (100 * share).toFixed(1);
  const rows = results.runs.map(({ title, figures, diverged }) =>
    figures
      ? [
          title,
          percent(figures.trainingAccuracy),
          figures.fisherScore.training.toFixed(4),
          figures.fisherScore.test.toFixed(4),
          figures.separation.within.toFixed(1),
          figures.separation.nearest.toFixed(1),
          `${percent(figures.openSet.accuracy)} ± ${percent(figures.openSet.standardError)}`,
          percent(figures.openSet.eer),
        ]
      : [title, `diverged at step ${diverged}: its loss was no longer a finite number`],
  );
  const { trained, heldOut } = results.digits;
  const pairs = results.runs.find(({ figures }) => figures)?.figures?.openSet.pairs;
  return `
${table(rows)}

Digits ${trained.join(' ')} were trained on; ${heldOut.join(' and ')} were not, and are the open set. Angular Fisher
score and width of a class: smaller is better; the width, and the angle to the nearest class, are of new images.
${pairs === undefined ? '' : `Open set: ${pairs} pairs, ten folds, ± standard error over the folds of one network; another seed changes it by more.\n`}Seed ${results.seed}, ${duration(results.seconds)}.

Page with the pictures: ${page}
Train on your own faces (one folder of aligned faces a person):
  hypersphere train --data DIR --net sphereface-4 --loss a-softmax
The figures that explain the losses, on one page:
  hypersphere toy --figure all`;
}

/** Columns under three lines of headings: the first to the left, the others to the right. */
function table(rows: string[][]): string {
  const headings = [0, 1, 2].map((line) => COLUMNS.map((column) => column[line]!));
  const whole = rows.filter((row) => row.length === COLUMNS.length);
  const widths = COLUMNS.map((_, i) => Math.max(...[...headings, ...whole].map((row) => row[i]!.length)));
  widths[0] = Math.max(...rows.map(([title]) => title!.length));
  const lines = [...headings, ...rows].map((row) =>
    row
      .map((cell, i) =>
        i === 0 || row.length < COLUMNS.length ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
      )
      .join('   ')
      .trimEnd(),
  );
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 3, -3));
  return [...lines.slice(0, 3).filter((line) => line !== ''), rule, ...lines.slice(3)].join('\n');
}
