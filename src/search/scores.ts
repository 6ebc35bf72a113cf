// Cosine scores of probes against any number of templates, block by block: what every protocol with distractors
// and every search stands on. A block's scores are one matrix product; memory is bounded by the sizes stated here.
import { availableParallelism } from 'node:os';
import { UserError } from '../common/errors.js';
import { blocksOf, wholeRows } from './blocks.js';
import { GROUP, Product, ROWS } from './product.js';
import { requireUnit, type StoredRows, type TemplateSource } from './source.js';

/** Numbers of templates in a block: 16 MiB as float32, and two blocks are held. */
const BLOCK_NUMBERS = 2 ** 22;
/** Scores of a product: 32 MiB. */
const SCORE_NUMBERS = 2 ** 23;

export interface ScanOptions {
  /** Templates a block, rounded up to whole multiples of 1024 (default: 4 million numbers of templates). */
  rows?: number;
  /** Probes a product, at most (default: 8 million scores). */
  probes?: number;
  /** Called after each block with the templates that are done, of all. */
  onProgress?(done: number, total: number): void;
  /** Ends the work after the block at hand with the signal's reason. */
  signal?: AbortSignal;
}

/** Scores of some probes against some templates. */
export interface Scores {
  /** [probes, stride]: row by row the cosines to templates first, first + 1, ...; those past `count` mean nothing. */
  scores: Float32Array;
  stride: number;
  /** The first template and how many there are. */
  first: number;
  count: number;
  /** The first probe and how many there are. */
  firstProbe: number;
  probes: number;
  /** [probes, stride / GROUP]: the largest of each GROUP neighbouring scores; with `maxima` only. */
  maxima?: Float32Array;
}

/** Scores of probes against one source of templates, for one scan after another. */
export class Scanner {
  /** Room for the blocks, kept from scan to scan. */
  private readonly held: StoredRows[] = [];

  private constructor(
    private readonly templates: TemplateSource,
    private readonly product: Product,
    private readonly maxima: boolean,
  ) {}

  /** Opens the product for `templates`; with `maxima`, scores come with the maxima of their groups. */
  static async open(
    templates: TemplateSource,
    { threads = availableParallelism(), maxima = false }: { threads?: number; maxima?: boolean },
  ): Promise<Scanner> {
    const type = templates.packed?.type ?? 'float32';
    return new Scanner(templates, await Product.open(type, templates.length, { threads, maxima }), maxima);
  }

  /**
   * Calls `onScores` with the scores of all probes ([P, D], unit rows) against all templates, in order of the
   * templates and within a block in order of the probes; the arrays are used again for the next call. One scan at a
   * time. Throws UserError for probes that are not unit vectors of the templates' length, and for templates that
   * are not finite.
   */
  async scan(
    probes: Float32Array,
    onScores: (scores: Scores) => void | Promise<void>,
    options: ScanOptions = {},
  ): Promise<void> {
    const { count, length } = this.templates;
    const { onProgress, signal } = options;
    checkProbes(probes, length);
    const total = probes.length / length;
    if (total === 0 || count === 0) return;
    const rows = blockRows(options.rows, length, count);
    const most = Math.max(1, options.probes ?? Math.floor(SCORE_NUMBERS / rows));
    // Even parts: a last one of a few probes would take as long to read its templates as a full one.
    const each = Math.ceil(total / Math.ceil(total / most));
    const into = {
      scores: new Float32Array(each * rows),
      ...(this.maxima && { maxima: new Float32Array((each * rows) / GROUP) }),
    };
    for await (const block of blocksOf(this.templates, rows, this.held)) {
      for (let firstProbe = 0; firstProbe < total; firstProbe += each) {
        signal?.throwIfAborted();
        const part = probes.subarray(firstProbe * length, (firstProbe + each) * length);
        const results = await this.product.run(part, block.stored, block.rows, into);
        const { first, count: n, rows: stride } = block;
        if (firstProbe === 0) checkScores(results.scores, first, n);
        await onScores({ ...results, stride, first, count: n, firstProbe, probes: part.length / length });
      }
      onProgress?.(block.first + block.count, count);
    }
  }

  /** Frees the product. */
  close(): Promise<void> {
    return this.product.close();
  }
}

export interface BlockOptions extends ScanOptions {
  /** Threads of a product; by default as many as the machine lets this process run at once. */
  threads?: number;
  /**
   * Takes a block: `scores` is [probeCount, count], row i the cosines of probe firstProbe + i to the templates
   * first .. first + count - 1. The array is used again: copy what is to be kept. With few probes (fewer than 8
   * million / rows a block) every call has all of them, and firstProbe is 0.
   */
  onBlock(
    scores: Float32Array,
    first: number,
    count: number,
    firstProbe: number,
    probeCount: number,
  ): void | Promise<void>;
}

/**
 * Cosine scores of `probes` ([P, D], unit rows) against all `templates` in blocks, by default of 4 million numbers
 * (8,192 templates of 512). Memory: two blocks (32 MiB) and one block of scores (32 MiB), whatever N and P are.
 * Throws UserError as `Scanner.scan` does.
 */
export async function eachBlock(
  probes: Float32Array,
  templates: TemplateSource,
  { onBlock, threads, ...options }: BlockOptions,
): Promise<void> {
  const scanner = await Scanner.open(templates, { ...(threads && { threads }) });
  const compact = ({ scores, stride, first, count, firstProbe, probes: n }: Scores) => {
    if (stride > count)
      for (let i = 1; i < n; i++) scores.copyWithin(i * count, i * stride, i * stride + count);
    return onBlock(scores.subarray(0, n * count), first, count, firstProbe, n);
  };
  await scanner.scan(probes, compact, options).finally(() => scanner.close());
}

function blockRows(asked: number | undefined, length: number, count: number): number {
  const most = asked ?? Math.max(ROWS, Math.floor(BLOCK_NUMBERS / length / ROWS) * ROWS);
  if (!(Number.isInteger(most) && most > 0))
    throw new UserError(`rows a block must be a whole number from 1 on, not ${most}`);
  return wholeRows(Math.min(most, count));
}

function checkProbes(probes: Float32Array, length: number): void {
  if (probes.length % length !== 0)
    throw new UserError(
      `probes: ${probes.length} numbers do not make rows of ${length}, the templates' length; use the templates' model`,
    );
  requireUnit(probes, length, 'probe');
}

/** A template that holds NaN or an infinity makes every score of its own the same, so one probe's tell. */
function checkScores(scores: Float32Array, first: number, count: number): void {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += scores[i]!;
  if (Number.isFinite(sum)) return;
  const at = scores.subarray(0, count).findIndex((score) => !Number.isFinite(score));
  throw new UserError(
    `template ${first + at}: it holds numbers that are not finite; make the templates again`,
  );
}
