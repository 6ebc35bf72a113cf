// Second look: candidates that were found with rounded templates are scored again with exact ones, in double
// precision, and put in order. Only the candidates' rows are read.
import { UserError } from '../common/errors.js';
import { Best, type Candidates } from './best.js';
import type { TemplateSource } from './source.js';

/**
 * The `k` best of `candidates` by their cosines to `probes` [P, D] with the templates of `exact`, which has the same
 * rows. Scores are rounded to float32 once, ties go to the lower row. Throws UserError when a row of `exact` is not
 * finite.
 */
export async function rerank(
  probes: Float32Array,
  candidates: Candidates,
  exact: TemplateSource,
  k: number,
): Promise<Candidates> {
  const { length } = exact;
  const { rows } = candidates;
  const best = new Best(probes.length / length, Math.min(k, candidates.k));
  // Row by row of the file, so that each is read once and the disk moves one way.
  const order = Uint32Array.from(rows.keys()).sort((a, b) => rows[a]! - rows[b]! || a - b);
  const own = new Float32Array(length);
  let template: Float32Array = own;
  let held = -1;
  for (const at of order) {
    const row = rows[at]!;
    if (row !== held) {
      if (exact.view) template = exact.view(row, 1);
      else await exact.read(row, 1, own);
      held = row;
    }
    const probe = Math.floor(at / candidates.k);
    let dot = 0;
    for (let d = 0, p = probe * length; d < length; d++, p++) dot += probes[p]! * template[d]!;
    if (!Number.isFinite(dot))
      throw new UserError(`template ${row}: it holds numbers that are not finite; make the templates again`);
    best.offer(probe, Math.fround(dot), row);
  }
  return best.sorted();
}
