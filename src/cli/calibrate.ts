// hypersphere calibrate: from the similarities of a labelled folder to probabilities and thresholds, in a file that
// 'verify' and 'identify' decide by.
import { basename, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { UserError } from '../common/errors.js';
import { PRIVATE, writeWhole } from '../common/files.js';
import { requireWritableFile } from '../common/folders.js';
import { readExcludeFile } from '../data/index.js';
import { calibrate, fuse, type Suspect } from '../evaluate/index.js';
import {
  CALIBRATION_FORMAT,
  type Calibration,
  calibratedModel,
  type FaceSource,
  type Manifest,
} from '../face/index.js';
import { FOREIGN_MODELS, withEmbedderFlags } from './embedder-flags.js';
import { featuresOf, openSource, type SourceFlags } from './evaluate/source-flags.js';
import { listed, whole } from './flags.js';
import { duration, note, result } from './output.js';
import { chance, probability, rate } from './reader-flags.js';

const HELP = `
The data folder holds aligned faces, one folder a person, of people whom the model was NOT trained on and who are like
those it will meet. Photographs are embedded first: hypersphere embed --photographs, then --embeddings FILE. A person
under two names makes thresholds too high: find them with 'hypersphere overlap' and leave one out.
  probability   logistic regression of the cosine, each person with the same weight, both kinds weighted to the prior;
                Cllr is its cost in bits a decision on people left out of the fit, 1 being to know nothing
  threshold     the cosine that so few pairs of different people reach; every pair counts the same. In a search among
                N people the rate is the chance that a stranger is taken for anybody, 1 - (1 - rate)^(1/N) for one
                comparison. Below ten false matches it is extrapolated (generalized Pareto distribution, by maximum
                likelihood, of the highest scores), says so, and is rather too low: few people hold no look-alikes
  counted       strangers who were taken for somebody in random galleries of that many of the people: the same people
                whom the threshold comes from, so it tells whether comparisons are independent, not how others fare
Intervals are 95 %, by drawing people again; those of FNMR with the threshold held. Drawn people bring no look-alikes
whom nobody has seen, so the interval of an extrapolated threshold lies too low as well and holds less often.
${FOREIGN_MODELS}

Examples:
  hypersphere calibrate --model dlib-resnet-128 --data faces --aligned arcface --out dlib.calibration.json
  hypersphere calibrate --embeddings faces.safetensors --fmr 0.01,0.001 --gallery-size 1,50 --out mine.json
  hypersphere verify a.jpg b.jpg --calibration dlib.calibration.json`;

interface Flags extends SourceFlags {
  out: string;
  fmr: number[];
  gallerySize: number[];
  prior: number;
  leaveOut?: string[];
  exclude?: string;
  replicates: number;
  seed: number;
}

export function calibrateCommand(): Command {
  const command = new Command('calibrate')
    .description("a model's similarities as probabilities, and thresholds for a false match rate")
    .option('--model <name|file>', 'ONNX model, or a name of: hypersphere models')
    .option('--data <dir>', 'folder with one folder of aligned faces a person')
    .option('--embeddings <file>', 'embeddings of such a folder instead (.safetensors, .npy or .jsonl)')
    .requiredOption('--out <file>', 'the calibration to write, JSON')
    .addOption(listed('--fmr <p,p>', 'false match rates, as in 0.01,0.001', list(rate), [0.001]))
    .addOption(
      listed(
        '--gallery-size <n,n>',
        'people enrolled that the rates are for',
        list(whole(1)),
        [1, 100, 10_000],
      ),
    )
    .option('--prior <p>', 'probability of the same person before anything is seen', probability, 0.5)
    .option('--leave-out <names>', 'people to leave out, with commas', (text: string) =>
      text.split(',').map((name) => name.trim()),
    )
    .option('--exclude <file>', "people to leave out: a name a line, or what 'hypersphere overlap' wrote")
    .option(
      '--aligned <template>',
      "the faces' own template, such as arcface (default: what 'align' noted there)",
    )
    .option('--keep <file>', 'keep the features in this file, and take from it what is there')
    .option('--replicates <n>', 'draws of people for the intervals, 0 for none', whole(0), 200)
    .option('--seed <n>', 'of everything random', whole(0), 1);
  return withEmbedderFlags(command)
    .option('--json', 'print the calibration as one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const started = performance.now();
  const { out, fmr, gallerySize, prior, replicates, seed } = flags;
  requireWritableFile(out);
  const source = await openSource(flags);
  try {
    const { manifest } = source;
    if (!manifest)
      throw new UserError(
        `${source.file}: does not say which model made the embeddings, and a calibration belongs to one; make it again with: hypersphere embed`,
      );
    const name = basename(resolve(source.folder || source.file));
    warnOfTraining(manifest, name);
    const { rows, leftOut } = await chosen(source, flags);
    const unreadable = new Set<number>();
    const features = await featuresOf(source, rows, {
      onUnreadable(index, reason) {
        unreadable.add(index);
        note(`skipped ${reason}`);
      },
    });
    const { length, original } = fuse(features, source.fusion);
    const used = rows.map((_, i) => i).filter((i) => !unreadable.has(i));
    const templates = new Float64Array(used.length * length);
    used.forEach((i, k) => {
      templates.set(original.subarray(i * length, (i + 1) * length), k * length);
    });
    const labels = used.map((i) => source.images[rows[i]!]!.person!);
    const { data, suspects, ...figures } = calibrate({ length, original: templates }, labels, {
      ...{ fmrs: fmr, gallerySizes: gallerySize, prior, replicates, seed },
      onStage: (what) => note(`${what} ...`),
    });
    const calibration: Calibration = {
      format: CALIBRATION_FORMAT,
      model: calibratedModel(manifest),
      data: { name, ...data, leftOut },
      ...figures,
    };
    await writeWhole(out, `${JSON.stringify(calibration, null, 1)}\n`, PRIVATE);
    warnOfSuspects(suspects);
    const seconds = (performance.now() - started) / 1000;
    result(calibration, `${text(calibration)}\nwritten: ${out} (${duration(seconds)})`, flags.json);
  } finally {
    await source.close();
  }
}

/** Rows of people who are not left out. */
async function chosen(
  { images, file, folder }: FaceSource,
  { leaveOut = [], exclude }: Flags,
): Promise<{ rows: number[]; leftOut: number }> {
  const people = new Set(images.flatMap(({ person }) => (person === null ? [] : [person])));
  const unknown = leaveOut.find((name) => !people.has(name));
  if (unknown !== undefined)
    throw new UserError(`--leave-out: nobody in ${folder || file} is called '${unknown}'`);
  const excluded = exclude === undefined ? [] : await readExcludeFile(exclude);
  const out = new Set([...leaveOut, ...excluded].filter((name) => people.has(name)));
  if (excluded.length > 0 && !excluded.some((name) => people.has(name)))
    note(`${exclude}: none of its ${excluded.length} names is in ${folder || file}`);
  const loose = images.filter(({ person }) => person === null).length;
  if (loose > 0) note(`${loose} images are in no person's folder and left out`);
  const rows = images.flatMap(({ person }, row) => (person === null || out.has(person) ? [] : [row]));
  if (rows.length === 0)
    throw new UserError(`${folder || file}: no image of anybody is left to calibrate on`);
  return { rows, leftOut: out.size };
}

/** Folders of such names are of anything. */
const GENERIC = new Set(['faces', 'images', 'photos', 'people', 'data', 'train', 'aligned']);

/** Says so when the manifest seems to name the folder as what the model was trained on. */
function warnOfTraining({ trainedOn, name }: Manifest, data: string): void {
  const told = trainedOn.replace(/\bwithout\b[^,;)]*/gi, '');
  const plain = data.replace(/[^\w.-]/g, '').replace(/\./g, '\\.');
  const named = new RegExp(`(^|[^\\w-])${plain}($|[^\\w-])`, 'i');
  const ours = told.endsWith(` in ${data}`);
  if (ours || (plain !== '' && !GENERIC.has(data.toLowerCase()) && named.test(told)))
    note(
      `warning: ${name} seems to be trained on ${data} (${trainedOn}): people it knows look more alike than others, and every figure is too good; calibrate on other people`,
    );
}

function warnOfSuspects(suspects: readonly Suspect[]): void {
  const [first] = suspects;
  if (!first) return;
  const listed = suspects
    .slice(0, 3)
    .map(({ labels, cosine }) => `${labels.join(' and ')} (${cosine.toFixed(3)})`);
  note(
    `${suspects.length} ${suspects.length === 1 ? 'pair of people has' : 'pairs of people have'} images more alike than three quarters of the pairs of one person: ${listed.join(', ')}${suspects.length > 3 ? ', ..' : ''}; if two are one person, leave one out with --leave-out, or thresholds are too high`,
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const grouped = (count: number): string => count.toLocaleString('en');
const rounded = (value: number): string =>
  value > 0 && value < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));

function text({ model, data, probability: line, thresholds, replicates, seed }: Calibration): string {
  const header = [
    ...['gallery', 'FMR asked', 'one comparison', 'threshold', '95 %', 'FNMR', '95 %'],
    ...['false matches', 'counted in searches'],
  ];
  const rows = thresholds.map((row): string[] => [
    grouped(row.gallerySize),
    String(row.fmr),
    rounded(row.perComparison),
    row.threshold === null ? 'not known' : row.threshold.toFixed(4),
    row.interval?.map((bound) => bound.toFixed(4)).join(' .. ') ?? '',
    row.fnmr === null ? '' : percent(row.fnmr),
    row.fnmrInterval?.map(percent).join(' .. ') ?? '',
    row.threshold === null ? '' : grouped(row.falseMatches),
    row.searched
      ? `${rounded(row.searched.fpir)}: ${grouped(row.searched.falsePositives)} of ${grouped(row.searched.searches)}, by ${row.searched.people} people`
      : '',
    row.extrapolated && row.threshold !== null ? `extrapolated: ${row.reason}` : (row.reason ?? ''),
  ]);
  const widths = header.map((title, k) => Math.max(title.length, ...rows.map((row) => row[k]!.length)));
  const lineOf = (cells: readonly string[]) =>
    cells
      .map((cell, k) => cell.padEnd(widths[k] ?? 0))
      .join('  ')
      .trimEnd();
  const [least, most] = line.limits;
  return [
    `${model.name} on ${data.name}: ${grouped(data.people)} people, ${grouped(data.images)} images, ${grouped(data.genuinePairs)} pairs of one person and ${grouped(data.impostorPairs)} of two${data.leftOut > 0 ? ` (${data.leftOut} people left out)` : ''}`,
    `log-likelihood ratio ${line.slope.toFixed(3)} x cosine ${line.intercept < 0 ? '-' : '+'} ${Math.abs(line.intercept).toFixed(3)}, held within ${least.toFixed(2)} .. ${most.toFixed(2)}; prior ${chance(line.prior)}`,
    line.cllr
      ? `Cllr ${line.cllr.value.toFixed(4)} bits, ${line.cllr.minimum.toFixed(4)} at best (${line.cllr.folds} folds of people)`
      : 'Cllr not known: too few people to hold some back',
    lineOf(header),
    ...rows.map(lineOf),
    replicates > 1
      ? `95 %: ${replicates} draws of people, seed ${seed}; FNMR with the threshold held${thresholds.some((one) => one.extrapolated && one.threshold !== null) ? '; of extrapolated thresholds less than 95 %, as they lie too low' : ''}`
      : 'no intervals were computed',
  ].join('\n');
}

/** Values with commas between them. */
function list(read: (text: string) => number): (text: string) => number[] {
  return (text) => {
    const values = text.split(',').map(read);
    if (new Set(values).size < values.length) throw new InvalidArgumentError('A value stands there twice.');
    return values;
  };
}
