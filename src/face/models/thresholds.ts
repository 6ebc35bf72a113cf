// From a false match rate to the similarity at which two faces count as one person's, by what a model's manifest
// says was measured. A threshold belongs to its model: one that was measured for another means nothing here.
import { UserError } from '../../common/errors.js';
import type { Manifest } from './manifest.js';

/** How alike two faces must be, and where that comes from. */
export interface Decision {
  /** Least cosine of the same person. */
  readonly threshold: number;
  /** Share of pairs of different people that reach it, when it was measured. */
  readonly fmr?: number;
  /** The people it was measured on. */
  readonly on?: string;
}

/** The rate that commands decide at unless told otherwise. */
export const DEFAULT_FMR = 0.001;

/**
 * The decision at a threshold that is given, else at a false match rate (default .001). Between measured rates
 * the threshold is interpolated over the logarithm of the rate. Throws a UserError when the model's manifest has
 * no thresholds or the rate lies outside of them.
 */
export function decisionFor(
  { name, thresholds }: Pick<Manifest, 'name' | 'thresholds'>,
  { threshold, fmr = DEFAULT_FMR }: { threshold?: number; fmr?: number },
): Decision {
  if (threshold !== undefined) return { threshold };
  if (!thresholds) {
    throw new UserError(
      `${name} does not state which similarity of faces prepared like these belongs to a false match rate; give --threshold T (a cosine)`,
    );
  }
  const points = [...thresholds.points].sort((a, b) => a.fmr - b.fmr);
  const upper = points.findIndex((point) => point.fmr >= fmr);
  const [least, most] = [points[0]!, points[points.length - 1]!];
  if (upper < 0 || fmr < least.fmr) {
    throw new UserError(
      `${name} has thresholds for false match rates from ${least.fmr} to ${most.fmr}, not for ${fmr}; choose one of those or give --threshold T`,
    );
  }
  const b = points[upper]!;
  const a = points[Math.max(0, upper - 1)]!;
  const share = a.fmr === b.fmr ? 1 : Math.log(fmr / a.fmr) / Math.log(b.fmr / a.fmr);
  return { threshold: a.threshold + share * (b.threshold - a.threshold), fmr, on: thresholds.on };
}
