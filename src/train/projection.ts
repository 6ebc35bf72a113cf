// A projection learned on frozen embeddings: one matrix T, trained by the same pieces as a network (the loss's
// graph, its gradient, the update rule, checkpoints), on P x K batches of stored embeddings. TPE starts T from
// the principal components of the embeddings (Sankaranarayanan et al. 2016).

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { locked, lockFolder } from '../common/lock.js';
import { peopleByImages, type Sampler } from '../data/index.js';
import { readEmbeddings, type StoredEmbeddings } from '../face/index.js';
import { nameOf } from '../graph/index.js';
import { openDevice, type Program } from '../runtime/index.js';
import { type Checkpoint, saveCheckpoint } from './checkpoint.js';
import { type ProjectionConfig, type ProjectionDraft, resolveProjection } from './projection-config.js';
import {
  dealPeople,
  identitiesOfPeople,
  type PeopleEmbeddings,
  type ProjectionData,
} from './projection-data.js';
import { exportProjection, PROJECTION, PROJECTION_FILES } from './projection-model.js';
import { EMBEDDING, type ProjectionStep, principalProjection, projectionStep } from './projection-step.js';
import {
  appendMetrics,
  checkRunFolder,
  emptyRunFolder,
  FILES,
  type StepRecord,
  truncateMetrics,
  versions,
  writeJson,
} from './run-folder.js';
import { milestoneSteps, rateAt } from './schedule.js';
import { checkpointOf, freshState } from './start.js';
import { NAMES } from './step.js';

/** Seconds between checkpoints. */
const CHECKPOINT_SECONDS = 30;

export interface ProjectionHooks {
  /** Continue the run in the folder. */
  resume?: boolean;
  /** Start over in a folder that is not empty. */
  force?: boolean;
  /** When it is aborted, the run saves a checkpoint and stops. */
  signal?: AbortSignal;
  onStart?: (config: ProjectionConfig, data: ProjectionData, step: number) => void;
  /** Hears of the last step of every call of the runtime. */
  onStep?: (record: StepRecord, state: { steps: number; secondsLeft: number }) => void;
  onNote?: (line: string) => void;
}

export interface ProjectionResult {
  config: ProjectionConfig;
  /** Whether all steps are done; false when it was stopped. */
  finished: boolean;
  step: number;
  seconds: number;
  last?: StepRecord;
}

/**
 * Learns a projection and leaves its folder: config.json, identities.json, metrics.jsonl, checkpoints and, when
 * finished, projection.safetensors and projection.onnx. Throws a `UserError` when folder, embeddings or settings
 * cannot be used, and when the loss or T is no longer finite.
 */
export async function trainProjection(
  draft: ProjectionDraft,
  hooks: ProjectionHooks = {},
): Promise<ProjectionResult> {
  checkRunFolder(draft.out, hooks);
  return locked(lockFolder(draft.out), () => trainHere(draft, hooks));
}

/** Learns a projection once its folder is that of this run alone. */
async function trainHere(draft: ProjectionDraft, hooks: ProjectionHooks): Promise<ProjectionResult> {
  const set = await readEmbeddings(draft.embeddings);
  const config = resolveProjection(draft, set);
  const data = dealPeople(set, config);
  const source = { ...data.trained, sampler: peopleByImages(data.trained.labels, config) };
  const step = projectionStep(config, data.trained);
  prepareFolder(config, set, data, hooks.resume === true);

  const start = startingPoint(config, step, data.trained, hooks);
  truncateMetrics(config.out, start.step);
  hooks.onStart?.(config, data, start.step);
  const device = await openDevice(config.device, { threads: config.threads || undefined });
  try {
    const program = await device.compile(step.graph, { stepsPerCall: config.stepsPerCall });
    program.setState(start.state);
    const { end, last } = await takeSteps(config, step, program, source, start, hooks);
    const finished = end.step >= config.steps;
    if (finished)
      exportProjection(config, set.length, end.state.get(PROJECTION)!, set.manifest?.name ?? 'not stated');
    return { config, finished, step: end.step, seconds: end.seconds, ...(last && { last }) };
  } finally {
    await device.close();
  }
}

/** Writes config.json and identities.json; a new run's folder is emptied first. */
function prepareFolder(
  config: ProjectionConfig,
  set: StoredEmbeddings,
  data: ProjectionData,
  resume: boolean,
): void {
  const { out } = config;
  if (!resume) {
    emptyRunFolder(out);
    for (const name of Object.values(PROJECTION_FILES)) rmSync(join(out, name), { force: true });
  }
  const about = {
    versions: versions(),
    embeddingsOf: set.manifest ?? 'not stated',
    dimensions: set.length,
    people: data.trained.people.length,
    images: data.trained.labels.length,
    peopleHeldOut: data.heldOut.people.length,
    peopleWithOneImage: data.tooFew.length,
  };
  writeJson(join(out, FILES.config), { ...config, about });
  writeJson(join(out, FILES.identities), identitiesOfPeople(data));
}

/** Where the run begins: its newest whole checkpoint, or the start of T and a velocity of zero. */
function startingPoint(
  config: ProjectionConfig,
  step: ProjectionStep,
  trained: PeopleEmbeddings,
  { resume, onNote = () => {} }: ProjectionHooks,
): Checkpoint {
  if (resume) {
    const checkpoint = checkpointOf(config.out, onNote);
    if (checkpoint) return checkpoint;
  }
  const state = freshState(step, config.seed);
  if (config.start === 'pca') {
    onNote(`principal components of ${trained.labels.length} embeddings of ${trained.length} numbers`);
    const { matrix } = principalProjection(trained, config.length);
    state.set(PROJECTION, Float32Array.from(matrix));
  }
  return { step: 0, seconds: 0, state };
}

/** Takes the steps from `start` to the end of the run, or to the signal. */
async function takeSteps(
  config: ProjectionConfig,
  step: ProjectionStep,
  program: Program,
  source: PeopleEmbeddings & { sampler: Sampler },
  start: Checkpoint,
  hooks: ProjectionHooks,
): Promise<{ end: Checkpoint; last?: StepRecord }> {
  const { out, steps, stepsPerCall, batch, lr } = config;
  const { sampler } = source;
  const milestones = milestoneSteps(config.milestones, steps);
  const shapes = new Map(step.graph.state.map(({ parameter }) => [nameOf(parameter), parameter.shape]));
  const begin = performance.now();
  const sitting = () => (performance.now() - begin) / 1000;
  let done = start.step;
  let saved = start;
  let savedAt = 0;
  let last: StepRecord | undefined;

  const save = async () => {
    const state = await program.getState();
    if (![...state.values()].every((values) => values.every(Number.isFinite)))
      throw diverged(config, done, 'the projection is no longer finite');
    saved = { step: done, seconds: start.seconds + sitting(), state };
    saveCheckpoint(join(out, FILES.checkpoints), saved, shapes);
    savedAt = sitting();
  };

  while (done < steps && !hooks.signal?.aborted) {
    const numbers = Array.from({ length: stepsPerCall }, (_, i) => done + 1 + i);
    const rates = Float32Array.from(numbers, (number) => rateAt(number, lr, milestones));
    const outputs = await program.run({
      ...stackBatches(
        source,
        numbers.map((number) => sampler.plan(number - 1).indices),
      ),
      [NAMES.rate]: rates,
    });
    const pace = ((done + stepsPerCall - start.step) * batch) / sitting();
    const records = numbers.map((number, i): StepRecord => {
      const measured = Object.entries(outputs).map(([name, { data }]) => [name, data[i]!]);
      return {
        step: number,
        epoch: Number(((number - 1) / sampler.batchesPerEpoch).toFixed(4)),
        ...(Object.fromEntries(measured) as { loss: number }),
        rate: rates[i]!,
        imagesPerSecond: Number(pace.toFixed(1)),
        seconds: Number((start.seconds + sitting()).toFixed(2)),
      };
    });
    const bad = records.findIndex(({ loss }) => !Number.isFinite(loss));
    appendMetrics(out, records.slice(0, bad < 0 ? stepsPerCall : bad));
    if (bad >= 0) throw diverged(config, numbers[bad]!, `the loss became ${records[bad]!.loss}`);
    done += stepsPerCall;
    last = records.at(-1)!;
    hooks.onStep?.(last, { steps, secondsLeft: ((steps - done) * batch) / pace });
    if (sitting() - savedAt >= CHECKPOINT_SECONDS) await save();
    // The runtime holds this thread while it computes: a signal is heard between calls only.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (saved.step !== done) await save();
  return { end: saved, ...(last && { last }) };
}

/** The rows and labels of several batches, one behind the other. */
function stackBatches({ original, labels, length }: PeopleEmbeddings, batches: Int32Array[]) {
  const rows = batches.flatMap((indices) => [...indices]);
  const embedding = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    embedding.set(original.subarray(row * length, (row + 1) * length), i * length);
  });
  return { [EMBEDDING]: embedding, [NAMES.labels]: Int32Array.from(rows, (row) => labels[row]!) };
}

function diverged({ lr }: ProjectionConfig, step: number, what: string): UserError {
  return new UserError(
    `step ${step}: ${what}; lower the rate (--lr ${Number((lr / 3).toPrecision(2))} instead of ${lr}) and train again with --force or another --out`,
    { code: 'diverged', data: { step, what } },
  );
}
