// hypersphere compare: every face of some photographs against every other, as a page to look at.

import { basename, join } from 'node:path';
import { Command } from 'commander';
import { UserError } from '../common/errors.js';
import { PRIVATE, writeWholeSync } from '../common/files.js';
import { requireWritable } from '../common/folders.js';
import { ignoredLine, listPhotographs } from '../data/index.js';
import {
  type AlikePair,
  alikePairs,
  type ComparedFace,
  type Decision,
  type FaceReader,
  type ReadPhotograph,
  samplePhotographs,
  similaritiesOf,
} from '../face/index.js';
import { type ComparedPhotograph, type CompareResults, comparePage } from '../report/compare-page.js';
import { comparedPhotograph } from '../report/compared.js';
import { DETECTORS } from './detector-flags.js';
import { FOREIGN_MODELS } from './embedder-flags.js';
import { duration, note, progress, result } from './output.js';
import {
  DECISIONS,
  type DecisionFlags,
  decisionOf,
  FITNESS,
  type FitnessFlags,
  limitsOf,
  type ReaderFlags,
  readerOf,
  withDecisionFlags,
  withFitnessFlags,
  withReaderFlags,
} from './reader-flags.js';

const HELP = `
Writes a page with the photographs and their faces, every face as the network sees it, and how alike every two are.
Without photographs it takes the samples that come with the npm package of the built-in networks.
${DECISIONS}

Two faces of one photograph are two people, and a face has at most one partner in another photograph, unless
--allow-repeats says that a person may be in one more than once (mirrors, collages). The page has a table of every two
of up to 60 faces, and beyond that the pairs that reach the threshold; it holds 300 photographs and 300 faces at most.
${FITNESS.trim()}
${DETECTORS}
${FOREIGN_MODELS}

Examples:
  hypersphere compare
  hypersphere compare holiday/*.jpg --out holiday-faces`;

interface Flags extends ReaderFlags, DecisionFlags, FitnessFlags {
  allowRepeats?: boolean;
  out: string;
  json?: boolean;
}

/** What a page can hold: more photographs are refused at once, and at so many faces the others are left out. */
const MOST_PHOTOGRAPHS = 300;
const MOST_FACES = 300;

export function compareCommand(): Command {
  const command = new Command('compare')
    .description('compare every face of some photographs with every other, on a page')
    .argument('[image...]', 'photographs, or folders of them (default: the samples)')
    .option('--out <dir>', 'folder of the page', 'hypersphere-compare');
  return withFitnessFlags(withDecisionFlags(withReaderFlags(command, 'all')))
    .option('--allow-repeats', 'a person may be in a photograph more than once (mirrors, collages)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(images: string[], flags: Flags): Promise<void> {
  requireWritable(flags.out);
  const started = performance.now();
  const { photographs: paths, ignored } =
    images.length > 0 ? await listPhotographs(images) : { photographs: samplePhotographs(), ignored: [] };
  if (paths.length > MOST_PHOTOGRAPHS)
    throw new UserError(
      `${paths.length} photographs are too many for a page, which holds ${MOST_PHOTOGRAPHS}; give fewer, or search among them: hypersphere identify`,
      { code: 'limit' },
    );
  const passed = ignoredLine(ignored);
  if (passed !== undefined) note(passed);
  const reader = await readerOf(flags);
  try {
    const decision = decisionIfKnown(reader, flags);
    const photographs: ComparedPhotograph[] = [];
    const faces: object[] = [];
    const compared: ComparedFace[] = [];
    const problems: string[] = [];
    let done = 0;
    const shown = progress(paths.length, 'photographs');
    try {
      for await (const photograph of reader.read(paths, { choice: flags.face })) {
        if ('problem' in photograph) {
          problems.push(photograph.problem);
          shown.note(photograph.problem);
        } else {
          if (photographs.length > 0 && faces.length + photograph.faces.length > MOST_FACES) break;
          const { path, turned } = photograph;
          for (const { detection, quality, embedding } of photograph.faces) {
            faces.push({ number: faces.length + 1, path, turned, ...detection, quality });
            compared.push({ photograph: photographs.length, detection, quality, embedding });
          }
          photographs.push(await shownPhotograph(reader, photograph, faces.length - photograph.faces.length));
        }
        done++;
        shown.update(done, `${faces.length} face${faces.length === 1 ? '' : 's'}`);
      }
    } finally {
      shown.stop();
    }
    if (photographs.length === 0)
      throw new UserError('none of the files is a photograph that can be read (see above)');
    const left = paths.slice(done);
    if (left.length > 0)
      note(
        `left out: ${left.length} of ${paths.length} photographs, from ${left[0]} on, as a page holds ${MOST_FACES} faces; give fewer, or --face largest`,
      );
    const similarities = similaritiesOf(compared);
    const pairs = decision
      ? alikePairs(compared, similarities, {
          threshold: decision.threshold,
          limits: limitsOf(reader, flags),
          allowRepeats: flags.allowRepeats,
        })
      : [];
    const seconds = (performance.now() - started) / 1000;
    const results = {
      photographs,
      problems,
      similarities,
      pairs,
      ...(decision && { decision }),
      settings: settings(reader, seconds),
    } satisfies CompareResults;
    const file = join(flags.out, 'index.html');
    writeWholeSync(file, comparePage(results), PRIVATE);
    result(
      {
        page: file,
        faces,
        similarities,
        ...decision,
        pairs: pairs.map(({ a, b, ...pair }) => ({ a: a + 1, b: b + 1, ...pair })),
        problems,
        ignored,
        left,
        seconds,
      },
      summary(photographs.length, similarities.length, decision, pairs, file, seconds),
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

async function shownPhotograph(
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
function listed(pairs: readonly AlikePair[]): string {
  const most = [...pairs].sort((x, y) => y.similarity - x.similarity).slice(0, 10);
  const more = pairs.length - most.length;
  const words = most.map(({ a, b, similarity }) => `${a + 1} and ${b + 1} (${similarity.toFixed(2)})`);
  return `${words.join(', ')}${more > 0 ? ` and ${more} more pairs` : ''}`;
}

function summary(
  photographs: number,
  faces: number,
  decision: Decision | undefined,
  pairs: readonly AlikePair[],
  file: string,
  seconds: number,
): string[] {
  const many = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;
  const of = (wanted: (pair: AlikePair) => boolean) => pairs.filter(wanted);
  const same = of((pair) => pair.decision === 'same');
  const lines = [
    `${many(faces, 'face')} in ${many(photographs, 'photograph')}, ${many((faces * (faces - 1)) / 2, 'pair')}`,
  ];
  if (decision && faces > 1) {
    lines.push(
      `taken for one person at ${decision.threshold.toFixed(3)}: ${same.length === 0 ? 'none' : listed(same)}`,
    );
    for (const message of new Set(pairs.flatMap(({ reasons }) => reasons.map((reason) => reason.message))))
      lines.push(
        `as alike, and not taken for one person: ${listed(of(({ reasons }) => reasons.some((reason) => reason.message === message)))}: ${message}`,
      );
  }
  lines.push(`look at ${file} (${duration(seconds)})`);
  return lines;
}
