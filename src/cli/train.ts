// hypersphere train: aligned faces in, a run folder out.
import { Command, Option } from 'commander';
import { UserError } from '../common/errors.js';
import { readExcludeFile } from '../data/index.js';
import { type HeldOutResults, measureRun } from '../evaluate/run.js';
import type { Communicator } from '../mpi/index.js';
import { deviceNames } from '../runtime/index.js';
import {
  draftRun,
  NETWORKS,
  readSettings,
  type Settings,
  type StepRecord,
  type TrainResult,
  train,
} from '../train/index.js';
import { number, numbers, size, whole } from './flags.js';
import { interruptible } from './interrupt.js';
import { assignment, type LossFlags, lossName, lossOptionsOf } from './loss-flags.js';
import { duration, endWith, note, type Progress, progress, result, timedProgress, usage } from './output.js';
import { onAllRanks } from './ranks.js';

const EXAMPLES = `
The data are a folder with one folder of aligned faces a person, or a record set as training sets are distributed
(train.rec with train.idx and property, by its folder or file), whose labels are the people's names, for --exclude
too. What fits the memory budget (memoryBudget in --config, 1 GiB of pixels) is decoded once, larger sets batch by
batch. Where no flag says otherwise, the settings are the SphereFace paper's, scaled to the run: rate
.1 x sqrt(batch / 512), divided by ten at 4/7 and 6/7 of the steps; lambda is annealed as published, or faster where
that would take more than half of the run, but waits for the angles: it never falls so low that the margin takes more than
half of the mean cosine to the own class (--option annealing.wait=false, or a schedule of your own: the schedule alone).
A run whose embeddings collapse is stopped, with what to change.

Examples:
  hypersphere train --data faces --net sphereface-4 --loss a-softmax --epochs 20 --holdout 50 --out runs/a
  hypersphere train --data faces_webface_112x112 --net sphereface-20 --loss cosface --batch 256 --out runs/w
  hypersphere train --data faces --net sphereface-4 --loss softmax+center --weight center=0.008
  hypersphere train --resume --out runs/a
  mpirun -n 4 hypersphere train --data faces --net sphereface-20 --loss cosface --shard-classes --out runs/c
  hypersphere train --config runs/a/config.json --seed 2 --out runs/b`;

interface Flags extends Partial<Omit<Settings, 'lossOptions' | 'loss' | 'exclude'>>, LossFlags {
  exclude?: string;
  config?: string;
  resume?: boolean;
  force?: boolean;
  json?: boolean;
}

export function trainCommand(): Command {
  return new Command('train')
    .description('train a network on aligned faces: a folder a person, or a record set')
    .option('--data <dir>', 'folder with one folder of images a person, or record set (train.rec)')
    .addOption(new Option('--net <name>', 'network').choices(NETWORKS))
    .option(
      '--loss <name>',
      "loss, or several as in softmax+center ('hypersphere losses' lists them)",
      lossName,
    )
    .option('--margin <m>', "margin of the loss (default: the loss's own)", number(0))
    .option('--weight <loss=w>', 'weight of a part of a joint loss; may be repeated', assignment)
    .option('--option <name=value>', 'any other option of the loss; may be repeated', assignment)
    .option('--gradient <kind>', 'gradient of the loss, where it has a choice')
    .option(
      '--lambda-min <l>',
      'lowest lambda of the annealing (default: 5 for a-softmax); it may stay higher, see below',
      number(0),
    )
    .option('--size <HxW>', "input height x width (default: the network's own, as 112x96)", size)
    .option('--embedding <n>', "length of the embedding (default: the network's own, 512 or 128)", whole(1))
    .option('--relu-after-fc1', "a ReLU on the embedding, for the paper's ablation")
    .option('--batch <n>', 'images a step (default: 64)', whole(1))
    .option(
      '--per-person <k>',
      'images of each person in a batch, 0: left to chance (default: 4 for losses that compare images of a batch, else 0)',
      whole(0),
    )
    .addOption(new Option('--steps <n>', 'steps in all').argParser(whole(1)).conflicts('epochs'))
    .option('--epochs <n>', 'passes over the data (default: 20)', number(0, true))
    .option('--lr <rate>', 'learning rate (default: .1 x sqrt(batch / 512))', number(0, true))
    .option('--milestones <list>', 'steps, or fractions of the run, to divide the rate by ten at', numbers)
    .option('--warm-up <n>', 'steps over which the rate rises to its value (default: 0)', whole(0))
    .option('--momentum <m>', 'momentum (default: .9)', number(0))
    .option('--weight-decay <d>', 'weight decay (default: .0005)', number(0))
    .option('--no-mirror', 'never flip images')
    .option('--seed <n>', 'seed of everything random (default: 1)', whole(Number.MIN_SAFE_INTEGER))
    .option('--holdout <n>', 'people kept out of training and verified at the end (default: 0)', whole(0))
    .option(
      '--exclude <file>',
      'leave out the people it names: what hypersphere overlap wrote, or one name a line',
    )
    .option('--min-images <n>', 'leave out people with fewer images (default: 1)', whole(1))
    .addOption(new Option('--device <name>', 'where to compute (default: cpu)').choices(deviceNames))
    .option('--threads <n>', 'threads on the CPU (default: all)', whole(1))
    .option('--steps-per-call <n>', 'steps in one call of the runtime (default: 1)', whole(1))
    .option('--shard-classes', 'under mpirun: share the class vectors out between the ranks')
    .option(
      '--sample-classes <share>',
      'share of the people whose class vectors take part in a step (default: 1, all)',
      number(0, true),
    )
    .option('--sync-batch-norm', 'under mpirun: batch normalisation goes by the whole batch')
    .option('--checkpoint-steps <n>', 'steps between checkpoints (default: by time)', whole(1))
    .option('--checkpoint-minutes <n>', 'minutes between checkpoints (default: 5)', number(0, true))
    .option('--collapse-steps <n>', 'steps between measurements of neural collapse (default: none)', whole(0))
    .option('--no-watch', 'go on with a warning when the embeddings collapse (default: stop)')
    .option('--out <dir>', "run folder (default: runs/ and the recipe's name)")
    .option('--resume', 'continue the run in the run folder from its newest checkpoint')
    .option('--force', 'start over in a run folder that is not empty')
    .option('--config <file>', 'settings as JSON (see config.json of a run); flags win over it')
    .option('--json', 'print the results as one JSON object')
    .addHelpText('after', EXAMPLES)
    .action((flags: Flags, command: Command) => onAllRanks((ranks) => run(flags, command, ranks)));
}

/** Milliseconds of reading before its progress is shown: a small set is there in a moment. */
const QUIET = 1000;

/** Loaded when it is needed, because plots take longer to load than everything else together. */
const writeRunPage = async (folder: string): Promise<string> =>
  (await import('../report/run-page.js')).writeRunPage(folder);

async function run(flags: Flags, command: Command, communicator: Communicator): Promise<void> {
  const { config: file, resume, force, json } = flags;
  const exclude = flags.exclude === undefined ? undefined : await readExcludeFile(flags.exclude);
  const draft = usage(() => {
    const given = file === undefined ? {} : readSettings(file);
    return draftRun(
      [given, settingsOf(flags, command, given.loss), { ...(exclude && { exclude }) }],
      resume === true,
    );
  });

  const interrupt = interruptible({ ranks: communicator.size });
  let shown: Progress | undefined;
  let counted = '';
  const display = (line: string) => (shown ?? { note }).note(line);
  const smooth = new Smoothed();
  const started = performance.now();
  let ended: TrainResult;
  let begun: string | undefined;
  try {
    ended = await train(draft, {
      resume,
      force,
      signal: interrupt.signal,
      communicator,
      onLost: display,
      onImage(done, total, of) {
        if (communicator.rank > 0 || performance.now() - started < QUIET) return;
        if (of !== counted) {
          shown?.stop();
          shown = timedProgress(total, `${of} read`);
          counted = of;
        }
        shown?.update(done, '');
      },
      onStart(config, data, step) {
        shown?.stop();
        begun = config.out;
        note(
          `${config.net} with ${config.loss} on ${data.pixels.labels.length} images of ${data.people.length} people ` +
            `(${data.heldOut.length} people held out), batch ${config.batch}, ${config.steps} steps, rate ${config.lr}, seed ${config.seed}`,
        );
        if (communicator.size > 1) {
          note(
            `${communicator.size} ranks, ${config.batch / communicator.size} images of each batch on each`,
          );
        }
        note(`${step > 0 ? `continuing after step ${step}; ` : ''}run folder ${config.out}`);
        shown = progress(config.steps, 'steps');
      },
      onStep(record, { secondsLeft }) {
        shown?.update(record.step, describeStep(record, smooth, secondsLeft));
      },
      onNote: display,
    });
  } catch (error) {
    // A run that diverged shows where; what stopped it matters more than a page that cannot be written.
    if (begun !== undefined) await writeRunPage(begun).catch(() => {});
    throw error;
  } finally {
    shown?.stop();
    shown = undefined;
    interrupt.end();
  }
  const { config } = ended;
  // What is left is for one rank.
  await communicator.close();
  if (communicator.rank > 0) return;
  if (!ended.finished) {
    await writeRunPage(config.out);
    note(
      `stopped after step ${ended.step} of ${config.steps}; continue with: hypersphere train --resume --out ${config.out}`,
    );
    if (json) result(summary(ended), '', true);
    endWith('interrupted');
    return;
  }
  note('measuring the embedder');
  const { device, threads } = config;
  const measured = await measureRun(config.out, { device, threads: threads || undefined }).catch(
    async (error: unknown) => {
      // The run itself is done, so it has its page whatever the measuring meets.
      await writeRunPage(config.out);
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${config.out} is trained, but could not be measured: ${error.message}`);
    },
  );
  const page = await writeRunPage(config.out);
  result(
    { ...summary(ended), ...measured, page },
    `${describeResults(ended, measured)}\ntook ${duration((performance.now() - started) / 1000)}; page ${page}`,
    json,
  );
}

/** The settings that the flags name, without what is only this call's. */
function settingsOf(flags: Flags, command: Command, loss: string | undefined): Settings {
  const { margin, lambdaMin, gradient, option, weight, exclude, config, resume, force, json, ...rest } =
    flags;
  const settings: Settings = { ...rest };
  // Commander gives '--no-mirror' and '--no-watch' the default true, which must not win over a settings file.
  for (const name of ['mirror', 'watch'] as const) {
    if (command.getOptionValueSource(name) === 'default') delete settings[name];
  }
  const lossOptions = lossOptionsOf(flags, flags.loss ?? loss);
  if (Object.keys(lossOptions).length > 0) settings.lossOptions = lossOptions;
  return settings;
}

/** Loss and accuracy over about the last 50 steps, for the eye; metrics.jsonl has them raw. */
class Smoothed {
  private steps = 0;
  private readonly values = new Map<string, number>();

  update(values: Record<string, number | undefined>): Record<string, number | undefined> {
    const weight = Math.max(1 / ++this.steps, 1 / 50);
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => {
        if (value === undefined) return [name, undefined];
        const before = this.values.get(name) ?? value;
        const now = before + weight * (value - before);
        this.values.set(name, now);
        return [name, now];
      }),
    );
  }
}

function describeStep(record: StepRecord, smooth: Smoothed, secondsLeft: number): string {
  const { loss, accuracy } = smooth.update({ loss: record.loss, accuracy: record.accuracy });
  return [
    `epoch ${record.epoch.toFixed(1)}`,
    `loss ${loss!.toFixed(3)}`,
    ...(accuracy === undefined ? [] : [`accuracy ${(100 * accuracy).toFixed(1)} %`]),
    `rate ${Number(record.rate.toPrecision(3))}`,
    ...Object.entries(record)
      .filter(([name]) => name === 'lambda' || name.endsWith('.lambda'))
      .map(([, lambda]) => `lambda ${lambda!.toFixed(1)}`),
    `${record.imagesPerSecond.toFixed(0)} images/s`,
    `${duration(secondsLeft)} left`,
  ].join('  ');
}

function summary({ config, finished, step, seconds, waited, last, warning }: TrainResult): object {
  const { out, net, loss, lossOptions, steps, seed } = config;
  return { out, net, loss, lossOptions, seed, finished, step, steps, seconds, waited, last, warning };
}

function describeResults({ config, last, waited, warning }: TrainResult, measured: HeldOutResults): string {
  const { seed } = config;
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  const lines = [`trained ${config.net} with ${config.loss}, seed ${seed}: ${config.out}/model.onnx`];
  if (warning !== undefined) lines.push(`warning: ${warning}`);
  if (last)
    lines.push(
      `last batch: loss ${last.loss.toFixed(3)}${last.accuracy === undefined ? '' : `, accuracy ${percent(last.accuracy)}`}`,
    );
  lines.push(`the step waited ${percent(waited)} of the time for images`);
  lines.push(
    `angular Fisher score of ${measured.trained.images} training images: ${measured.trained.angularFisher.toFixed(4)}`,
  );
  const held = measured.heldOut;
  if (held) {
    lines.push(
      `held-out people (${held.people}, ${held.pairs} pairs): accuracy ${percent(held.accuracy)} +- ${percent(held.standardError)}, ` +
        `EER ${percent(held.eer)}, AUC ${held.auc.toFixed(4)}`,
      `  ten folds +- standard error; pairs share images and people, so what other people would give differs by more`,
    );
  } else if (measured.heldOutMissing) {
    lines.push(`held-out people were not measured: ${measured.heldOutMissing}`);
  }
  return lines.join('\n');
}
