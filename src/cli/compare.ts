// hypersphere compare: every face of some photographs against every other, as a page to look at.

import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command } from 'commander';
import { UserError } from '../common/errors.js';
import { PRIVATE, writeWholeSync } from '../common/files.js';
import { requireWritable } from '../common/folders.js';
import { photographsAt } from '../data/index.js';
import { type Decision, type FaceReader, type ReadPhotograph, samplePhotographs } from '../face/index.js';
import { type ComparedPhotograph, type CompareResults, comparePage } from '../report/compare-page.js';
import { comparedPhotograph } from '../report/compared.js';
import { cosineAt } from '../theory/vectors.js';
import { DETECTORS } from './detector-flags.js';
import { FOREIGN_MODELS } from './embedder-flags.js';
import { duration, note, progress, result } from './output.js';
import {
  DECISIONS,
  type DecisionFlags,
  decisionOf,
  type ReaderFlags,
  readerOf,
  withDecisionFlags,
  withReaderFlags,
} from './reader-flags.js';

const HELP = `
Writes a page with the photographs and their faces, every face as the network sees it, and how alike every two are.
Without photographs it takes the samples that come with the npm package of the built-in networks.
${DECISIONS}
${DETECTORS}
${FOREIGN_MODELS}

Examples:
  hypersphere compare
  hypersphere compare holiday/*.jpg --out holiday-faces`;

interface Flags extends ReaderFlags, DecisionFlags {
  out: string;
  json?: boolean;
}

/** Faces beyond which every two of them are too many for a page. */
const MOST_FACES = 60;

export function compareCommand(): Command {
  const command = new Command('compare')
    .description('compare every face of some photographs with every other, on a page')
    .argument('[image...]', 'photographs, or folders of them (default: the samples)')
    .option('--out <dir>', 'folder of the page', 'hypersphere-compare');
  return withDecisionFlags(withReaderFlags(command, 'all'))
    .option('--json', 'print one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(images: string[], flags: Flags): Promise<void> {
  requireWritable(flags.out);
  const started = performance.now();
  const paths = images.length > 0 ? await photographsAt(images) : samplePhotographs();
  const reader = await readerOf(flags);
  try {
    const decision = decisionIfKnown(reader, flags);
    const photographs: ComparedPhotograph[] = [];
    const faces: object[] = [];
    const embeddings: Float32Array[] = [];
    const problems: string[] = [];
    const shown = progress(paths.length, 'photographs');
    try {
      for await (const photograph of reader.read(paths, { choice: flags.face })) {
        if ('problem' in photograph) {
          problems.push(photograph.problem);
          shown.note(photograph.problem);
        } else {
          photographs.push(await compared(reader, photograph, embeddings.length));
          const { path } = photograph;
          for (const { detection, quality } of photograph.faces)
            faces.push({ number: faces.length + 1, path, ...detection, quality });
          embeddings.push(...photograph.faces.map(({ embedding }) => embedding));
          if (embeddings.length > MOST_FACES)
            throw new UserError(
              `more than ${MOST_FACES} faces are too many to look at; give fewer photographs, or --face largest`,
            );
        }
        shown.update(
          photographs.length + problems.length,
          `${embeddings.length} face${embeddings.length === 1 ? '' : 's'}`,
        );
      }
    } finally {
      shown.stop();
    }
    if (photographs.length === 0)
      throw new UserError('none of the files is a photograph that can be read (see above)');
    const similarities = embeddings.map((a) => embeddings.map((b) => cosineAt(a, 0, b, 0, a.length)));
    const seconds = (performance.now() - started) / 1000;
    const results = {
      photographs,
      problems,
      similarities,
      ...(decision && { decision }),
      settings: settings(reader, seconds),
    } satisfies CompareResults;
    mkdirSync(flags.out, { recursive: true });
    const file = join(flags.out, 'index.html');
    writeWholeSync(file, comparePage(results), PRIVATE);
    result(
      { page: file, faces, similarities, ...decision, problems, seconds },
      summary(photographs.length, similarities, decision, file, seconds),
      flags.json,
    );
  } finally {
    await reader.close();
  }
}

/** The threshold, or nothing for a model that states none. */
function decisionIfKnown(reader: FaceReader, flags: Flags): Decision | undefined {
  try {
    return decisionOf(reader, flags);
  } catch (error) {
    if (!(error instanceof UserError) || flags.fmr !== undefined) throw error;
    note(error.message);
    return undefined;
  }
}

async function compared(
  reader: FaceReader,
  read: ReadPhotograph,
  before: number,
): Promise<ComparedPhotograph> {
  const { width, height } = reader.template;
  return comparedPhotograph(
    basename(read.path),
    read.photograph,
    read.faces.map(({ seen, aligned, quality }, i) => ({
      number: before + i + 1,
      detection: seen,
      aligned: { pixels: aligned, width, height },
      quality: quality.score,
      reasons: quality.reasons,
    })),
  );
}

function settings(reader: FaceReader, seconds: number): [string, string][] {
  const { detector, embedders, manifest, template } = reader;
  const { name, trainedOn, licence, flip } = manifest;
  return [
    ['Detector', `${detector.name}, score at least ${Number(detector.threshold.toFixed(3))}`],
    [
      'Alignment',
      `${template.name} (${template.width} x ${template.height}), similarity transform of five landmarks`,
    ],
    ['Model', `${name}; image and mirror: ${flip}`],
    ['Trained on', trainedOn],
    ['Licence', licence],
    ['Computed on', `${embedders[0]!.device.name}, ${duration(seconds)}`],
  ];
}

/** The pairs that are most alike; more than fit in a line or two are left to the page. */
function listed(pairs: { a: number; b: number; score: number }[]): string {
  const most = [...pairs].sort((x, y) => y.score - x.score).slice(0, 10);
  const more = pairs.length - most.length;
  const words = most.map(({ a, b, score }) => `${a + 1} and ${b + 1} (${score.toFixed(2)})`).join(', ');
  return more > 0 ? `${words} and ${more} more pairs` : words;
}

function summary(
  photographs: number,
  similarities: readonly number[][],
  decision: Decision | undefined,
  file: string,
  seconds: number,
): string {
  const scores = similarities.flatMap((row, a) =>
    row.slice(a + 1).map((score, i) => ({ a, b: a + 1 + i, score })),
  );
  const same = decision ? scores.filter(({ score }) => score >= decision.threshold) : [];
  const many = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;
  const lines = [
    `${many(similarities.length, 'face')} in ${many(photographs, 'photograph')}, ${many(scores.length, 'pair')}`,
  ];
  if (decision && scores.length > 0) {
    lines.push(
      `taken for one person at ${decision.threshold.toFixed(3)}: ${same.length === 0 ? 'none' : listed(same)}`,
    );
  }
  lines.push(`look at ${file} (${duration(seconds)})`);
  return lines.join('\n');
}
