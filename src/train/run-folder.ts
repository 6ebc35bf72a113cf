// The folder a run leaves behind: config.json (the resolved configuration and versions), identities.json
// (who was trained on and who was held out), metrics.jsonl (one line a step), skipped.jsonl (images that
// could not be read), checkpoints/, and at the end model.onnx with model.json, and head.safetensors.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { writeWholeSync } from '../common/files.js';
import { requireWritable } from '../common/folders.js';
import { LOCK_NAME } from '../common/lock.js';
import { systemError } from '../common/system-error.js';
import type { TrainingSet, UnreadableImage } from '../data/index.js';
import type { Config } from './config.js';

/** The files of a run folder. */
export const FILES = {
  config: 'config.json',
  identities: 'identities.json',
  metrics: 'metrics.jsonl',
  skipped: 'skipped.jsonl',
  checkpoints: 'checkpoints',
  model: 'model.onnx',
  manifest: 'model.json',
  head: 'head.safetensors',
  results: 'results.json',
  page: 'index.html',
} as const;

/** One line of metrics.jsonl; a loss adds metrics of its own. */
export interface StepRecord {
  /** Counted from 1. */
  step: number;
  /** Share of the data seen before this step, in epochs. */
  epoch: number;
  /** Of this step's batch, before the update. */
  loss: number;
  /** Share of this step's batch given to the right person; missing for losses without logits. */
  accuracy?: number;
  rate: number;
  /** The loss's scheduled scalars, such as lambda, and its own metrics. */
  [metric: string]: number | undefined;
  imagesPerSecond: number;
  /** Seconds that the step waited for its images; what did not wait was read while the step before was taken. */
  waited?: number;
  /** Seconds trained, over all sittings. */
  seconds: number;
}

/**
 * Who a run was trained on. Held-out images are named as their set does: by paths relative to the data folder, with
 * '/', or by the keys of their records.
 */
export interface Identities {
  trained: { person: string; images: number }[];
  heldOut: { person: string; images: string[] }[];
  /** People left out because they had too few usable images. */
  tooFew: string[];
  /** People of the data folder left out by name (`exclude`); absent: nobody. */
  excluded?: string[];
}

/** Writes JSON so that a reader sees the old file or the new one, never half of it. */
export function writeJson(file: string, value: unknown): void {
  writeWholeSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Checks that a run may go into `folder`, and changes nothing: a new run needs an empty or absent folder
 * unless `force`, one to resume needs its configuration, and both must be able to write there. Throws a
 * `UserError` otherwise.
 */
export function checkRunFolder(folder: string, how: { resume?: boolean; force?: boolean }): void {
  requireWritable(folder);
  if (how.resume) {
    if (existsSync(join(folder, FILES.config))) return;
    throw new UserError(`${folder}: no run to resume (no ${FILES.config}); leave out --resume to start one`, {
      code: 'not-found',
    });
  }
  const others = existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith(LOCK_NAME)) : [];
  if (others.length > 0 && !how.force) {
    throw new UserError(
      `${folder}: not empty; --resume continues its run, --force starts over, --out names another`,
    );
  }
}

/** Makes the folder of a new run, without the files that an earlier run left there. */
export function emptyRunFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of Object.values(FILES)) rmSync(join(folder, name), { recursive: true, force: true });
}

/** Versions and the machine, for config.json. */
export function versions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const version = (name: string) => (require(name) as { version: string }).version;
  return {
    hypersphere: version('../../package.json'),
    'onnxruntime-node': version('onnxruntime-node/package.json'),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    processor: `${cpus()[0]?.model ?? 'unknown'} (${cpus().length} threads)`,
  };
}

/** Writes the resolved configuration with what a reader of the run wants to know beside it. */
export function writeConfig(
  config: Config,
  data: TrainingSet,
  device: { name: string; threads: number },
  ranks = 1,
): void {
  const about = {
    versions: versions(),
    device: device.name,
    threads: device.threads,
    ...(ranks > 1 && { ranks }),
    people: data.people.length,
    images: data.pixels.labels.length,
    peopleHeldOut: data.heldOut.length,
    peopleExcluded: data.excluded.length,
    imagesSkipped: data.skipped.length,
    stepsPerEpoch: Math.floor(data.pixels.labels.length / config.batch),
  };
  writeJson(join(config.out, FILES.config), { ...config, about });
}

/** Who is trained on and who is held out. */
export function identitiesOf(data: TrainingSet): Identities {
  const images = new Array<number>(data.people.length).fill(0);
  for (const label of data.pixels.labels) images[label]!++;
  return {
    trained: data.people.map((person, i) => ({ person, images: images[i]! })),
    heldOut: data.heldOut,
    tooFew: data.tooFew,
    ...(data.excluded.length > 0 && { excluded: data.excluded }),
  };
}

/** Writes identities.json, and skipped.jsonl when images were skipped, now or in an earlier sitting of the run. */
export function writeIdentities(out: string, identities: Identities, data: TrainingSet): void {
  writeJson(join(out, FILES.identities), identities);
  const known = new Set(data.skipped.map(({ path }) => path));
  const all = [...data.skipped, ...readSkipped(out).filter(({ path }) => !known.has(path))];
  const lines = all.map((image) => `${JSON.stringify(image)}\n`);
  if (lines.length > 0) writeWholeSync(join(out, FILES.skipped), lines.join(''));
}

/** The unreadable images of a run so far, each once, whoever of its ranks met it. A line cut off by a kill is left out. */
export function readSkipped(out: string): UnreadableImage[] {
  const file = join(out, FILES.skipped);
  if (!existsSync(file)) return [];
  const found = new Map<string, UnreadableImage>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    try {
      const { path, reason } = JSON.parse(line) as UnreadableImage;
      if (typeof path === 'string' && typeof reason === 'string') found.set(path, { path, reason });
    } catch {}
  }
  return [...found.values()];
}

/** Checks that a resumed run meets the people and images it began with. */
export function requireSameData(config: Config, identities: Identities): void {
  const file = join(config.out, FILES.identities);
  if (!existsSync(file)) return;
  const before = JSON.parse(readFileSync(file, 'utf8')) as Identities;
  if (JSON.stringify(before.trained) === JSON.stringify(identities.trained)) return;
  throw new UserError(
    `${config.data}: not the people and images this run began with (see ${file}); restore them or start a new run`,
  );
}

/** Appends to metrics.jsonl. */
export function appendMetrics(out: string, records: readonly StepRecord[]): void {
  const file = join(out, FILES.metrics);
  try {
    appendFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  } catch (error) {
    throw systemError(file, error);
  }
}

/** The metrics of a run up to a step, in order; a last line cut off by a killed process is left out. */
export function readMetrics(out: string, upTo = Number.POSITIVE_INFINITY): StepRecord[] {
  const file = join(out, FILES.metrics);
  if (!existsSync(file)) return [];
  const records: StepRecord[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    try {
      const record = JSON.parse(line) as StepRecord;
      if (isRecord(record) && record.step <= upTo) records.push(record);
    } catch {
      // Half a line, or the empty text after the last one.
    }
  }
  return records;
}

/** A step and its metrics, as opposed to what a damaged line may be. */
const isRecord = (record: unknown): record is StepRecord =>
  typeof record === 'object' &&
  record !== null &&
  typeof (record as StepRecord).step === 'number' &&
  Object.values(record).every((value) => value === null || typeof value !== 'object');

/** Cuts metrics.jsonl back to the steps of the checkpoint a run continues from. */
export function truncateMetrics(out: string, step: number): void {
  const file = join(out, FILES.metrics);
  const kept = readMetrics(out, step).map((record) => `${JSON.stringify(record)}\n`);
  writeWholeSync(file, kept.join(''));
}
