// What one run of a table gave, kept as outcome.json in its run folder: how the training ended, and every figure that
// was measured with it, each with the data it was measured on. There is no clock in it, so that a run that was stopped
// and went on leaves the same file, byte for byte, as one that was not.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.js';
import { writeJson } from '../../train/run-folder.js';

const FILE = 'outcome.json';

export const OUTCOME_FORMAT = 'hypersphere-outcome/1';

const measurement = z.object({
  /** What names the data: other data, another key. */
  key: z.string(),
  /** In the columns' units; null where the data cannot support the figure. */
  figures: z.record(z.string(), z.number().nullable()),
  /** Why a figure is null, or what to mind. */
  reasons: z.record(z.string(), z.string()).optional(),
  /** Standard errors of figures within the run, over the folds of a protocol. */
  errors: z.record(z.string(), z.number()).optional(),
  /** Of each figure, what it was measured on. */
  about: z.record(z.string(), z.string()),
  /** How the faces were aligned, as far as that is known. */
  alignment: z.string().optional(),
});

const schema = z.object({
  format: z.literal(OUTCOME_FORMAT),
  recipe: z.string(),
  seed: z.number(),
  /** Why there is no model. */
  diverged: z.string().optional(),
  /** Means over the last twentieth of the steps; accuracy is missing for losses without logits. */
  end: z.object({ loss: z.number(), accuracy: z.number().optional() }).optional(),
  measured: z.record(z.string(), measurement),
});

export type Measurement = z.infer<typeof measurement>;
export type Outcome = z.infer<typeof schema>;

/** The outcome of the run in `folder`, or nothing while there is none. Throws a UserError for a damaged file. */
export function readOutcome(folder: string): Outcome | undefined {
  const file = join(folder, FILE);
  if (!existsSync(file)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new UserError(`${file}: not JSON; remove the file, and what it held is measured again`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(
    `${file}: not an outcome of a run (${issue!.path.join('.') || 'the whole'}: ${issue!.message}); remove the file, and what it held is measured again`,
  );
}

export const writeOutcome = (folder: string, outcome: Outcome): void =>
  writeJson(join(folder, FILE), outcome);
