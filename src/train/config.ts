// The configuration of a training run: the settings a person gives (flags and a JSON file, all optional),
// and the resolved configuration with nothing left open, which the run folder keeps as config.json. A
// resolved configuration is itself valid settings, so `--config runs/NAME/config.json` repeats a run.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { UserError } from '../common/errors.js';
import { readTextSync } from '../common/files.js';
import { compareNames } from '../data/index.js';
import { type Annealing, type LossOptions, lossNamed, lossToTrain } from '../losses/index.js';
import { networkNamed } from '../nn/index.js';
import { deviceNames } from '../runtime/index.js';
import { DEFAULT_EPOCHS, defaultGamma, defaultMilestones, defaultRate, PAPER } from './schedule.js';

/** Networks that `train` accepts. */
export const NETWORKS = [
  'sphereface-4',
  'sphereface-10',
  'sphereface-20',
  'sphereface-36',
  'sphereface-64',
  'mobilefacenet',
] as const;

const count = z.number().int().positive();
const annealing = z
  .strictObject({
    base: z.number(),
    gamma: z.number(),
    power: z.number(),
    minimum: z.number(),
    wait: z.boolean(),
  })
  .partial();

/** What each setting may be. Sizes are [height, width] in pixels, rates are per step. */
export const settingsSchema = z.strictObject({
  /** Folder with one folder of images a person, or a record set: train.rec or its folder. */
  data: z.string(),
  net: z.enum(NETWORKS),
  /** Name of a loss of `src/losses`, or several with '+' between them. */
  loss: z.string(),
  /**
   * The loss's options, such as `margin`, `gradient` and `annealing` of `a-softmax`; of a joint loss, those of
   * each part under its name, and `weights`.
   */
  lossOptions: z.looseObject({ annealing: annealing.optional() }),
  size: z.tuple([count, count]),
  /** Length of the embedding. */
  embedding: count,
  /** The ablation of the paper's first line: a ReLU after FC1. */
  reluAfterFc1: z.boolean(),
  /** Channel order of the network's input. */
  order: z.enum(['bgr', 'rgb']),
  /** Flip half of the images, by chance. */
  mirror: z.boolean(),
  batch: count,
  /** Images of each person in a batch (P x K sampling); 0 shuffles all images. */
  perPerson: z.number().int().nonnegative(),
  steps: count,
  epochs: z.number().positive(),
  lr: z.number().positive(),
  /** Steps, or fractions of the run when at most 1, after which the rate is divided by ten. */
  milestones: z.array(z.number().positive()),
  /** Steps over which the rate rises to its value. */
  warmUp: z.number().int().nonnegative(),
  momentum: z.number().min(0).lt(1),
  weightDecay: z.number().min(0),
  seed: z.number().int(),
  /** How many people (or which) are kept out of training to measure on. */
  holdout: z.union([z.number().int().nonnegative(), z.array(z.string())]),
  /** People who are left out altogether, by the names of their folders; absent: nobody. */
  exclude: z.array(z.string()),
  /** People with fewer images are left out. */
  minImages: count,
  /** Bytes of decoded images kept in memory; a larger data set is streamed. */
  memoryBudget: count,
  device: z.enum(deviceNames),
  /** Threads of the device; 0 lets the runtime choose. */
  threads: z.number().int().nonnegative(),
  formulations: z.enum(['fast', 'plain']),
  /** Training steps in one call of the runtime (ONNX Loop). */
  stepsPerCall: count,
  /** Class vectors are shared out between the ranks of a run under mpirun; absent: every rank has all. */
  shardClasses: z.boolean(),
  /** Under mpirun batch normalisation goes by the whole batch; absent: by each rank's own rows. */
  syncBatchNorm: z.boolean(),
  /** Share of the classes that takes part in a step (Partial FC), in (0, 1]; absent: all. */
  sampleClasses: z.number().positive().max(1),
  /** Steps between checkpoints; 0 means by time alone. */
  checkpointSteps: z.number().int().nonnegative(),
  /** Minutes between checkpoints. */
  checkpointMinutes: z.number().positive(),
  /** Steps between measurements of neural collapse; 0: none. */
  collapseSteps: z.number().int().nonnegative(),
  /** Whether a run whose embeddings collapse is stopped, or only warned of. */
  watch: z.boolean(),
  /** The run folder. */
  out: z.string(),
  /** Versions and the data set's figures, written by a run and ignored when read. */
  about: z.unknown(),
});

/** Settings as a person gives them: any part of the schema. */
export type Settings = Partial<z.infer<typeof settingsSchema>>;

/** Settings that most runs do without. */
type Optional = 'exclude' | 'shardClasses' | 'sampleClasses' | 'syncBatchNorm';

/** The configuration of a run with nothing left open. */
export interface Config
  extends Required<Omit<Settings, 'epochs' | 'about' | Optional>>,
    Pick<Settings, Optional> {
  lossOptions: Record<string, unknown>;
}

/** What may differ between the sittings of one run without changing what is computed for. */
export const RESUMABLE: readonly (keyof Config)[] = [
  'data',
  'out',
  'device',
  'threads',
  'shardClasses',
  'memoryBudget',
  'checkpointSteps',
  'checkpointMinutes',
  'collapseSteps',
  'watch',
];

/**
 * Checks settings and returns them. Throws a `UserError` that names every unknown key and the first bad
 * value; `source` is named in it (a file's path, or 'the flags').
 */
export function parseSettings(settings: unknown, source: string): Settings {
  const parsed = settingsSchema.partial().safeParse(settings);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue!.code === 'unrecognized_keys') {
    const where = issue!.path.length > 0 ? ` in '${issue!.path.join('.')}'` : '';
    const names = issue!.keys.map((key) => `'${key}'`).join(', ');
    const known = where ? '' : ` (known: ${Object.keys(settingsSchema.shape).join(', ')})`;
    throw new UserError(
      `${source}: unknown ${issue!.keys.length > 1 ? 'keys' : 'key'} ${names}${where}${known}`,
    );
  }
  throw new UserError(`${source}: ${issue!.path.join('.') || 'the whole'}: ${issue!.message}`);
}

/** Reads a JSON settings file. Throws a `UserError` when it cannot be read, parsed or understood. */
export function readSettings(file: string): Settings {
  const text = readTextSync(file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file}: not JSON: ${(error as Error).message}`);
  }
  return parseSettings(json, file);
}

/** Default run folder: the recipe's name, so that the same command finds its run again. */
function defaultFolder(settings: Settings): string {
  const { net, loss, lossOptions, seed = 1 } = settings;
  const margin = lossOptions?.margin;
  return `runs/${net}-${loss?.replaceAll('+', '-and-')}${margin === undefined ? '' : `-m${margin}`}-seed${seed}`;
}

/** Everything that is settled before the data set is seen: all of the configuration but the steps. */
export type Draft = Omit<Config, 'steps'> & Pick<Settings, 'steps' | 'epochs'>;

/**
 * Fills the defaults in. `data`, `net` and `loss` have none. The rules for rate, milestones and
 * annealing are in `schedule.ts`. Throws a `UserError` for settings that are out of range or contradict
 * each other.
 */
export function draftConfig(settings: Settings): Draft {
  const { data, net, loss } = parseSettings(settings, 'settings');
  if (data === undefined)
    throw new UserError(
      '--data DIR is missing: the folder with one folder of images a person, or with train.rec',
    );
  if (net === undefined) throw new UserError(`--net is missing: one of ${NETWORKS.join(', ')}`);
  if (loss === undefined) {
    throw new UserError(
      "--loss is missing: 'hypersphere losses' lists them all, such as a-softmax or softmax+center",
    );
  }
  const definition = lossToTrain(loss);
  const network = networkNamed(net);
  if (settings.reluAfterFc1 && !net.startsWith('sphereface')) {
    throw new UserError(`--relu-after-fc1 is a switch of the SphereFace networks: leave it out for ${net}`);
  }
  if (settings.steps !== undefined && settings.epochs !== undefined) {
    throw new UserError('--steps and --epochs both say how long to train: give one of them');
  }
  const batch = settings.batch ?? 64;
  const seed = settings.seed ?? 1;
  const device = settings.device ?? 'cpu';
  const draft: Draft = {
    data,
    net,
    loss,
    lossOptions: settings.lossOptions ?? {},
    size: settings.size ?? [network.size[0], network.size[1]],
    embedding: settings.embedding ?? network.embedding,
    reluAfterFc1: settings.reluAfterFc1 ?? false,
    order: settings.order ?? 'bgr',
    mirror: settings.mirror ?? true,
    batch,
    perPerson: settings.perPerson ?? defaultPerPerson(definition.needs.imagesPerPerson, batch),
    steps: settings.steps,
    epochs: settings.epochs,
    lr: settings.lr ?? defaultRate(batch),
    milestones: settings.milestones ?? defaultMilestones(),
    warmUp: settings.warmUp ?? 0,
    momentum: settings.momentum ?? PAPER.momentum,
    weightDecay: settings.weightDecay ?? PAPER.weightDecay,
    seed,
    holdout: settings.holdout ?? 0,
    exclude: listOfNames(settings.exclude),
    minImages: settings.minImages ?? 1,
    memoryBudget: settings.memoryBudget ?? 2 ** 30,
    device,
    threads: settings.threads ?? 0,
    formulations: settings.formulations ?? 'fast',
    stepsPerCall: settings.stepsPerCall ?? 1,
    ...(settings.shardClasses && { shardClasses: true }),
    ...(settings.syncBatchNorm && { syncBatchNorm: true }),
    ...((settings.sampleClasses ?? 1) < 1 && { sampleClasses: settings.sampleClasses }),
    checkpointSteps: settings.checkpointSteps ?? 0,
    checkpointMinutes: settings.checkpointMinutes ?? 5,
    collapseSteps: settings.collapseSteps ?? 0,
    watch: settings.watch ?? true,
    out: settings.out ?? defaultFolder(settings),
  };
  definition.check(draft.lossOptions);
  if (draft.sampleClasses !== undefined && definition.kind !== 'classification') {
    throw new UserError(`--sample-classes: ${loss} has no class vectors to take a sample of`);
  }
  const { imagesPerPerson = 0 } = definition.needs;
  if (draft.perPerson > 0 && draft.perPerson < imagesPerPerson) {
    throw new UserError(
      `${loss} needs ${imagesPerPerson} images or more of each person in a batch: --per-person ${draft.perPerson} is too few (0 leaves it to chance)`,
    );
  }
  return draft;
}

/** Names each once and in natural order, so that one list has one form; nothing where there are none. */
function listOfNames(names: readonly string[] = []): string[] | undefined {
  return names.length > 0 ? [...new Set(names)].sort(compareNames) : undefined;
}

/** Images of each person in the batches of a loss that compares the images of a batch: the field's custom of 4. */
function defaultPerPerson(needed: number | undefined, batch: number): number {
  if (needed === undefined) return 0;
  const wanted = Math.max(4, needed);
  if (batch % wanted !== 0 || batch < 2 * wanted) {
    throw new UserError(
      `--batch ${batch}: this loss compares images of one person and of several, ${wanted} of each; use a multiple of ${wanted} from ${2 * wanted} on, or choose --per-person`,
    );
  }
  return wanted;
}

/**
 * Settles the number of steps, now that the steps of an epoch are known, and with it the annealing's
 * gamma. Steps are rounded up to whole calls of the runtime (`stepsPerCall`).
 */
export function resolveConfig(draft: Draft, stepsPerEpoch: number): Config {
  const { epochs, ...rest } = draft;
  const wanted = draft.steps ?? Math.max(1, Math.round((epochs ?? DEFAULT_EPOCHS) * stepsPerEpoch));
  const steps = Math.ceil(wanted / draft.stepsPerCall) * draft.stepsPerCall;
  const checked = lossNamed(draft.loss).check(draft.lossOptions);
  return { ...rest, steps, lossOptions: annealedOver(steps, checked, draft.lossOptions) };
}

/**
 * A loss's options with the gamma of its annealing settled for a run of so many steps, where `given` names none;
 * in a joint loss, of every part.
 */
export function annealedOver(
  steps: number,
  options: LossOptions,
  given: LossOptions = {},
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => {
      if (typeof value !== 'object' || value === null) return [name, value];
      const part = given[name] as LossOptions | undefined;
      if (name !== 'annealing') return [name, annealedOver(steps, value as LossOptions, part)];
      const { wait: _, ...annealing } = value as Annealing;
      const gamma = part?.gamma ?? defaultGamma(steps, annealing);
      return [name, { ...annealing, gamma, ...(waits(part) && { wait: true }) }];
    }),
  );
}

/** Whether lambda waits for the angles: where nobody says it, unless the schedule is given. */
const waits = ({ wait, base, gamma, power }: LossOptions = {}): boolean =>
  wait === undefined ? base === undefined && gamma === undefined && power === undefined : wait === true;

/** Later settings win over earlier ones; the loss's options are merged one by one. */
export function mergeSettings(...all: readonly Settings[]): Settings {
  let merged: Settings = {};
  for (const after of all) {
    const before = merged;
    merged = { ...before, ...after };
    // A run's length is said once: the later of steps and epochs counts.
    if (after.steps !== undefined && after.epochs === undefined) delete merged.epochs;
    if (after.epochs !== undefined && after.steps === undefined) delete merged.steps;
    const sameLoss = after.loss === undefined || after.loss === before.loss;
    if (before.lossOptions && sameLoss) {
      merged.lossOptions = mergeOptions(before.lossOptions, after.lossOptions ?? {});
    }
  }
  return merged;
}

/** Options laid over options, group by group. */
function mergeOptions(before: LossOptions, after: LossOptions): Record<string, unknown> {
  const group = (value: unknown): value is LossOptions =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const merged: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(after)) {
    const old = before[name];
    merged[name] = group(old) && group(value) ? mergeOptions(old, value) : value;
  }
  return merged;
}

/**
 * The draft of a run from settings in rising order of weight. With `resume` they are laid over the
 * configuration in the run folder; only the settings in `RESUMABLE` may then differ from it, which
 * `requireSameConfig` checks once everything is resolved.
 */
export function draftRun(settings: readonly Settings[], resume: boolean): Draft {
  const given = mergeSettings(...settings);
  if (!resume) return draftConfig(given);
  if (given.out === undefined && (given.net === undefined || given.loss === undefined)) {
    throw new UserError('--resume: name the run to continue with --out DIR');
  }
  const out = given.out ?? defaultFolder(given);
  const file = join(out, 'config.json');
  if (!existsSync(file)) {
    throw new UserError(`${out}: no run to resume (no config.json); leave out --resume to start one`, {
      code: 'not-found',
    });
  }
  return { ...draftConfig(mergeSettings(readSettings(file), given)), out };
}

/** Checks that a resumed run computes what it began with. Throws a `UserError` naming the first difference. */
export function requireSameConfig(before: Settings, now: Config): void {
  for (const key of Object.keys(now) as (keyof Config)[]) {
    if (RESUMABLE.includes(key) || isDeepStrictEqual(before[key], now[key])) continue;
    throw new UserError(
      `--resume: ${key} is ${said(now[key])} but the run began with ${said(before[key])}; ` +
        'leave it out to continue, or start a new run with another --out',
    );
  }
}

/** A setting in a message; of a long list of names its beginning. */
function said(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (!Array.isArray(value) || value.length <= 5) return JSON.stringify(value);
  return `${JSON.stringify(value.slice(0, 5)).slice(0, -1)}, ... ${value.length} in all]`;
}
