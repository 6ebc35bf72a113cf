// The settings of a projection that is learned on frozen embeddings, and its configuration with nothing left
// open, which the projection's folder keeps as config.json.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { UserError } from '../common/errors.js';
import { readTextSync } from '../common/files.js';
import type { StoredEmbeddings } from '../face/index.js';
import { losses, PROJECTED_LENGTH } from '../losses/index.js';
import { deviceNames } from '../runtime/index.js';
import { FILES } from './run-folder.js';
import { defaultMilestones } from './schedule.js';

/** Losses that learn a projection: those whose embedding is another than the network's. */
export const PROJECTION_LOSSES = Object.values(losses)
  .filter(({ embed }) => embed !== undefined)
  .map(({ name }) => name);

const count = z.number().int().positive();

const settingsSchema = z.strictObject({
  /** File of embeddings, with its list beside it. */
  embeddings: z.string(),
  /** One of `PROJECTION_LOSSES`. */
  loss: z.string(),
  /** The loss's options without `length`: `margin` and `mining`. */
  lossOptions: z.record(z.string(), z.unknown()),
  /** Numbers of a projected embedding, d; 128 when left open, or all where there are fewer. */
  length: count.optional(),
  /** How T starts: from the principal components of the embeddings, or as the loss starts it. */
  start: z.enum(['pca', 'random']),
  /** Embeddings a step. */
  batch: count,
  /** Embeddings of each person in a batch. */
  perPerson: count,
  steps: count,
  lr: z.number().positive(),
  /** Steps, or fractions of the run when at most 1, after which the rate is divided by ten. */
  milestones: z.array(z.number().positive()),
  momentum: z.number().min(0).lt(1),
  weightDecay: z.number().min(0),
  seed: z.number().int(),
  /** How many people are kept out of training to measure on. */
  holdout: z.number().int().nonnegative(),
  device: z.enum(deviceNames),
  /** Threads of the device; 0 lets the runtime choose. */
  threads: z.number().int().nonnegative(),
  /** Steps in one call of the runtime. */
  stepsPerCall: count,
  /** The folder that is written. */
  out: z.string(),
  /** SHA-256 of the embeddings and of their list of images, in hexadecimal: a resumed run must meet the same. */
  embeddingsHash: z.string().optional(),
});

/** Everything that is settled before the embeddings are read. */
export type ProjectionDraft = z.infer<typeof settingsSchema>;

/** The configuration of a projection with nothing left open. */
export type ProjectionConfig = Required<ProjectionDraft>;

/** Settings as a person gives them; only `embeddings`, `loss` and `out` have no default. */
export type ProjectionSettings = Partial<ProjectionDraft>;

/** Defaults; docs/training.md tells how the rate and the number of steps were chosen. */
const DEFAULTS = {
  start: 'pca',
  batch: 64,
  perPerson: 4,
  steps: 1000,
  lr: 0.003,
  milestones: defaultMilestones(),
  momentum: 0.9,
  weightDecay: 5e-4,
  seed: 1,
  holdout: 0,
  device: 'cpu',
  threads: 1,
  stepsPerCall: 10,
} as const;

/** What may differ between the sittings of one run without changing what is computed for. */
const RESUMABLE: readonly (keyof ProjectionConfig)[] = ['embeddings', 'out', 'device', 'threads'];

/**
 * The draft from settings; with `resume`, from the folder's config.json, which the settings may then only repeat.
 * Steps are rounded up to whole calls of the runtime. Throws a `UserError` for a missing setting or one out of
 * range.
 */
export function draftProjection(given: ProjectionSettings, resume = false): ProjectionDraft {
  if (given.out === undefined)
    throw new UserError('--out DIR is missing: the folder for the projection and its figures');
  if (resume) return resumed(given, given.out);
  if (given.embeddings === undefined)
    throw new UserError('--embeddings FILE is missing: a file written by hypersphere embed');
  const { loss } = given;
  const names = PROJECTION_LOSSES.join(', ');
  if (loss === undefined) throw new UserError(`--loss is missing: one of ${names}`);
  if (!PROJECTION_LOSSES.includes(loss))
    throw new UserError(`--loss '${loss}' learns no projection: use one of ${names}`);
  const draft = parse({ lossOptions: {}, ...DEFAULTS, ...defined(given) }, 'settings');
  const { length: _, ...lossOptions } = losses[loss]!.check(draft.lossOptions);
  const { batch, perPerson, stepsPerCall } = draft;
  if (perPerson < 2 || batch / perPerson < 2)
    throw new UserError(
      `a batch of ${batch} with ${perPerson} of each person: triplets need 2 people with 2 images each at least; use --batch 64 --per-person 4`,
    );
  return { ...draft, lossOptions, steps: Math.ceil(draft.steps / stepsPerCall) * stepsPerCall };
}

/**
 * The configuration for the embeddings that were read. Throws a `UserError` when d is more than D, and when they
 * are others than those that a resumed run began with.
 */
export function resolveProjection(draft: ProjectionDraft, set: StoredEmbeddings): ProjectionConfig {
  const hash = createHash('sha256').update(set.embeddings).update(JSON.stringify(set.images)).digest('hex');
  const { length = Math.min(PROJECTED_LENGTH, set.length), embeddingsHash = hash } = draft;
  if (length > set.length)
    throw new UserError(
      `--length ${length}: the embeddings of ${set.file} have ${set.length} numbers; use 1 to ${set.length}`,
    );
  if (embeddingsHash !== hash)
    throw new UserError(
      `${set.file}: not the embeddings this run began with; give the same file, or start a new run with another --out`,
    );
  return { ...draft, length, embeddingsHash };
}

/** The configuration in a projection's folder. Throws a `UserError` when there is none, or it is damaged. */
export function readProjectionConfig(folder: string): ProjectionConfig {
  const file = join(folder, FILES.config);
  if (!existsSync(file))
    throw new UserError(
      `${folder}: no projection there (no ${FILES.config}); train one with: hypersphere project`,
      { code: 'not-found' },
    );
  let json: unknown;
  try {
    json = JSON.parse(readTextSync(file));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file}: not JSON: ${(error as Error).message}`);
  }
  const { about: _, ...config } = Object(json) as Record<string, unknown>;
  const { length, embeddingsHash, ...draft } = parse(config, file);
  if (length === undefined || embeddingsHash === undefined)
    throw new UserError(`${file}: no configuration of a projection: length or embeddingsHash is missing`);
  return { ...draft, length, embeddingsHash };
}

/** The draft of the run in `out`, once it is sure that `given` asks for no other. */
function resumed(given: ProjectionSettings, out: string): ProjectionDraft {
  const before = readProjectionConfig(out);
  const lossOptions = { ...before.lossOptions, ...given.lossOptions };
  const now = draftProjection({ ...before, ...defined(given), lossOptions });
  for (const key of Object.keys(now) as (keyof ProjectionDraft)[]) {
    if (RESUMABLE.includes(key) || isDeepStrictEqual(before[key], now[key])) continue;
    throw new UserError(
      `--resume: ${key} is ${JSON.stringify(now[key])} but the run began with ${JSON.stringify(before[key])}; ` +
        'leave it out to continue, or start a new run with another --out',
    );
  }
  return now;
}

function parse(settings: unknown, source: string): ProjectionDraft {
  const parsed = settingsSchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(`${source}: ${issue!.path.join('.') || 'the whole'}: ${issue!.message}`);
}

/** The entries that are not undefined. */
const defined = <T extends object>(object: T): Partial<T> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
