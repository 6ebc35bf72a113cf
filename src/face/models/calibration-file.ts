// What `hypersphere calibrate` measured of a model, as a file: similarities as log-likelihood ratios, and the threshold
// at any false match rate with how sure it is. It holds no template and no name of a person. How it is measured is in
// src/evaluate/calibration; what is decided by it, in calibrated.ts.
import { z } from 'zod';
import { UserError } from '../../common/errors.js';
import { readText } from '../../common/files.js';
import { type Manifest, manifestSchema, modelDifference } from './manifest.js';

export const CALIBRATION_FORMAT = 'hypersphere-calibration/1';

const share = z.number().min(0).max(1);
const count = z.number().int().nonnegative();
const interval = z.tuple([z.number(), z.number()]);

/** A threshold for a false match rate of one comparison; every pair counts the same. */
const pointSchema = z.object({
  fmr: z.number().positive().max(1),
  /** Accept at or above this cosine. */
  threshold: z.number(),
  /** 95 %, by drawing people again; below `supportedTo` it holds less often, as the threshold lies too low. */
  interval: interval.optional(),
});

/** A threshold that was asked for. */
const askedSchema = z.object({
  /** The rate asked for: of a search in a gallery of so many people, one photograph of each (FPIR). */
  fmr: z.number().positive().max(1),
  gallerySize: z.number().int().positive(),
  /** The rate of one comparison that gives it if comparisons are independent: 1 - (1 - fmr)^(1 / gallerySize). */
  perComparison: z.number().positive().max(1),
  /** Null where the impostor pairs cannot tell it: see `reason`. */
  threshold: z.number().nullable(),
  interval: interval.optional(),
  extrapolated: z.boolean(),
  /** Impostor pairs at or above the threshold. */
  falseMatches: count,
  /** Share of genuine pairs below the threshold; null without one. */
  fnmr: share.nullable(),
  /** With the threshold held. */
  fnmrInterval: interval.optional(),
  /** Searches of people who are not in the gallery, in random galleries of `gallerySize` of the people. */
  searched: z
    .object({
      galleries: count,
      searches: count,
      falsePositives: count,
      /** People who were taken for somebody at least once. */
      people: count,
      /** Measured, and 1 - (1 - perComparison)^gallerySize. */
      fpir: share,
      predicted: share,
    })
    .optional(),
  reason: z.string().optional(),
});

const calibrationSchema = z.object({
  format: z.literal(CALIBRATION_FORMAT),
  /** Whose similarities they are. */
  model: manifestSchema,
  /** Whom they were measured on. */
  data: z.object({
    /** Name of the folder or of the file of embeddings, without where it lies. */
    name: z.string().min(1),
    people: count,
    images: count,
    genuinePairs: count,
    impostorPairs: count,
    /** People left out on request. */
    leftOut: count,
  }),
  /** Draws of the bootstrap over people, and the seed of everything random. */
  replicates: count,
  seed: z.number().int(),
  probability: z.object({
    /** Natural log-likelihood ratio = slope x cosine + intercept, held within `limits`. */
    slope: z.number().positive(),
    intercept: z.number(),
    /**
     * No more than the people support: -log of the people with several photographs, log of the pairs of two people.
     */
    limits: z.tuple([z.number().nonpositive(), z.number().nonnegative()]),
    /** The chance of the same person before anything is seen, unless another is given. */
    prior: z.number().gt(0).lt(1),
    /** Bits a decision of people who had no part in the fit, and the least that any rising map of the scores has. */
    cllr: z.object({ value: z.number(), minimum: z.number(), folds: count }).optional(),
  }),
  impostors: z.object({
    /** Below this rate thresholds are extrapolated: fewer than ten impostor pairs are that alike. */
    supportedTo: z.number().positive(),
    /** The generalized Pareto distribution of what exceeds `from`, as so many pairs, a share of all, do. */
    tail: z
      .object({
        from: z.number(),
        share: z.number().positive(),
        pairs: count,
        shape: z.number(),
        scale: z.number().positive(),
      })
      .optional(),
    /** By falling rate; between them the threshold is interpolated over the rate's logarithm. */
    table: z.array(pointSchema).min(1),
  }),
  thresholds: z.array(askedSchema),
});

export type Calibration = z.infer<typeof calibrationSchema>;
export type CalibrationPoint = z.infer<typeof pointSchema>;
export type AskedThreshold = z.infer<typeof askedSchema>;

/** Reads a calibration. Throws a UserError when it is missing, damaged, or something else. */
export async function readCalibration(file: string): Promise<Calibration> {
  const text = await readText(file);
  const again = 'make one with: hypersphere calibrate';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UserError(`${file}: not a calibration, as it is not JSON; ${again}`);
  }
  const { format } = (json ?? {}) as { format?: unknown };
  if (format !== CALIBRATION_FORMAT)
    throw new UserError(
      `${file}: not a calibration (its format is ${format === undefined ? 'not stated' : JSON.stringify(format)}, not '${CALIBRATION_FORMAT}'); ${again}`,
    );
  const { data, error } = calibrationSchema.safeParse(json);
  if (!data) {
    const [issue] = error.issues;
    throw new UserError(`${file}: damaged at '${issue!.path.join('.')}': ${issue!.message}; ${again}`);
  }
  const { table } = data.impostors;
  const broken = table.findIndex(
    ({ fmr, threshold }, k) => k > 0 && !(fmr < table[k - 1]!.fmr && threshold >= table[k - 1]!.threshold),
  );
  if (broken > 0)
    throw new UserError(
      `${file}: damaged at 'impostors.table.${broken}': rates must fall and thresholds not; ${again}`,
    );
  return data;
}

/** The model that a calibration keeps: thresholds of before do not belong to it. */
export function calibratedModel({ thresholds: _, ...manifest }: Manifest): Manifest {
  return manifest;
}

/** Throws a UserError, which says what differs, unless `calibration` (of `file`) is of this model and these flags. */
export function requireCalibrated(calibration: Calibration, manifest: Manifest, file: string): void {
  const difference = modelDifference(calibration.model, manifest);
  if (difference === undefined) return;
  throw new UserError(
    `${file}: a calibration of ${difference}; calibrate this model with: hypersphere calibrate`,
  );
}
