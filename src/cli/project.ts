// hypersphere project: learns a projection on frozen embeddings (TSE, TPE), or applies one to a file of them.
import { Command, Option } from 'commander';
import { UserError } from '../common/errors.js';
import { requireWritableFile } from '../common/folders.js';
import { measureProjection, type ProjectionFigures, type ProjectionResults } from '../evaluate/projection.js';
import { checkEmbeddingsFile, readEmbeddings, writeEmbeddings } from '../face/index.js';
import { MINING } from '../losses/index.js';
import { deviceNames } from '../runtime/index.js';
import { type ProjectionResult, trainProjection } from '../train/projection.js';
import {
  draftProjection,
  PROJECTION_LOSSES,
  type ProjectionDraft,
  type ProjectionSettings,
} from '../train/projection-config.js';
import { applyProjection, PROJECTION_FILES, readProjection } from '../train/projection-model.js';
import { number, whole } from './flags.js';
import { interruptible } from './interrupt.js';
import { duration, endWith, note, type Progress, progress, result, usage } from './output.js';

const HELP = `
The embeddings come from hypersphere embed: a file (.safetensors, .npy or .jsonl) with its list, which says who is
in each row. The network that made them is not needed and does not change; what is learned is one
matrix T, and x' = T x / |x| is compared by cosine. People with one image are not trained on. With --holdout,
people that T has not seen are verified before and after.

Examples:
  hypersphere embed --model model.onnx --data faces --out faces.safetensors
  hypersphere project --embeddings faces.safetensors --loss tpe --holdout 50 --out runs/tpe
  hypersphere project --apply runs/tpe --embeddings others.safetensors --out projected.safetensors`;

interface Flags extends Partial<Omit<ProjectionDraft, 'lossOptions' | 'milestones'>> {
  margin?: number;
  mining?: string;
  apply?: string;
  resume?: boolean;
  force?: boolean;
  json?: boolean;
}

export function projectCommand(): Command {
  return new Command('project')
    .description('learn a projection on frozen embeddings, or apply one')
    .option('--embeddings <file>', 'file of embeddings, as hypersphere embed writes it')
    .addOption(new Option('--loss <name>', 'loss').choices(PROJECTION_LOSSES))
    .option('--length <n>', 'numbers of a projected embedding (default: 128, or all)', whole(1))
    .addOption(new Option('--start <how>', 'how T starts (default: pca)').choices(['pca', 'random']))
    .option('--margin <m>', 'margin of tse (default: .2)', number(0))
    .addOption(
      new Option('--mining <which>', 'triplets that count (tse: semi-hard; tpe: all)').choices(MINING),
    )
    .option('--batch <n>', 'embeddings a step (default: 64)', whole(1))
    .option('--per-person <k>', 'embeddings of each person in a batch (default: 4)', whole(1))
    .option('--steps <n>', 'steps in all (default: 1000)', whole(1))
    .option('--lr <rate>', 'learning rate (default: .003)', number(0, true))
    .option('--weight-decay <d>', 'weight decay (default: .0005)', number(0))
    .option('--holdout <n>', 'people kept out of training and verified at the end (default: 0)', whole(0))
    .option('--seed <n>', 'seed of everything random (default: 1)', whole(Number.MIN_SAFE_INTEGER))
    .addOption(new Option('--device <name>', 'where to compute (default: cpu)').choices(deviceNames))
    .option('--threads <n>', 'threads on the CPU (default: 1, as the products are small)', whole(1))
    .addOption(
      new Option('--apply <dir>', 'apply the projection in this folder to --embeddings instead').conflicts([
        ...[
          'loss',
          'length',
          'start',
          'margin',
          'mining',
          'batch',
          'perPerson',
          'steps',
          'lr',
          'weightDecay',
        ],
        ...['holdout', 'seed', 'device', 'threads', 'resume', 'force'],
      ]),
    )
    .option('--out <path>', 'folder to write; with --apply the file of projected embeddings')
    .option('--resume', 'continue the run in the folder from its newest checkpoint')
    .option('--force', 'start over in a folder that is not empty')
    .option('--json', 'print the results as one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

const run = (flags: Flags): Promise<void> =>
  flags.apply === undefined ? learn(flags) : apply(flags, flags.apply);

async function learn({ margin, mining, apply: _, resume, force, json, ...rest }: Flags): Promise<void> {
  const lossOptions = {
    ...(margin !== undefined && { margin }),
    ...(mining !== undefined && { mining }),
  };
  const settings: ProjectionSettings = {
    ...rest,
    ...(Object.keys(lossOptions).length > 0 && { lossOptions }),
  };
  const draft = usage(() => draftProjection(settings, resume));
  const interrupt = interruptible();
  const started = performance.now();
  let shown: Progress | undefined;
  let ended: ProjectionResult;
  try {
    ended = await trainProjection(draft, {
      resume,
      force,
      signal: interrupt.signal,
      onStart(config, { trained, heldOut, tooFew }, step) {
        note(
          `${config.loss} on ${trained.labels.length} embeddings of ${trained.people.length} people ` +
            `(${heldOut.people.length} held out, ${tooFew.length} with one image left out), ${trained.length} -> ${config.length} numbers, ` +
            `batch ${config.batch}, ${config.steps} steps, rate ${config.lr}, seed ${config.seed}`,
        );
        note(`${step > 0 ? `continuing after step ${step}; ` : ''}folder ${config.out}`);
        shown = progress(config.steps, 'steps');
      },
      onStep(record, { secondsLeft }) {
        const { loss, rate, easy, semiHard, hard } = record;
        const kinds = Object.entries({ easy, semiHard, hard })
          .flatMap(([kind, count]) => (count === undefined ? [] : [`${kind} ${count}`]))
          .join('  ');
        shown?.update(
          record.step,
          `loss ${loss.toFixed(4)}  ${kinds}  rate ${Number(rate.toPrecision(3))}  ${duration(secondsLeft)} left`,
        );
      },
      onNote: (line) => (shown ?? { note }).note(line),
    });
  } finally {
    shown?.stop();
    interrupt.end();
  }
  const { config, finished, step } = ended;
  if (!finished) {
    note(
      `stopped after step ${step} of ${config.steps}; continue with: hypersphere project --resume --out ${config.out}`,
    );
    if (json) result(ended, '', true);
    endWith('interrupted');
    return;
  }
  note('measuring the projection');
  const measured = await measureProjection(config.out);
  const seconds = (performance.now() - started) / 1000;
  result({ ...ended, ...measured }, `${describe(ended, measured)}\ntook ${duration(seconds)}`, json);
}

async function apply({ embeddings, out, json }: Flags, folder: string): Promise<void> {
  usage(() => {
    if (embeddings === undefined) throw new UserError('--embeddings FILE is missing: what to project');
    if (out === undefined) throw new UserError('--out FILE is missing: the file of projected embeddings');
    checkEmbeddingsFile(out);
  });
  requireWritableFile(out!);
  const projection = readProjection(folder);
  const set = await readEmbeddings(embeddings!);
  const { from, metadata } = projection;
  if (set.length !== from)
    throw new UserError(
      `${folder}: its projection takes embeddings of ${from} numbers; those of ${set.file} have ${set.length}`,
    );
  if (set.manifest?.projection !== undefined)
    note(`careful: ${set.file} holds embeddings that were projected already`);
  const own = set.manifest?.name ?? 'not stated';
  if (metadata.embeddingsOf !== own)
    note(
      `careful: ${folder} was learned on embeddings of '${metadata.embeddingsOf}', these are of '${own}'; it means nothing on those of another model`,
    );
  const { length, original } = applyProjection(projection, { ...set, original: set.embeddings });
  const [file, list] = await writeEmbeddings(out!, {
    ...set,
    length,
    embeddings: original as Float32Array,
    // What made the numbers: the model, and this on top.
    manifest: { ...set.manifest!, projection: { folder, ...metadata } },
  });
  const images = set.images.length;
  result(
    { out: file, list, images, length, from },
    `${images} embeddings of ${from} numbers projected to ${length} in ${file}, their paths in ${list}`,
    json,
  );
}

function describe(
  { config, last }: ProjectionResult,
  { heldOut, heldOutMissing }: ProjectionResults,
): string {
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  const lines = [`learned with ${config.loss}, seed ${config.seed}: ${config.out}/${PROJECTION_FILES.model}`];
  if (last) lines.push(`last batch: loss ${last.loss.toFixed(4)}`);
  if (heldOut) {
    const row = (name: string, { length, accuracy, standardError, eer, auc }: ProjectionFigures) =>
      `  ${name.padEnd(11)} ${String(length).padStart(4)} numbers: accuracy ${percent(accuracy)} +- ${percent(standardError)}, EER ${percent(eer)}, AUC ${auc.toFixed(4)}`;
    lines.push(
      `held-out people (${heldOut.people}, ${heldOut.images} images, ${heldOut.pairs} pairs):`,
      row('as they are', heldOut.raw),
      row('pca', heldOut.pca),
      row(config.loss, heldOut.projected),
      '  ten folds +- standard error; pairs share images and people, so what other people would give differs by more',
    );
  } else {
    lines.push(`not measured: ${heldOutMissing}`);
  }
  return lines.join('\n');
}
