// The training loop, top to bottom: open the run folder and the data, build the step graph, take steps,
// write metrics and checkpoints, export the embedder. Everything random is a function of (seed, step), so
// a run that was stopped or killed continues from its newest checkpoint as if nothing had happened.
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { BatchSource, type TrainingSet } from '../data/index.js';
import { nameOf } from '../graph/index.js';
import { type Device, openDevice, type Program } from '../runtime/index.js';
import { type Checkpoint, checkpointNames, saveCheckpoint } from './checkpoint.js';
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
import { milestoneSteps, rateAt } from './schedule.js';
import { checkpointOf, freshState } from './start.js';
import { NAMES, type TrainingStep, trainingStep } from './step.js';
import { openTrainingData, reportUnreadable } from './training-data.js';

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
  /** Hears of the images that are read before training, and of the folders or records that are listed before that. */
  onImage?: (done: number, total: number, of: 'images' | 'folders' | 'records') => void;
  /** Hears of the run's facts before the first step. */
  onStart?: (config: Config, data: TrainingSet, step: number) => void;
  /** Hears of every step. */
  onStep?: (record: StepRecord, state: { steps: number; secondsLeft: number }) => void;
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
}

/**
 * Trains, and leaves a run folder (see `run-folder.ts`). Throws a `UserError` when the folder, the data or
 * the configuration cannot be used, and when the loss stops being a finite number; the folder then still
 * holds its last good checkpoint.
 */
export async function train(draft: Draft, options: TrainOptions = {}): Promise<TrainResult> {
  checkRunFolder(draft.out, options);

  const device = await openDevice(draft.device, { threads: draft.threads || undefined });
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
  const say = options.onNote ?? (() => {});
  const perPerson = draft.perPerson || undefined;
  const source = new BatchSource(data.pixels, { batch, seed, mirror, perPerson });
  const config = resolveConfig(draft, source.batchesPerEpoch);
  const identities = identitiesOf(data);
  // What cannot be built is refused before the folder of an earlier run is emptied.
  const step = trainingStep({ ...config, classes: data.people.length });
  if (options.resume) {
    requireSameConfig(readSettings(join(out, FILES.config)), config);
    requireSameData(config, identities);
  } else {
    emptyRunFolder(out);
  }
  writeIdentities(out, identities, data);
  writeConfig(config, data, device);
  for (const line of saidOfExcluded(config, data)) say(line);
  for (const { path, reason } of data.skipped.slice(0, 5)) say(`skipped ${path}: ${reason}`);
  if (data.skipped.length > 5) {
    say(`skipped ${data.skipped.length} images in all: see ${join(out, FILES.skipped)}`);
  }

  reportUnreadable(data, out, say);

  const resumed = options.resume ? checkpointOf(out, say) : undefined;
  const start = resumed ?? { step: 0, seconds: 0, state: freshState(step, seed) };
  truncateMetrics(out, start.step);
  options.onStart?.(config, data, start.step);

  const { formulations, stepsPerCall } = config;
  source.prepare(start.step, stepsPerCall);
  const program = await device.compile(step.graph, { formulations, stepsPerCall });
  await program.setState(start.state);
  const { collapseSteps } = config;
  const probe =
    collapseSteps > 0 ? await CollapseProbe.open(device, step, data.pixels, { batch, seed }) : undefined;
  const end = await takeSteps(config, step, program, source, start, options, probe);
  await probe?.dispose();
  const finished = end.step >= config.steps;
  if (finished) exportModel(config, end.state, identities, step);
  const waited = source.waited / Math.max(end.seconds - start.seconds, source.waited, Number.MIN_VALUE);
  return { config, finished, step: end.step, seconds: end.seconds, waited, last: readMetrics(out).at(-1) };
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
  step: TrainingStep,
  program: Program,
  source: BatchSource,
  start: Checkpoint,
  options: TrainOptions,
  probe: CollapseProbe | undefined,
): Promise<Checkpoint> {
  const perCall = config.stepsPerCall;
  const milestones = milestoneSteps(config.milestones, config.steps);
  const checkpoints = join(config.out, FILES.checkpoints);
  const shapes = new Map(step.graph.state.map(({ parameter }) => [nameOf(parameter), parameter.shape]));
  const pace = new Pace();
  const begin = performance.now();
  const seconds = () => start.seconds + (performance.now() - begin) / 1000;
  let done = start.step;
  let saved: Checkpoint = start;
  let savedAt = performance.now();

  const save = async () => {
    const state = await program.getState();
    for (const [name, values] of state) {
      if (!values.every(Number.isFinite)) throw diverged(config, done, `'${name}' is no longer finite`);
    }
    saved = { step: done, seconds: seconds(), state };
    saveCheckpoint(checkpoints, saved, shapes);
    savedAt = performance.now();
  };

  while (done < config.steps && !options.signal?.aborted) {
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
    const outputs = await program.run(feeds);
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
        const measures = await probe.measure(await program.getState()).catch((error: unknown) => {
          // What cannot be measured now is no reason to end a run.
          if (!(error instanceof UserError)) throw error;
          options.onNote?.(`step ${done + perCall}: neural collapse is not measured: ${error.message}`);
          return {};
        });
        Object.assign(records.at(-1)!, measures);
      });
    }
    appendMetrics(config.out, records.slice(0, bad < 0 ? perCall : bad));
    if (bad >= 0) throw diverged(config, numbers[bad]!, `the loss became ${records[bad]!.loss}`);

    done += perCall;
    const left = ((config.steps - done) * config.batch) / imagesPerSecond;
    options.onStep?.(records.at(-1)!, { steps: config.steps, secondsLeft: left });
    const dueByStep = passed(config.checkpointSteps, done - perCall, done);
    if (dueByStep || performance.now() - savedAt >= config.checkpointMinutes * 60_000) await save();
  }
  if (saved.step !== done) await save();
  return saved;
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
