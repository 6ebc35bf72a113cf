// Every detector on photographs with given landmarks, against these and against each other; and what its alignment
// makes of LFW's first fold. See bench/README.md.
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { locatePairs, readPairs, readPhotograph } from '../../src/data/index.js';
import { exactRule } from '../../src/evaluate/thresholds.js';
import {
  alignFace,
  builtInModels,
  chooseFaces,
  type Detection,
  type Detector,
  type Embedder,
  embedRealigned,
  findFaces,
  inputTemplate,
  type Landmarks,
  needsCarrying,
  openDetector,
  openEmbedder,
  readLandmarkFile,
  templateNamed,
} from '../../src/face/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { cosineAt } from '../../src/theory/vectors.js';
import { whole } from '../options.js';
import { figuresOf, type LandmarkFigures, labelledFace, landmarkError } from './landmarks.js';

interface Options {
  photos: string;
  lfw: string;
  detectors: string[];
  model?: string;
  threads: number;
  json: boolean;
}

const options = new Command('detectors')
  .description('compares detectors on labelled photographs, and their alignments on fold 1 of LFW')
  .requiredOption('--photos <dir>', 'photographs with faces.tsv')
  .requiredOption(
    '--lfw <dir>',
    'folder with aligned-112, original-250-fold1, pairs.txt, landmarks-deepfunneled.tsv',
  )
  .requiredOption('--detectors <list>', 'names, files or folders, separated by commas', (text) =>
    text.split(','),
  )
  .option(
    '--model <file>',
    'for fold 1: a built-in model, or an embedder of arcface-112 faces in RGB, (x - 127.5) / 128',
  )
  .option('--threads <n>', 'threads', whole, 2)
  .option('--json', 'print one JSON object', false)
  .parse()
  .opts<Options>();

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

interface Labelled {
  path: string;
  given: Landmarks;
}

/** One detector's faces in every photograph of a set, and its time without decoding. */
interface Looked {
  name: string;
  faces: Map<string, readonly Detection[]>;
  milliseconds: number;
}

async function labelled(folder: string, table: string): Promise<Labelled[]> {
  const landmarks = await readLandmarkFile(table);
  return [...landmarks].flatMap(([path, faces]) =>
    existsSync(join(folder, path)) ? [{ path: join(folder, path), given: faces[0]!.landmarks }] : [],
  );
}

async function look(detector: Detector, set: readonly Labelled[]): Promise<Looked> {
  const faces = new Map<string, readonly Detection[]>();
  let milliseconds = 0;
  const timed: Detector = {
    ...detector,
    name: detector.name,
    threshold: detector.threshold,
    close: () => detector.close(),
    detect: async (photographs) => {
      const started = performance.now();
      const found = await detector.detect(photographs);
      milliseconds += performance.now() - started;
      return found;
    },
  };
  for await (const looked of findFaces(
    timed,
    set.map(({ path }) => path),
  )) {
    if ('problem' in looked) throw new Error(looked.problem);
    faces.set(looked.path, looked.found);
  }
  return { name: detector.name, faces, milliseconds: milliseconds / set.length };
}

interface Row extends LandmarkFigures {
  detector: string;
  milliseconds: number;
}

function rows(set: readonly Labelled[], all: readonly Looked[]): Row[] {
  return all.map(({ name, faces, milliseconds }) => ({
    detector: name,
    ...figuresOf(set.map(({ path, given }) => ({ given, found: faces.get(path)! }))),
    milliseconds,
  }));
}

/** Mean landmark difference of every two detectors on the labelled faces that both found. */
function agreement(set: readonly Labelled[], all: readonly Looked[]): number[][] {
  return all.map((a) =>
    all.map((b) => {
      const errors = set.flatMap(({ path, given }) => {
        const [one, other] = [a, b].map(({ faces }) => labelledFace(faces.get(path)!, given));
        return one && other ? [landmarkError(one.landmarks, other.landmarks)] : [];
      });
      return errors.reduce((sum, error) => sum + error, 0) / errors.length;
    }),
  );
}

/** Cosines of the pairs, from embeddings by path. */
function scores(
  pairs: readonly { first: number; second: number }[],
  paths: readonly string[],
  embeddings: ReadonlyMap<string, Float32Array>,
): (number | undefined)[] {
  return pairs.map(({ first, second }) => {
    const [a, b] = [embeddings.get(paths[first]!), embeddings.get(paths[second]!)];
    return a && b && cosineAt(a, 0, b, 0, a.length);
  });
}

/** Rows of embeddings by the names of their faces. */
function byName(embedder: Embedder, names: readonly string[], all: Float32Array): Map<string, Float32Array> {
  const { length } = embedder;
  return new Map(names.map((name, i) => [name, all.subarray(i * length, (i + 1) * length)]));
}

/**
 * Accuracy on fold 1: the threshold comes from folds 2 to 10 of the given aligned faces, for every alignment the same.
 * A pair with a face that was not found counts as wrong.
 */
async function foldOne(device: Device, set: readonly Labelled[], detectors: readonly Looked[]) {
  const { lfw, model } = options;
  const foreign = {
    template: 'arcface-112@0',
    flip: 'concatenate',
    input: { order: 'rgb', mean: 127.5, scale: 1 / 128, width: 112, height: 112 },
  } as const;
  const embedder = await openEmbedder(model!, {
    device,
    ...(!Object.hasOwn(builtInModels, model!) && { manifest: foreign }),
  });
  const list = await readPairs(join(lfw, 'pairs.txt'));
  const aligned = join(lfw, 'aligned-112');
  const { paths, pairs } = await locatePairs(list, aligned);
  const names = paths.map((path) => relative(aligned, path));
  const onArcface = templateNamed('arcface-112');
  const given = byName(
    embedder,
    names,
    needsCarrying(embedder.manifest, onArcface)
      ? await embedRealigned(embedder, paths, onArcface)
      : await embedder.embed(paths),
  );
  const others = pairs.filter(({ fold }) => fold > 0);
  const otherScores = scores(others, names, given) as number[];
  const side = (same: boolean) =>
    Float64Array.from(otherScores.filter((_, i) => others[i]!.same === same)).sort();
  const { threshold } = exactRule.choose(side(true), side(false));
  const first = pairs.filter(({ fold }) => fold === 0);
  const original = join(lfw, 'original-250-fold1');
  const template = inputTemplate(embedder.manifest);
  const outcome = (alignment: string, embeddings: ReadonlyMap<string, Float32Array>) => {
    const found = scores(first, names, embeddings);
    const right = found.filter(
      (score, i) => score !== undefined && exactRule.correct(score, threshold, first[i]!.same),
    ).length;
    const mean = (same: boolean) => {
      const some = found.filter(
        (score, i): score is number => score !== undefined && first[i]!.same === same,
      );
      return some.reduce((sum, score) => sum + score, 0) / some.length;
    };
    return {
      alignment,
      accuracy: right / first.length,
      missing: found.filter((score) => score === undefined).length,
      meanSame: mean(true),
      meanDifferent: mean(false),
    };
  };
  const outcomes = [outcome('given aligned faces', given)];
  const alternatives: {
    name: string;
    landmarks(path: string, photograph: { width: number; height: number }): Landmarks | undefined;
  }[] = [
    { name: 'given landmarks', landmarks: (path) => set.find((each) => each.path === path)?.given },
    ...detectors.map(({ name, faces }) => ({
      name,
      // The paper's choice: the face nearest to the centre.
      landmarks: (path: string, size: { width: number; height: number }) =>
        chooseFaces(faces.get(path) ?? [], size, 'central')[0]?.landmarks,
    })),
  ];
  for (const { name, landmarks } of alternatives) {
    const faces: [string, Uint8Array][] = [];
    for (const { path } of set) {
      const photograph = await readPhotograph(path);
      const points = landmarks(path, photograph);
      if (points) faces.push([relative(original, path), alignFace(photograph, points, template)]);
    }
    const embeddings = byName(
      embedder,
      faces.map(([file]) => file),
      await embedder.embed(faces.map(([, pixels]) => pixels)),
    );
    outcomes.push(outcome(name, embeddings));
    say(`fold 1 by ${name}: ${(outcomes.at(-1)!.accuracy * 100).toFixed(2)} %`);
  }
  await embedder.close();
  return { threshold, outcomes };
}

const device = await openDevice('cpu', { threads: options.threads });
const sets = {
  photos: await labelled(options.photos, join(options.photos, 'faces.tsv')),
  'LFW fold 1': await labelled(
    join(options.lfw, 'original-250-fold1'),
    join(options.lfw, 'landmarks-deepfunneled.tsv'),
  ),
};
const results: Record<string, { rows: Row[]; agreement: number[][] }> = {};
let onLfw: Looked[] = [];
for (const [name, set] of Object.entries(sets)) {
  const all: Looked[] = [];
  for (const wanted of options.detectors) {
    const detector = await openDetector(wanted, { device, upright: true });
    await look(detector, set.slice(0, 4));
    all.push(await look(detector, set));
    await detector.close();
    say(`${name}: ${wanted} done`);
  }
  results[name] = { rows: rows(set, all), agreement: agreement(set, all) };
  onLfw = all;
}
const fold = options.model === undefined ? undefined : await foldOne(device, sets['LFW fold 1'], onLfw);
await device.close();

if (options.json) process.stdout.write(`${JSON.stringify({ results, fold })}\n`);
else {
  for (const [name, { rows, agreement }] of Object.entries(results)) {
    process.stdout.write(`\n${name}: ${rows[0]!.labelled} labelled faces\n`);
    process.stdout.write(
      '| detector | found | recall | landmark error: mean | median | 90 % below | faces a photograph | ms |\n|---|---|---|---|---|---|---|---|\n',
    );
    for (const row of rows)
      process.stdout.write(
        `| ${row.detector} | ${row.found} | ${(row.recall * 100).toFixed(1)} % | ${row.mean.toFixed(4)} | ${row.median.toFixed(4)} | ${row.p90.toFixed(4)} | ${row.detections.toFixed(2)} | ${row.milliseconds.toFixed(1)} |\n`,
      );
    process.stdout.write(
      `\nmean difference of landmarks between detectors\n| | ${rows.map(({ detector }) => detector).join(' | ')} |\n|---|${rows.map(() => '---|').join('')}\n`,
    );
    rows.forEach(({ detector }, a) => {
      process.stdout.write(
        `| ${detector} | ${agreement[a]!.map((value) => value.toFixed(4)).join(' | ')} |\n`,
      );
    });
  }
  if (fold) {
    process.stdout.write(
      `\nLFW fold 1, threshold ${fold.threshold.toFixed(4)} from folds 2 to 10 of the given faces\n| alignment | accuracy | pairs without a face | mean of same | mean of different |\n|---|---|---|---|---|\n`,
    );
    for (const { alignment, accuracy, missing, meanSame, meanDifferent } of fold.outcomes)
      process.stdout.write(
        `| ${alignment} | ${(accuracy * 100).toFixed(2)} % | ${missing} | ${meanSame.toFixed(4)} | ${meanDifferent.toFixed(4)} |\n`,
      );
  }
}
