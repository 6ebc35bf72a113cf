// The thresholds of a model's manifest: cosines that pairs of different people reach at given false match rates,
// measured on a labelled folder of aligned faces. Prints them with what one person's pairs miss, with intervals over
// people, and with the most alike pairs of two labels, which tell wrong labels. See bench/README.md.
import { relative } from 'node:path';
import { Command, Option } from 'commander';
import { listPeople } from '../../src/data/index.js';
import { fuse, l2Normalise, thresholdsAtFmr } from '../../src/evaluate/index.js';
import { templateNamed } from '../../src/face/align/template.js';
import { bothRealigned } from '../../src/face/embed/realigned.js';
import { DEFAULT_MODEL, openEmbedder } from '../../src/face/index.js';
import { whole } from '../options.js';
import { LEFT_OUT } from './labels.js';

interface Options {
  data: string;
  model: string;
  aligned: string;
  leaveOut: string[];
  flip: 'manifest' | 'none' | 'sum' | 'concatenate';
  border: 'black' | 'replicate';
  replicates: number;
  seed: number;
  threads: number;
  top: number;
  json?: boolean;
}

const options = new Command('thresholds')
  .description('cosines at false match rates')
  .requiredOption('--data <dir>', 'aligned faces, one folder a person')
  .option('--model <name>', 'a built-in model, or an ONNX file', DEFAULT_MODEL)
  .option('--aligned <template>', 'the template that the faces are aligned to', 'arcface-112')
  .option(
    '--leave-out <people>',
    'people who do not count, with commas',
    (text: string) => text.split(','),
    LEFT_OUT.flatMap(({ people }) => people),
  )
  .addOption(
    new Option('--flip <how>', 'how image and mirror image are joined')
      .choices(['manifest', 'none', 'sum', 'concatenate'])
      .default('manifest'),
  )
  .addOption(
    new Option('--border <what>', 'what lies beyond an aligned face')
      .choices(['black', 'replicate'])
      .default('black'),
  )
  .option('--replicates <n>', 'draws of people for the intervals', Number, 200)
  .option('--seed <n>', 'of the draws', whole, 1)
  .option('--threads <n>', 'threads', whole, 1)
  .option('--top <n>', 'most alike pairs of different people to list', Number, 10)
  .option('--json', 'print one JSON object')
  .parse()
  .opts<Options>();

const images = (await listPeople(options.data))
  .filter(({ name }) => !options.leaveOut.includes(name))
  .flatMap(({ name, paths }) => paths.map((path) => ({ path, person: name })));
const embedder = await openEmbedder(options.model, { threads: options.threads });
const { manifest } = embedder;
const features = await bothRealigned(
  embedder,
  images.map(({ path }) => path),
  templateNamed(options.aligned),
  { border: options.border },
);
await embedder.close();

const flip = options.flip === 'manifest' ? manifest.flip : options.flip;
const templates = fuse(features, flip);
const { replicates, seed } = options;
const labels = images.map(({ person }) => person);
const measured = thresholdsAtFmr(templates, labels, { replicates, seed });
const report = {
  model: manifest.name,
  data: options.data,
  aligned: options.aligned,
  template: manifest.template,
  border: options.border,
  flip,
  leftOut: options.leaveOut,
  ...measured,
  mostAlike: mostAlike(options.top),
};
console.log(options.json ? JSON.stringify(report) : text());

/** The pairs of different labels with the largest cosines. */
function mostAlike(count: number): { cosine: number; first: string; second: string }[] {
  if (count < 1) return [];
  const { original: unit, length } = l2Normalise(templates);
  let best: { cosine: number; i: number; j: number }[] = [];
  let least = -Infinity;
  for (let i = 1; i < labels.length; i++) {
    for (let j = 0; j < i; j++) {
      if (labels[i] === labels[j]) continue;
      let cosine = 0;
      for (let d = 0; d < length; d++) cosine += unit[i * length + d]! * unit[j * length + d]!;
      if (cosine <= least) continue;
      best.push({ cosine, i, j });
      if (best.length <= count) continue;
      best = best.sort((a, b) => b.cosine - a.cosine).slice(0, count);
      least = best[count - 1]!.cosine;
    }
  }
  const name = (i: number) => relative(options.data, images[i]!.path);
  return best
    .sort((a, b) => b.cosine - a.cosine)
    .map(({ cosine, i, j }) => ({ cosine, first: name(i), second: name(j) }));
}

function text(): string {
  const range = (values: [number, number] | undefined, show: (value: number) => string) =>
    values ? ` [${values.map(show).join(', ')}]` : '';
  const cosine = (value: number) => value.toFixed(4);
  const percent = (value: number) => `${(100 * value).toPrecision(3)} %`;
  return [
    `${report.model}, flip ${flip}, on ${measured.images} faces of ${measured.people} people in ${options.data}`,
    `${measured.genuinePairs} genuine and ${measured.impostorPairs} impostor pairs; 95 % intervals over people (${replicates} draws, seed ${seed})`,
    ...measured.points.map(
      ({ fmr, threshold, fnmr, intervals }) =>
        `FMR ${fmr}${range(intervals?.fmr, percent)}: threshold ${cosine(threshold)}${range(intervals?.threshold, cosine)}, FNMR ${percent(fnmr)}${range(intervals?.fnmr, percent)}`,
    ),
    'most alike pairs of two labels:',
    ...report.mostAlike.map(({ cosine, first, second }) => `  ${cosine.toFixed(4)}  ${first}  ${second}`),
  ].join('\n');
}
