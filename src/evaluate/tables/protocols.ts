// The passes over faces that give a table's figures: LFW's pairs, MegaFace's distractors (or a run of its kind on the
// LFW folder), and the faces that were trained on. A pass exists where its data is given; a column without one says
// which flags would give it.
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { UserError } from '../../common/errors.js';
import { findPairs, readPairs } from '../../data/index.js';
import { findVideos, readVideoPairs } from '../../data/ytf.js';
import { type FaceSource, sourceOfModel } from '../../face/index.js';
import type { DeviceName } from '../../runtime/index.js';
import { angularFisher } from '../../theory/index.js';
import { FILES } from '../../train/index.js';
import { lfw } from '../lfw.js';
import { megaface } from '../megaface.js';
import { megafaceLists } from '../megaface-lists.js';
import { measureRun } from '../run.js';
import { fuse } from '../templates.js';
import { videoTemplate, ytf } from '../ytf.js';
import type { Measurement } from './outcome.js';
import { COLUMNS, type ColumnId, type ProtocolId, type Scale } from './paper-table.js';

/** The test faces, as the command line names them. */
export interface TestData {
  lfw?: string;
  pairs?: string;
  ytf?: string;
  splits?: string;
  probes?: string;
  distractors?: string;
}

export interface MeasureHooks {
  device: DeviceName;
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Hears of images embedded. */
  onProgress?(done: number, total: number): void;
}

/** A pass over test faces with the model of a run folder. */
export interface Pass {
  key: string;
  measure(folder: string, hooks: MeasureHooks): Promise<Omit<Measurement, 'key'>>;
}

/** The passes that the given data allows, and of each other protocol the flags that are missing. */
export interface Passes {
  passes: Map<ProtocolId, Pass>;
  missing: Map<ProtocolId, string>;
}

/** Opens the passes that these columns need. Throws a UserError for lists that cannot be read. */
export async function openPasses(
  columns: readonly ColumnId[],
  test: TestData,
  scale: Scale,
): Promise<Passes> {
  const passes: Passes['passes'] = new Map();
  const missing: Passes['missing'] = new Map();
  for (const id of new Set(columns.map((column) => COLUMNS[column].protocol))) {
    const found = await openers[id](test, scale);
    if (typeof found === 'string') missing.set(id, found);
    else passes.set(id, found);
  }
  return { passes, missing };
}

const openers: Record<ProtocolId, (test: TestData, scale: Scale) => Promise<Pass | string>> = {
  training: async () => trainingPass,
  lfw: openLfw,
  megaface: openMegaface,
  ytf: openYtf,
};

/** The angular Fisher score over a sample of the faces that were trained on; results.json of the run has it too. */
const trainingPass: Pass = {
  key: 'training faces',
  async measure(folder, { device, threads }) {
    const { trained } = await measureRun(folder, { device, ...(threads && { threads }) });
    return {
      figures: { 'fisher-training': trained.angularFisher },
      about: {
        'fisher-training': `${trained.images} images of ${trained.people} people that were trained on, drawn by the seed`,
      },
    };
  },
};

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** A model on a folder, closed afterwards; stops between batches when the signal is aborted. */
async function withModel<T>(
  run: string,
  folder: string,
  { device, threads }: MeasureHooks,
  work: (source: FaceSource) => Promise<T>,
  { nested = false } = {},
): Promise<T> {
  const source = await sourceOfModel(join(run, FILES.model), folder, {
    device,
    nested,
    ...(threads && { threads }),
  });
  return work(source).finally(() => source.close());
}

const count = (n: number): string => n.toLocaleString('en');

const following = ({ signal, onProgress }: Pick<MeasureHooks, 'signal' | 'onProgress'>) => ({
  onProgress(done: number, total: number) {
    signal?.throwIfAborted();
    onProgress?.(done, total);
  },
});

const alignmentOf = ({ facts }: FaceSource): { alignment?: string } => {
  const found = facts.find(([name]) => name === 'Alignment');
  return found ? { alignment: found[1] } : {};
};

async function openLfw({ lfw: folder, pairs: file }: TestData): Promise<Pass | string> {
  if (folder === undefined || file === undefined) return '--lfw DIR --pairs FILE';
  const list = await readPairs(file);
  if (list.folds < 2)
    throw new UserError(`${file}: one fold; two are needed, as a fold's threshold comes from the others`);
  return {
    key: digest(`${resolve(folder)} ${JSON.stringify(list.pairs)}`),
    measure: (run, hooks) =>
      withModel(run, folder, hooks, async (source) => {
        const paths = source.images.map(({ path }) => path);
        const { rows, people, pairs } = findPairs(list, paths, folder);
        const features = await source.features(rows, following(hooks));
        const files = rows.map((row) => paths[row]!);
        const { accuracy, standardError } = lfw({
          features,
          pairs,
          mode: 'sphereface',
          people,
          files,
          replicates: 0,
        });
        const fisher = fisherOf(features, people);
        return {
          figures: { lfw: 100 * accuracy, 'fisher-lfw': fisher.score },
          ...(fisher.score === null && {
            reasons: { 'fisher-lfw': 'nobody has two photographs among the pairs' },
          }),
          errors: { lfw: 100 * standardError },
          about: {
            lfw: `${count(pairs.length)} pairs of ${list.folds} folds, mode sphereface`,
            'fisher-lfw': fisher.about,
          },
          ...alignmentOf(source),
        };
      }),
  };
}

/** Over the people with two photographs and more; the features of the image alone, as for the training faces. */
function fisherOf(features: { length: number; original: Float32Array }, people: readonly string[]) {
  const counts = new Map<string, number>();
  for (const person of people) counts.set(person, (counts.get(person) ?? 0) + 1);
  const numbers = new Map([...counts].filter(([, count]) => count > 1).map(([name], i) => [name, i]));
  const kept = people.flatMap((person, row) => (numbers.has(person) ? [row] : []));
  const { length, original } = features;
  const some = new Float32Array(kept.length * length);
  kept.forEach((row, i) => {
    some.set(original.subarray(row * length, (row + 1) * length), i * length);
  });
  const about = `over ${count(kept.length)} photographs of the ${count(numbers.size)} people who have two and more among the pairs`;
  if (numbers.size < 2) return { score: null, about };
  const labels = kept.map((row) => numbers.get(people[row]!)!);
  return { score: angularFisher({ length, original: some }, labels).score, about };
}

/** How the frames of a video become one score; the paper does not say how its own did. */
const AGGREGATION = 'mean-feature';

async function openYtf({ ytf: folder, splits: file }: TestData): Promise<Pass | string> {
  if (folder === undefined || file === undefined) return '--ytf DIR --splits FILE';
  const list = await readVideoPairs(file);
  if (list.folds.length < 2)
    throw new UserError(`${file}: one split; two are needed, as a fold's threshold comes from the others`);
  return {
    key: digest(`${resolve(folder)} ${JSON.stringify(list.pairs)}`),
    measure: (run, hooks) =>
      withModel(
        run,
        folder,
        hooks,
        async (source) => {
          const paths = source.images.map(({ path }) => path);
          const { videos, pairs } = findVideos(list, paths, folder);
          const frames = videos.reduce((sum, { rows }) => sum + rows.length, 0);
          const templates = [];
          let done = 0;
          for (const { name, rows } of videos) {
            const features = await source.features(rows, following({ signal: hooks.signal }));
            templates.push(videoTemplate(fuse(features, 'concatenate'), AGGREGATION, name));
            done += rows.length;
            hooks.onProgress?.(done, frames);
          }
          const people = videos.map(({ person }) => person);
          const { accuracy, standardError } = ytf({
            ...{ videos: templates, pairs, aggregation: AGGREGATION, people, replicates: 0 },
          });
          return {
            figures: { ytf: 100 * accuracy },
            errors: { ytf: 100 * standardError },
            about: {
              ytf: `${count(pairs.length)} pairs of ${count(videos.length)} videos, ${count(frames)} frames, aggregation ${AGGREGATION}`,
            },
            ...alignmentOf(source),
          };
        },
        { nested: true },
      ),
  };
}

/** The lowest FAR of the protocol. */
const FAR = 1e-6;

async function openMegaface(
  { lfw: folder, probes, distractors }: TestData,
  scale: Scale,
): Promise<Pass | string> {
  if (probes !== undefined && distractors !== undefined) return megafacePass(probes, distractors);
  // LFW alone can stand in for both, as long as nobody takes it for MegaFace.
  if (scale === 'small' && folder !== undefined && probes === undefined && distractors === undefined)
    return megafacePass(folder, undefined);
  const flags = '--probes DIR --distractors DIR';
  return scale === 'small' ? `${flags} (or --lfw DIR, for a run of MegaFace's kind on LFW)` : flags;
}

/** Nobody may take the run on LFW for MegaFace. */
const ON_LFW =
  "MegaFace's protocol on LFW, not MegaFace: people with several photographs search among those with one; ";

function megafacePass(probes: string, distractors: string | undefined): Pass {
  const measured = async (source: FaceSource, other: FaceSource | undefined, hooks: MeasureHooks) => {
    const names = (from: FaceSource) => from.images.map(({ person }) => person);
    const lists = megafaceLists(names(source), other && names(other));
    const searching = lists.probes.length;
    const rows = [...lists.probes, ...lists.distractors];
    const all = [...source.images, ...(other?.images ?? [])];
    const { templates, unreadable } = await templatesOf(
      [source, ...(other ? [other] : [])],
      rows,
      searching,
      hooks,
    );
    const there = lists.distractors.map((_, i) => searching + i).filter((row) => !unreadable.has(row));
    const { trials, probePeople, identification, verification } = await megaface(
      {
        templates,
        people: rows.map((row) => all[row]!.person),
        files: rows.map((row) => all[row]!.path),
        probes: lists.probes.map((_, i) => i),
        distractors: there,
        sizes: [there.length],
        fars: [FAR],
        replicates: 0,
      },
      { threads: hooks.threads, signal: hooks.signal },
    );
    const [tar] = verification.tarAtFar;
    const skipped = unreadable.size > 0 ? `; ${count(unreadable.size)} that cannot be read left out` : '';
    const lead = `${other ? '' : ON_LFW}${count(searching)} photographs of ${count(probePeople)} people, ${count(there.length)} distractors${skipped}`;
    return {
      figures: {
        'rank-1': 100 * identification.at(-1)!.rates[0]!,
        tar: tar!.tar === null ? null : 100 * tar!.tar,
      },
      ...(tar!.reason !== undefined && { reasons: { tar: tar!.reason } }),
      about: {
        'rank-1': `${lead}, ${count(trials)} searches`,
        tar: `${lead}, ${count(verification.differentPairs)} impostor scores`,
      },
      ...alignmentOf(source),
    };
  };
  return {
    key: digest([probes, distractors ?? ''].map((folder) => resolve(folder)).join(' ')),
    measure: (run, hooks) =>
      withModel(run, probes, hooks, (source) =>
        distractors === undefined
          ? measured(source, undefined, hooks)
          : withModel(run, distractors, hooks, (other) => measured(source, other, hooks), { nested: true }),
      ),
  };
}

/** Images whose features are held at once beside the templates. */
const GROUP = 4096;

/**
 * Templates, image and mirror concatenated, of rows that count through the sources one after the other, and the places
 * of those that cannot be read: the first `probes` must be.
 */
async function templatesOf(
  sources: readonly FaceSource[],
  rows: readonly number[],
  probes: number,
  hooks: MeasureHooks,
) {
  const firsts = sources.map((_, s) => sources.slice(0, s).reduce((sum, one) => sum + one.images.length, 0));
  const ofRow = (row: number) => firsts.findLastIndex((start) => row >= start);
  const unreadable = new Set<number>();
  let templates: { length: number; original: Float32Array } | undefined;
  for (let first = 0; first < rows.length; ) {
    const begun = first;
    const at = ofRow(rows[first]!);
    let end = first + 1;
    while (end < rows.length && end - first < GROUP && ofRow(rows[end]!) === at) end++;
    const features = await sources[at]!.features(
      rows.slice(first, end).map((row) => row - firsts[at]!),
      {
        ...following({
          signal: hooks.signal,
          onProgress: (done) => hooks.onProgress?.(begun + done, rows.length),
        }),
        onUnreadable(i, reason) {
          if (begun + i < probes) throw new UserError(reason);
          unreadable.add(begun + i);
        },
      },
    );
    const fused = fuse(features, 'concatenate');
    templates ??= { length: fused.length, original: new Float32Array(rows.length * fused.length) };
    templates.original.set(fused.original, first * fused.length);
    first = end;
  }
  return { templates: templates!, unreadable };
}
