// The k templates most like each probe, exactly: every score is computed, and none that could be among the best is
// passed over. Where the templates are rounded (int8), more candidates than asked for are found first and scored
// again with the templates that they were rounded from.
import { UserError } from '../common/errors.js';
import { Best, type Candidates } from './best.js';
import { GROUP } from './product.js';
import { rerank } from './rerank.js';
import { type ScanOptions, type Scores, scan } from './scores.js';
import type { TemplateSource } from './source.js';

export interface TopKOptions extends ScanOptions {
  /** Candidates a probe; all templates where there are fewer. */
  k: number;
  /** Where the exact templates are, row for row those that are searched: the candidates are scored again with them. */
  exact?: TemplateSource;
  /** With `exact`: candidates that are scored again (default: 4 k, and 32 at least). */
  candidates?: number;
}

/**
 * The `k` best `templates` for each of `probes` ([P, D], unit rows), best first, with their cosines; of equal scores
 * the lower row comes first, and equal templates have equal scores. Memory: as `eachBlock`, and 8 bytes a candidate.
 * Throws UserError for an empty gallery, a `k` below 1, and whatever `eachBlock` throws it for.
 */
export async function topK(
  probes: Float32Array,
  templates: TemplateSource,
  { k, exact, candidates, ...options }: TopKOptions,
): Promise<Candidates> {
  const { count, length } = templates;
  if (count === 0) throw new UserError('the gallery is empty: there is no template to search');
  if (!Number.isInteger(k) || k < 1) throw new UserError(`k must be a whole number from 1 on, not ${k}`);
  if (exact && (exact.count !== count || exact.length !== length))
    throw new UserError(
      `the exact templates are [${exact.count}, ${exact.length}], those that are searched [${count}, ${length}]; make both from the same embeddings`,
    );
  const first = exact ? Math.max(k, candidates ?? Math.max(4 * k, 32)) : k;
  const best = new Best(probes.length / length, Math.min(first, count));
  await scan(probes, templates, (scores) => take(best, scores), { ...options, maxima: true });
  const found = best.sorted();
  return exact ? rerank(probes, found, exact, Math.min(k, count)) : found;
}

/** Offers the scores that exceed a probe's worst candidate; a group of them is looked at only if its maximum does. */
function take(best: Best, { scores, stride, first, count, firstProbe, probes, maxima }: Scores): void {
  const groups = Math.ceil(count / GROUP);
  for (let i = 0; i < probes; i++) {
    const probe = firstProbe + i;
    let worst = best.worst(probe);
    for (let group = 0; group < groups; group++) {
      if (maxima![(i * stride) / GROUP + group]! <= worst) continue;
      const end = Math.min(count, (group + 1) * GROUP);
      for (let j = group * GROUP; j < end; j++) {
        const score = scores[i * stride + j]!;
        if (score <= worst) continue;
        best.offer(probe, score, first + j);
        worst = best.worst(probe);
      }
    }
  }
}
