// Evaluations as they were kept: evaluation.json, checked before it is drawn, so that a file that was damaged, edited
// or written by another version is one clear line.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.js';
import { readText } from '../../common/files.js';
import { EVALUATION_FORMAT, type Evaluation, protocols } from '../../evaluate/evaluation.js';
import { withoutFolders } from './places.js';

const rate = z
  .number()
  .min(-1e-9)
  .max(1 + 1e-9);
const count = z.number().int().nonnegative();
const pair = z.tuple([z.number(), z.number()]);
/** JSON has no NaN and no Infinity; it writes null. */
const orNaN = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const orInfinity = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.POSITIVE_INFINITY);

const histogram = z.object({
  from: z.number(),
  width: z.number().positive(),
  counts: z.array(z.number().nonnegative()),
  total: z.number().nonnegative(),
  mean: orNaN,
  standardDeviation: orNaN,
});

/** Whether the lists of these names are equally long, and the message if they are not. */
const equallyLong = (...names: string[]) =>
  [
    (curve: Record<string, unknown>) =>
      new Set(names.map((name) => (curve[name] as readonly unknown[]).length)).size === 1,
    `${names.join(' and ')} are not equally long`,
  ] as const;

const verification = z.looseObject({
  samePairs: count,
  differentPairs: count,
  roc: z.looseObject({ far: z.array(rate), tar: z.array(rate) }).refine(...equallyLong('far', 'tar')),
  tarAtFar: z.array(
    z.looseObject({
      far: rate,
      tar: rate.nullable(),
      falseAccepts: count,
      interval: pair.optional(),
      reason: z.string().optional(),
    }),
  ),
  accuracy: rate.optional(),
  accuracyInterval: pair.optional(),
  auc: rate.optional(),
  aucInterval: pair.optional(),
  eer: rate.optional(),
  eerInterval: pair.optional(),
  standardError: orNaN.optional(),
  thresholds: z.array(orInfinity).optional(),
  folds: z.array(z.unknown()).optional(),
  scores: z.looseObject({ same: histogram, different: histogram }).optional(),
  angles: z.looseObject({ same: histogram, different: histogram }).optional(),
  intervals: z.looseObject({ resampled: z.string(), replicates: count, seed: z.number() }).optional(),
});

const cmc = z
  .looseObject({
    gallery: count,
    trials: count,
    ranks: z.array(z.number().positive()).min(1),
    rates: z.array(rate),
    intervals: z.array(pair).optional(),
    synthetic: count.optional(),
  })
  .refine(...equallyLong('ranks', 'rates'));

const det = z
  .looseObject({
    gallery: count,
    mated: count,
    nonMated: count,
    rank: count,
    thresholds: z.array(orInfinity),
    fpir: z.array(rate),
    fnir: z.array(rate),
    points: z.array(
      z.looseObject({
        fpir: rate,
        fnir: rate.nullable(),
        threshold: z.number().nullable(),
        falsePositives: count,
        reason: z.string().optional(),
        interval: pair.optional(),
        thresholdInterval: pair.optional(),
      }),
    ),
  })
  .refine(...equallyLong('fpir', 'fnir'));

const face = z.looseObject({ path: z.string(), person: z.string() });

const evaluation = z.looseObject({
  format: z.literal(EVALUATION_FORMAT),
  protocol: z.enum(protocols),
  title: z.string(),
  summary: z.array(
    z.object({ figure: z.string(), value: z.string(), interval: z.string(), note: z.string() }),
  ),
  model: z.looseObject({
    name: z.string(),
    file: z.string(),
    sha256: z.string().optional(),
    trainedOn: z.string().optional(),
    template: z.string().optional(),
    length: z.number(),
  }),
  settings: z.array(z.tuple([z.string(), z.string()])),
  notes: z.array(z.string()),
  verification: verification.optional(),
  identification: z.array(cmc).optional(),
  openSet: z.array(det).optional(),
  mistakes: z
    .array(
      z.looseObject({
        kind: z.enum(['false match', 'false non-match']),
        a: face,
        b: face,
        score: z.number(),
        threshold: orInfinity,
      }),
    )
    .optional(),
  details: z.record(z.string(), z.unknown()).optional(),
  seconds: z.number(),
});

const AGAIN = 'make it again with: hypersphere evaluate ... --report DIR';

/** An evaluation from the text of its file. Throws a UserError that names `file` for what is none. */
export function parseEvaluation(text: string, file: string): Evaluation {
  let value: unknown;
  try {
    value = JSON.parse(text, (_, part: unknown) => (typeof part === 'string' ? withoutFolders(part) : part));
  } catch {
    throw new UserError(`${file}: is cut off or no JSON; ${AGAIN}`);
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (format !== EVALUATION_FORMAT) {
    const what = typeof format === 'string' ? `of the format '${format.slice(0, 60)}'` : 'no evaluation';
    throw new UserError(`${file}: is ${what}, and ${EVALUATION_FORMAT} is needed; ${AGAIN}`);
  }
  const parsed = evaluation.safeParse(value);
  if (parsed.success) return parsed.data as unknown as Evaluation;
  const [issue] = parsed.error.issues;
  throw new UserError(
    `${file}: is damaged at ${issue!.path.join('.') || 'its top'} (${issue!.message}); ${AGAIN}`,
  );
}

/** An evaluation from its file, or from the report folder that holds it as evaluation.json. */
export async function readEvaluation(place: string): Promise<{ file: string; evaluation: Evaluation }> {
  const stat = statSync(place, { throwIfNoEntry: false });
  const file = stat?.isDirectory() ? join(place, 'evaluation.json') : place;
  if (!existsSync(file))
    throw new UserError(
      `${place}: ${stat ? 'no evaluation.json there' : 'not there'}; name a folder that --report wrote, or its evaluation.json`,
      { code: 'not-found' },
    );
  return { file, evaluation: parseEvaluation(await readText(file), file) };
}
