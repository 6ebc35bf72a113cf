// The training loop, top to bottom: open the run folder and the data, build the step graph, take steps,
// write metrics and checkpoints, export the embedder. Everything random is a function of (seed, step), so
// a run that was stopped or killed continues from its newest checkpoint as if nothing had happened.

import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { locked, lockFolder } from '../common/lock.js';
import { BatchSource, type TrainingSet } from '../data/index.js';
import { nameOf } from '../graph/index.js';
import { alone, type Communicator, firstUnlike, onPeerLost, threadsOfRank } from '../mpi/index.js';
import { type Device, openDevice } from '../runtime/index.js';
import { type Checkpoint, checkpointNames } from './checkpoint.js';
import { CollapseProbe } from './collapse.js';
import { type Config, type Draft, readSettings, requireSameConfig, resolveConfig } from './config.js';
import { exportModel } from './export.js';
import {
  appendMetrics,
  checkRunFolder,
  emptyRunFolder,
  FILES,
  identitiesOf,
  readMetrics,
  requireSameData,
  type StepRecord,
  truncateMetrics,
  writeConfig,
  writeIdentities,
} from './run-folder.js';
import { Checkpoints, newestOnAllRanks, openRunner, type Runner, stepOf } from './runner.js';
import { milestoneSteps, rateAt } from './schedule.js';
import { NAMES } from './step.js';
import { openTrainingData, reportUnreadable } from './training-data.js';
import { type Collapse, CollapseWatch } from './watch.js';
import { collapsed, collapseWarning, guessing } from './watch-messages.js';

/** How to start, and whom to tell. */
export interface TrainOptions {
  /** Continue the run in the folder. */
  resume?: boolean;
  /** Start over in a folder that is not empty. */
  force?: boolean;
  /**
   * When it is aborted, the run saves a checkpoint after the step at hand and stops; before the first step,
   * while images are read, `train` throws a `UserError` instead and has written nothing.
   */
  signal?: AbortSignal;
  /** The ranks of the run; default: this process alone. Every rank calls `train` with the same draft. */
  communicator?: Communicator;
  /** Hears of the images that are read before training, and of the folders or records that are listed before that. */
  onImage?: (done: number, total: number, of: 'images' | 'folders' | 'records') => void;
  /** Hears of the run's facts before the first step. */
  onStart?: (config: Config, data: TrainingSet, step: number) => void;
  /** Hears of every step. */
  onStep?: (record: StepRecord, state: { steps: number; secondsLeft: number }) => void;
  /** Hears, on one surviving rank, that another is gone, and how to go on; the process ends then. */
  onLost?: (line: string) => void;
  /** Hears of what a person should know: damaged checkpoints, skipped images. */
  onNote?: (line: string) => void;
}

/** How a run ended. */
export interface TrainResult {
  config: Config;
  /** Whether all steps are done; false when it was stopped. */
  finished: boolean;
  /** Steps done. */
  step: number;
  seconds: number;
  /** Share of this sitting's time, 0 to 1, that steps waited for their images. */
  waited: number;
  /** The last step's line of metrics.jsonl. */
  last?: StepRecord;
  /** Why the model is of no use, in one line: its embeddings collapsed, or it guesses. */
  warning?: string;
}

/**
 * Trains, and leaves a run folder (see `run-folder.ts`). Throws a `UserError` when the folder, the data or
 * the configuration cannot be used, when the loss stops being a finite number, and when the embeddings collapse
 * (unless `watch` is off); the folder then still holds its last good checkpoint.
 */
export async function train(draft: Draft, options: TrainOptions = {}): Promise<TrainResult> {
  const { communicator = alone } = options;
  if (communicator.rank > 0) return trainHere(draft, options);
  checkRunFolder(draft.out, options);
  return locked(lockFolder(draft.out), () => trainHere(draft, options));
}

/** Trains with one rank, once the run folder is that of this run alone. */
async function trainHere(draft: Draft, options: TrainOptions): Promise<TrainResult> {
  const device = await openDevice(draft.device, { threads: draft.threads || threadsOfRank() });
  try {
    const data = await openTrainingData(draft, options);
    try {
      return await trainOn(device, data, draft, options);
    } finally {
      await data.close();
    }
  } finally {
    await device.close();
  }
}

async function trainOn(
  device: Device,
  data: TrainingSet,
  draft: Draft,
  options: TrainOptions,
): Promise<TrainResult> {
  const { out, seed, batch, mirror } = draft;
  const { communicator = alone } = options;
  const first = communicator.rank === 0;
  const say = (first && options.onNote) || (() => {});
  const perPerson = draft.perPerson || undefined;
  const part = { rank: communicator.rank, of: communicator.size };
  const source = new BatchSource(data.pixels, { batch, seed, mirror, perPerson, part });
  const config = resolveConfig(draft, source.batchesPerEpoch);
  const identities = identitiesOf(data);
  const classes = data.people.length;
  // What cannot be built is refused before the folder of an earlier run is emptied.
  const step = stepOf(config, classes, communicator);
  await requireSameOnAllRanks(identities.trained, config.data, communicator);
  if (first) {
    if (options.resume) {
      requireSameConfig(readSettings(join(out, FILES.config)), config);
      requireSameData(config, identities);
    } else {
      emptyRunFolder(out);
    }
    writeIdentities(out, identities, data);
    writeConfig(config, data, device, communicator.size);
    for (const line of saidOfExcluded(config, data)) say(line);
    for (const { path, reason } of data.skipped.slice(0, 5)) say(`skipped ${path}: ${reason}`);
    if (data.skipped.length > 5) {
      say(`skipped ${data.skipped.length} images in all: see ${join(out, FILES.skipped)}`);
    }
    reportUnreadable(data, out, say);
  }

  const resumed = options.resume ? await newestOnAllRanks(out, communicator, say) : undefined;
  const start = { step: resumed?.step ?? 0, seconds: resumed?.seconds ?? 0 };
  if (first) truncateMetrics(out, start.step);
  const watch = new CollapseWatch(config.loss, classes, batch);
  if (first) for (const record of readMetrics(out)) watch.see(record);
  if (first) options.onStart?.(config, data, start.step);

  source.prepare(start.step, config.stepsPerCall);
  const runner = await openRunner(device, config, step, classes, communicator, resumed);
  const { collapseSteps } = config;
  const probe =
    collapseSteps > 0 && first
      ? await CollapseProbe.open(device, step, data.pixels, { batch, seed })
      : undefined;
  const end = await takeSteps(config, runner, source, start, options, { probe, watch });
  await probe?.dispose();
  const finished = end.step >= config.steps;
  if (finished && first) exportModel(config, end.state, identities, step);
  await runner.dispose();
  const waited = source.waited / Math.max(end.seconds - start.seconds, source.waited, Number.MIN_VALUE);
  const warning = finished ? (end.warning ?? guessing(watch)) : undefined;
  const last = readMetrics(out).at(-1);
  return {
    config,
    finished,
    step: end.step,
    seconds: end.seconds,
    waited,
    last,
    ...(warning && { warning }),
  };
}

/** Ranks that found other people or images would take unlike steps. */
async function requireSameOnAllRanks(
  what: unknown,
  folder: string,
  communicator: Communicator,
): Promise<void> {
  const other = await firstUnlike(communicator, what);
  if (other === undefined) return;
  throw new UserError(
    `${folder}: rank ${communicator.rank} and rank ${other} do not find the same people and images there: give all machines the same data`,
  );
}

/** How many people were left out by name, and who was to be and is not there. */
function saidOfExcluded({ data: folder, exclude = [] }: Config, { excluded }: TrainingSet): string[] {
  if (exclude.length === 0) return [];
  const there = new Set(excluded);
  const unknown = exclude.filter((name) => !there.has(name));
  const such = unknown.length > 5 ? ', ...' : '';
  return [
    `${excluded.length} of ${exclude.length} people to exclude are in ${folder} and were left out`,
    ...(unknown.length > 0
      ? [`not in ${folder}: ${unknown.length} people to exclude (${unknown.slice(0, 5).join(', ')}${such})`]
      : []),
  ];
}

/** Takes the steps from `start` to the end of the run, or to the signal; returns where it came to. */
async function takeSteps(
  config: Config,
  runner: Runner,
  source: BatchSource,
  start: { step: number; seconds: number },
  options: TrainOptions,
  { probe, watch }: { probe: CollapseProbe | undefined; watch: CollapseWatch },
): Promise<Checkpoint & { warning?: string }> {
  const { communicator = alone } = options;
  const { step } = runner;
  const first = communicator.rank === 0;
  const perCall = config.stepsPerCall;
  const milestones = milestoneSteps(config.milestones, config.steps);
  const checkpoints = new Checkpoints(join(config.out, FILES.checkpoints), step, communicator);
  const pace = new Pace();
  const begin = performance.now();
  const seconds = () => start.seconds + (performance.now() - begin) / 1000;
  let done = start.step;
  /** The step whose state the runner has: `done`, or the one behind it while that is measured and written. */
  let stateAt = done;
  let saved: Checkpoint | undefined;
  let savedAt = performance.now();
  let warning: string | undefined;

  const save = async () => {
    const state = await runner.getState();
    for (const [name, values] of [...state, ...(runner.classRows?.tensors ?? [])]) {
      if (!areFinite(values)) throw diverged(config, done, `'${name}' is no longer finite`);
    }
    saved = { step: done, seconds: seconds(), state };
    await checkpoints.save(saved, state, runner.classRows);
    savedAt = performance.now();
  };
  /** What this rank wants is done by all. */
  const agreed = async (wishes: boolean[]): Promise<boolean[]> => {
    const votes = Float32Array.from(wishes, Number);
    await communicator.allReduce(votes, 'max');
    return Array.from(votes, (vote) => vote > 0);
  };
  let lost = false;
  const endWatch = onPeerLost(async ({ reason, first: speaks }) => {
    lost = true;
    if (!speaks) return;
    // Between two steps all ranks have the same state, and a step in progress changes nothing until its end.
    const state = await runner.getState();
    const kept =
      stateAt === done &&
      done > (saved?.step ?? start.step) &&
      checkpoints.saveAlone({ step: done, seconds: seconds() }, state, runner.classRows);
    options.onLost?.(lostMessage(config, reason, kept ? done : undefined));
  });

  const [stopped] = await agreed([options.signal?.aborted ?? false]);
  let stop = stopped!;
  while (done < config.steps && !stop) {
    // The process ends in a moment, with what has been said to be saved.
    if (lost) await new Promise(() => {});
    const numbers = Array.from({ length: perCall }, (_, i) => done + 1 + i);
    const rates = numbers.map((number) => rateAt(number, config.lr, milestones, config.warmUp));
    const scheduled = step.schedule.map(({ input, at }) => [nameOf(input), numbers.map(at)] as const);
    const waitedBefore = source.waited;
    const { images, labels } = await source.stack(done, perCall);
    const waited = (source.waited - waitedBefore) / perCall;
    const feeds: Record<string, Float32Array | Int32Array> = {
      [NAMES.images]: images,
      [NAMES.labels]: labels,
    };
    for (const [name, values] of [[NAMES.rate, rates] as const, ...scheduled]) {
      feeds[name] = Float32Array.from(values);
    }
    const outputs = await runner.run(done, feeds, () => source.labelsOf(done));
    stateAt = done + perCall;
    const imagesPerSecond = pace.after(perCall * config.batch);

    const records = numbers.map((number, i): StepRecord => {
      const measured = Object.entries(outputs).map(([name, { data }]) => [name, data[i]!]);
      return {
        step: number,
        epoch: Number(((number - 1) / source.batchesPerEpoch).toFixed(4)),
        ...(Object.fromEntries(measured) as { loss: number }),
        rate: rates[i]!,
        ...Object.fromEntries(scheduled.map(([name, values]) => [name, values[i]!])),
        imagesPerSecond: Number(imagesPerSecond.toFixed(1)),
        waited: Number(waited.toFixed(4)),
        seconds: Number(seconds().toFixed(2)),
      };
    });
    const bad = records.findIndex((record) => !Number.isFinite(record.loss));
    if (probe && bad < 0 && passed(config.collapseSteps, done, done + perCall)) {
      await pace.without(async () => {
        const measures = await probe.measure(await runner.getState()).catch((error: unknown) => {
          // What cannot be measured now is no reason to end a run.
          if (!(error instanceof UserError)) throw error;
          options.onNote?.(`step ${done + perCall}: neural collapse is not measured: ${error.message}`);
          return {};
        });
        Object.assign(records.at(-1)!, measures);
      });
    }
    const good = records.slice(0, bad < 0 ? perCall : bad);
    const found = first ? watched(watch, good) : undefined;
    if (first) appendMetrics(config.out, good);
    if (bad >= 0) throw diverged(config, numbers[bad]!, `the loss became ${records[bad]!.loss}`);

    done += perCall;
    const left = ((config.steps - done) * config.batch) / imagesPerSecond;
    if (first) options.onStep?.(records.at(-1)!, { steps: config.steps, secondsLeft: left });
    const dueByStep = passed(config.checkpointSteps, done - perCall, done);
    const dueByTime = performance.now() - savedAt >= config.checkpointMinutes * 60_000;
    const [stopNow, saveNow, collapsedNow] = await agreed([
      options.signal?.aborted ?? false,
      dueByStep || dueByTime,
      found !== undefined,
    ]);
    stop = stopNow!;
    if (collapsedNow && config.watch) throw collapsed(config, found);
    if (found && warning === undefined) {
      warning = collapseWarning(config, found);
      options.onNote?.(warning);
    }
    if (saveNow) await save();
  }
  endWatch();
  // What a sitting without steps found is saved already.
  if (done === start.step) return { ...start, state: await runner.getState() };
  if (saved?.step !== done) await save();
  return { ...saved!, ...(warning !== undefined && { warning }) };
}

/** What the watch finds in steps, which it marks in the record of the step. */
function watched(watch: CollapseWatch, records: StepRecord[]): Collapse | undefined {
  let found: Collapse | undefined;
  for (const record of records) {
    const here = watch.see(record);
    if (here) record.collapsed = 1;
    found ??= here;
  }
  return found;
}

/** Whether all numbers are finite. Class vectors of a large run are a billion of them, and a call for each takes long. */
function areFinite(values: Float32Array): boolean {
  let sum = 0;
  // Whatever is not finite is not a number when it is multiplied by 0.
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
  return sum === 0;
}

/** What a survivor says: what happened, and how to go on. */
function lostMessage(config: Config, reason: string, savedStep: number | undefined): string {
  const [kept] = checkpointNames(join(config.out, FILES.checkpoints));
  const from =
    savedStep !== undefined
      ? `saved after step ${savedStep}`
      : kept
        ? `the last checkpoint is ${kept}`
        : 'no checkpoint was written yet';
  return `${reason}; ${from}; continue, with any number of ranks: hypersphere train --resume --out ${config.out}`;
}

/** Whether a multiple of `every` lies after step `before` and up to step `after`; never for 0. */
const passed = (every: number, before: number, after: number): boolean =>
  every > 0 && Math.floor(after / every) > Math.floor(before / every);

/** The error of a run whose numbers have left the real line: what happened, what is kept, what to lower. */
function diverged(config: Config, step: number, what: string): UserError {
  const [kept] = checkpointNames(join(config.out, FILES.checkpoints));
  const rescue = kept
    ? `the last good checkpoint is ${join(config.out, FILES.checkpoints, kept)}`
    : 'no checkpoint was written yet';
  const lower = `lower the rate (--lr ${Number((config.lr / 3).toPrecision(2))} instead of ${config.lr})`;
  const anneal = JSON.stringify(config.lossOptions).includes('"annealing"') ? ' or raise --lambda-min' : '';
  return new UserError(
    `step ${step}: ${what}; ${rescue}; ${lower}${anneal} and train again with --force or another --out`,
    { code: 'diverged', data: { step, what } },
  );
}

/** Images a second over the last calls, without the first two, which pay for memory. */
class Pace {
  private times: number[] = [performance.now()];
  private images: number[] = [0];

  after(images: number): number {
    this.times.push(performance.now());
    this.images.push(images);
    if (this.times.length === 4) this.forget(2);
    if (this.times.length > 21) this.forget(1);
    const total = this.images.slice(1).reduce((sum, n) => sum + n, 0);
    return (1000 * total) / (this.times.at(-1)! - this.times[0]!);
  }

  /** Does something whose time does not count. */
  async without(work: () => Promise<void>): Promise<void> {
    const begin = performance.now();
    await work();
    const spent = performance.now() - begin;
    this.times = this.times.map((time) => time + spent);
  }

  private forget(count: number): void {
    this.times.splice(0, count);
    this.images.splice(0, count);
  }
}
