// The k templates most like each probe, exactly: every score is computed, and none that could be among the best is
// passed over. Where the templates are rounded (int8), more candidates than asked for are found first and scored
// again with the templates that they were rounded from.
import { UserError } from '../common/errors.js';
import { Best, type Candidates } from './best.js';
import { GROUP } from './product.js';
import { rerank } from './rerank.js';
import { Scanner, type ScanOptions, type Scores } from './scores.js';
import type { TemplateSource } from './source.js';

export interface TopKOptions extends ScanOptions {
  /** Candidates a probe; all templates where there are fewer. */
  k: number;
  /** With exact templates: candidates that are scored again (default: 4 k, and 32 at least). */
  candidates?: number;
}

export interface SearchOptions {
  /** Where the exact templates are, row for row those that are searched: the candidates are scored again with them. */
  exact?: TemplateSource;
  /** Threads of a product; by default as many as the machine lets this process run at once. */
  threads?: number;
}

/** A gallery that is searched again and again. */
export class Search {
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly templates: TemplateSource,
    private readonly exact: TemplateSource | undefined,
    private readonly scanner: Scanner,
  ) {}

  /** Opens `templates` for searching. Throws UserError when they are none, or the exact ones are others. */
  static async open(templates: TemplateSource, { exact, threads }: SearchOptions = {}): Promise<Search> {
    const { count, length } = templates;
    if (count === 0) throw new UserError('the gallery is empty: there is no template to search');
    if (exact && (exact.count !== count || exact.length !== length))
      throw new UserError(
        `the exact templates are [${exact.count}, ${exact.length}], those that are searched [${count}, ${length}]; make both from the same embeddings`,
      );
    const scanner = await Scanner.open(templates, { maxima: true, ...(threads && { threads }) });
    return new Search(templates, exact, scanner);
  }

  /**
   * The `k` best templates for each of `probes` ([P, D], unit rows), best first, with their cosines; of equal scores
   * the lower row comes first, and equal templates have equal scores. Memory: as `eachBlock`, and 8 bytes a
   * candidate. A search that is asked for during another waits for it. Throws UserError for a `k` below 1, and
   * whatever `eachBlock` throws it for.
   */
  topK(probes: Float32Array, options: TopKOptions): Promise<Candidates> {
    const turn = this.last.then(() => this.search(probes, options));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  /** Frees what was opened; the sources stay open. */
  close(): Promise<void> {
    return this.scanner.close();
  }

  private async search(
    probes: Float32Array,
    { k, candidates, ...options }: TopKOptions,
  ): Promise<Candidates> {
    const { count, length } = this.templates;
    if (!Number.isInteger(k) || k < 1) throw new UserError(`k must be a whole number from 1 on, not ${k}`);
    const first = this.exact ? Math.max(k, candidates ?? Math.max(4 * k, 32)) : k;
    const best = new Best(Math.floor(probes.length / length), Math.min(first, count));
    await this.scanner.scan(probes, (scores) => take(best, scores), options);
    const found = best.sorted();
    return this.exact ? rerank(probes, found, this.exact, Math.min(k, count)) : found;
  }
}

/** One search of `templates`; see Search. */
export async function topK(
  probes: Float32Array,
  templates: TemplateSource,
  { exact, threads, ...options }: TopKOptions & SearchOptions,
): Promise<Candidates> {
  const search = await Search.open(templates, { ...(exact && { exact }), ...(threads && { threads }) });
  return search.topK(probes, options).finally(() => search.close());
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
