// What takes part in the search benchmark: ours on templates in memory and in files, FAISS, and a plain loop. Each
// says once what it found, so that approximate ones can be held against the exact answer.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { memoryTemplates, openTemplates, Search, type TemplateSource } from '../../src/search/index.js';
import { type Candidate, StepServer } from '../step-server.js';

/** What everyone is given. */
export interface Case {
  /** Files of the same templates. */
  files: Record<'float32' | 'float16' | 'int8', string>;
  count: number;
  length: number;
  /** [count, length], the float32 ones. */
  templates: Float32Array;
  /** [P, length], and a raw file of them. */
  probes: Float32Array;
  probesFile: string;
  k: number;
  threads: number;
}

/** A candidate with the rows it found, [P, k]. */
export interface Searcher extends Candidate {
  found: Int32Array;
  /** Seconds that building its index took, where that is more than copying. */
  built?: number;
}

async function ours(
  name: string,
  { probes, k, threads }: Case,
  templates: TemplateSource,
  close: () => Promise<void>,
  exact?: TemplateSource,
): Promise<Searcher> {
  const search = await Search.open(templates, { threads, ...(exact && { exact }) });
  const { rows } = await search.topK(probes, { k });
  return {
    name,
    found: rows,
    async step() {
      const start = performance.now();
      await search.topK(probes, { k });
      return performance.now() - start;
    },
    async close() {
      await search.close();
      await close();
    },
  };
}

/** All templates of a file. */
export async function readAll(file: string): Promise<Float32Array> {
  const source = await openTemplates(file);
  const { count, length } = source;
  const values = new Float32Array(count * length);
  const rows = 8192;
  for (let first = 0; first < count; first += rows) {
    const n = Math.min(rows, count - first);
    await source.read(first, n, values.subarray(first * length, (first + n) * length));
  }
  await source.close();
  return values;
}

/** Templates in memory as float32. */
export function oursInMemory(sizes: Case): Promise<Searcher> {
  return ours('float32 in memory', sizes, memoryTemplates(sizes.templates, sizes.length), async () => {});
}

/** Templates in a file; int8 ones are scored again with the float32 file. */
export async function oursInFile(sizes: Case, type: keyof Case['files']): Promise<Searcher> {
  const file = await openTemplates(sizes.files[type]);
  if (type !== 'int8') return ours(`${type} file`, sizes, file, () => file.close());
  const exact = await openTemplates(sizes.files.float32);
  const close = async () => {
    await file.close();
    await exact.close();
  };
  return ours('int8 file, reranked', sizes, file, close, exact);
}

/** A loop over typed arrays, one probe after another; at most `most` probes, whose time is scaled to all. */
export function plainLoop({ templates, count, length, probes, k }: Case, most: number): Searcher {
  const total = probes.length / length;
  const timed = Math.min(total, most);
  const search = (probe: number): { score: number; row: number }[] => {
    const best: { score: number; row: number }[] = [];
    for (let row = 0, at = 0; row < count; row++) {
      let score = 0;
      for (let d = probe * length, end = d + length; d < end; d++, at++) score += probes[d]! * templates[at]!;
      if (best.length === k && score <= best[k - 1]!.score) continue;
      let place = best.length;
      while (place > 0 && best[place - 1]!.score < score) place--;
      best.splice(place, 0, { score, row });
      if (best.length > k) best.pop();
    }
    return best;
  };
  return {
    name: 'plain loop',
    found: new Int32Array(0),
    async step() {
      const start = performance.now();
      for (let probe = 0; probe < timed; probe++) search(probe);
      return ((performance.now() - start) * total) / timed;
    },
    close: async () => {},
  };
}

/** FAISS in the Python that `python` names. `flags` are those of faiss_server.py. */
export async function faiss(
  name: string,
  python: string,
  { files, probesFile, k, threads }: Case,
  found: string,
  flags: string[],
): Promise<Searcher> {
  const script = fileURLToPath(new URL('./faiss_server.py', import.meta.url));
  const server = await StepServer.start(name, python, [
    ...[script, '--templates', files.float32, '--probes', probesFile, '--found', found],
    ...['--k', String(k), '--threads', String(threads), ...flags],
  ]);
  const bytes = await readFile(found);
  const rows = new Int32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
  );
  return {
    name: `FAISS ${server.version} ${name}`,
    found: rows,
    ...(flags.includes('hnsw') && !server.about.cached && { built: Number(server.about.built) }),
    step: () => server.step(),
    close: () => server.close(),
  };
}

/** The share of the exact k best that were found as well, and the share of probes whose best is the same. */
export function recall(found: Int32Array, exact: Int32Array, k: number): { all: number; first: number } {
  const probes = exact.length / k;
  let all = 0;
  let first = 0;
  for (let p = 0; p < probes; p++) {
    const truth = new Set(exact.subarray(p * k, (p + 1) * k));
    for (const row of found.subarray(p * k, (p + 1) * k)) if (truth.has(row)) all++;
    if (found[p * k] === exact[p * k]) first++;
  }
  return { all: all / exact.length, first: first / probes };
}
