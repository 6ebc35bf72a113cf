// hypersphere reproduce: a table of the SphereFace paper from end to end, at a scale the machine can bear. What is
// done stays done, so the command can be stopped and repeated.
import { Argument, Command, Option } from 'commander';
import { readExcludeFile } from '../data/index.js';
import {
  BUDGETS,
  type ReproduceOptions,
  reproduceTable,
  type Scale,
  TABLES,
  tableNamed,
} from '../evaluate/tables/index.js';
import { type DeviceName, deviceNames } from '../runtime/index.js';
import { number, size, whole } from './flags.js';
import { interruptible } from './interrupt.js';
import { duration, endWith, note, type Progress, progress, result, UsageError } from './output.js';

const EXAMPLES = `
Tables of SphereFace (Liu et al., CVPR 2017):
${TABLES.map(({ id, title }) => `  ${id}  ${title}`).join('\n')}

  small   SphereFace-4 at ${BUDGETS.small.size.join(' x ')}, ${BUDGETS.small.steps} steps of ${BUDGETS.small.batch} images: minutes a run; its figures compare rows, not papers
  paper   the published settings, ${BUDGETS.paper.steps.toLocaleString('en')} steps of ${BUDGETS.paper.batch} images at ${BUDGETS.paper.size.join(' x ')}: for a GPU (--device cuda), or with a smaller --batch

A column needs its test faces: --lfw and --pairs, --ytf and --splits, --probes and --distractors (at small scale --lfw
alone gives a run of MegaFace's kind on LFW); without them it says 'no data'. Faces are aligned as for 'train'. Test
people must not be trained on: --exclude takes the list that 'hypersphere overlap' writes. Ctrl-C saves the run at
hand; the same command goes on. The folder has table.md, table.json and index.html after every run.

Examples:
  hypersphere reproduce table3 --data faces --lfw lfw/aligned-112 --pairs lfw/pairs.txt --exclude overlap.json
  hypersphere reproduce table6 --data faces --lfw lfw/aligned-112 --pairs lfw/pairs.txt --runs reproduce/table3-small/runs
  hypersphere reproduce table4 --scale paper --data casia --lfw lfw --pairs pairs.txt --device cuda`;

interface Flags extends Omit<ReproduceOptions, 'table' | 'exclude' | 'rows' | 'out'> {
  scale: Scale;
  exclude?: string;
  rows?: string;
  out?: string;
  device?: DeviceName;
  json?: boolean;
}

export function reproduceCommand(): Command {
  return new Command('reproduce')
    .description('train and measure a table of the SphereFace paper, its figures beside ours')
    .addArgument(new Argument('<table>', 'which table').choices(TABLES.map(({ id }) => id)))
    .addOption(
      new Option('--scale <scale>', 'budget of each run').choices(['small', 'paper']).default('small'),
    )
    .requiredOption('--data <dir>', 'training faces, one folder a person')
    .option('--exclude <file>', 'people to leave out: what hypersphere overlap wrote, or one name a line')
    .option('--min-images <n>', 'leave out people with fewer images (default: 1)', whole(1))
    .option('--lfw <dir>', 'aligned LFW faces')
    .option('--pairs <file>', "LFW's pair list (pairs.txt)")
    .option('--ytf <dir>', 'aligned frames of YouTube Faces, Name/Number/frame.jpg')
    .option('--splits <file>', "YTF's pair list (splits_corrected.txt)")
    .option('--probes <dir>', 'MegaFace probes, one folder a person')
    .option('--distractors <dir>', 'MegaFace distractors')
    .option('--seeds <n>', 'seeds of each row (default: small 2, paper 1)', whole(1))
    .option('--rows <list>', 'rows to run, by their ids, with commas (default: all that the scale bears)')
    .addOption(
      new Option('--steps <n>', "steps of each run (default: the scale's)")
        .argParser(whole(1))
        .conflicts('epochs'),
    )
    .option('--epochs <n>', 'passes over the data instead', number(0, true))
    .option('--size <HxW>', "input height x width (default: the scale's)", size)
    .option('--batch <n>', "images a step (default: the scale's)", whole(1))
    .addOption(new Option('--device <name>', 'where to compute (default: cpu)').choices(deviceNames))
    .option('--threads <n>', 'threads on the CPU (default: all)', whole(1))
    .option('--checkpoint-steps <n>', 'steps between checkpoints (default: by time)', whole(1))
    .option('--out <dir>', 'folder of the table (default: reproduce/TABLE-SCALE)')
    .option('--runs <dir>', 'folder of the runs, which tables of one scale can share (default: OUT/runs)')
    .option('--json', 'print the table as one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(name: string, flags: Flags): Promise<void> {
  const { exclude: list, rows, json, out = `reproduce/${name}-${flags.scale}`, ...rest } = flags;
  for (const [one, other] of [
    ['pairs', 'lfw'],
    ['ytf', 'splits'],
    ['splits', 'ytf'],
    ['probes', 'distractors'],
    ['distractors', 'probes'],
  ] as const) {
    if (flags[one] !== undefined && flags[other] === undefined)
      throw new UsageError(`--${one} is given, and --${other} is missing, which belongs to it`);
  }
  const exclude = list === undefined ? undefined : await readExcludeFile(list);
  // Loaded when they are needed, because plots take longer to load than everything else together.
  const { writeTable } = await import('../report/table-page.js');
  const { figuresMarkdown, leadText, notesOf } = await import('../report/table-text.js');
  const interrupt = interruptible();
  const started = performance.now();
  let shown: Progress | undefined;
  let page = '';
  try {
    const table = await reproduceTable(
      {
        ...{ ...rest, table: tableNamed(name), out },
        ...(exclude && { exclude }),
        ...(rows !== undefined && { rows: rows.split(',').map((id) => id.trim()) }),
      },
      {
        signal: interrupt.signal,
        onNote: (line) => (shown ?? { note }).note(line),
        onProgress({ text, done, total, secondsLeft }) {
          // Without a step to take, runs that are trained are measured by what was not given before.
          shown ??= total > 0 ? progress(total, 'steps') : progress(1, 'measured');
          shown.update(done, total > 0 ? `${duration(secondsLeft)} left  ${text}` : text);
        },
        async onResult(so) {
          page = await writeTable(out, so);
        },
      },
    );
    shown?.stop();
    shown = undefined;
    const text = [
      `${table.title} (${table.source})`,
      leadText(table),
      figuresMarkdown(table),
      ...notesOf(table),
      `took ${duration((performance.now() - started) / 1000)}; look at ${page}`,
    ].join('\n');
    result(table, text, json);
    if (!table.finished) {
      note('stopped; repeat the command to go on');
      endWith('interrupted');
    }
  } finally {
    shown?.stop();
    interrupt.end();
  }
}
