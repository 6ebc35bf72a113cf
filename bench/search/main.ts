// Exact top-k of N templates beside FAISS's exact and approximate indices and a plain loop, for one probe and for
// many, in turns in one run, with the share of the machine's memory bandwidth and matrix-product peak. See
// bench/README.md.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { openTemplates, writeTemplates } from '../../src/search/index.js';
import { memoryReads } from '../memory.js';
import { whole, wholes } from '../options.js';
import { alternate, median, type Ratio, ratioOf, ratios } from '../statistics.js';
import type { Candidate } from '../step-server.js';
import { MATMUL_FLOP, matmulPeak } from '../train-step/matmul-peak.js';
import {
  type Case,
  faiss,
  oursInFile,
  oursInMemory,
  plainLoop,
  readAll,
  recall,
  type Searcher,
} from './candidates.js';
import { syntheticPieces, syntheticProbes } from './synthetic.js';

interface Options {
  sizes: number[];
  probes: number[];
  length: number;
  k: number;
  steps: number;
  threads: number;
  seed: number;
  hnsw: boolean;
  ef: number[];
  folder: string;
  json: boolean;
}

/** One candidate's figures in one case. */
interface Row {
  name: string;
  milliseconds: number;
  fastest: number;
  /** Time over that of the fastest of FAISS's exact indices, round by round. */
  ratio?: Ratio;
  /** Of the exact k best, and of the best one. */
  recall?: { all: number; first: number };
  /** Seconds of building an index. */
  built?: number;
}

interface CaseResult {
  count: number;
  probes: number;
  /** Of our search in memory: bytes of templates a second over bytes read a second, and FLOP over those of the peak. */
  shareOfBandwidth: number;
  shareOfPeak: number;
  gigabytesPerSecond: number;
  peakGflops: number;
  rows: Row[];
}

const options = new Command('search')
  .description('times exact search beside FAISS and a plain loop')
  .option('--sizes <N>', 'templates, separated by commas', wholes, [10_000, 100_000, 1_000_000])
  .option('--probes <P>', 'probes, separated by commas', wholes, [1, 1000])
  .option('--length <D>', 'numbers of a template', whole, 512)
  .option('--k <n>', 'candidates a probe', whole, 10)
  .option('--steps <n>', 'searches timed of each, after two that are discarded', whole, 5)
  .option('--threads <n>', 'threads of every side', whole, 2)
  .option('--seed <n>', 'of the templates', whole, 1)
  .option('--no-hnsw', 'leave the approximate index out: building it takes long')
  .option('--ef <list>', 'efSearch of the approximate index, separated by commas', wholes, [64, 256])
  .option('--folder <dir>', 'where templates and built indices are kept', path.join(tmpdir(), 'search-bench'))
  .option('--json', 'print one JSON object', false)
  .parse()
  .opts<Options>();

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** The files of a gallery of `count`, made unless they are there. */
async function galleryFiles(count: number): Promise<Case['files']> {
  const { folder, length, seed } = options;
  const name = (type: string) => path.join(folder, `${count}x${length}-${seed}.${type}`);
  const files = { float32: name('float32'), float16: name('float16'), int8: name('int8') };
  for (const type of ['float32', 'float16', 'int8'] as const) {
    if (existsSync(files[type])) continue;
    say(`making ${count} templates as ${type}`);
    const pieces = type === 'float32' ? syntheticPieces(seed, count, length) : rowsOf(files.float32);
    await writeTemplates(files[type], { count, length, type }, pieces);
  }
  return files;
}

/** The rows of a file of templates in pieces. */
async function* rowsOf(file: string): AsyncGenerator<Float32Array> {
  const source = await openTemplates(file);
  const { count, length } = source;
  for (let first = 0; first < count; first += 4096) {
    const rows = new Float32Array(Math.min(4096, count - first) * length);
    await source.read(first, rows.length / length, rows);
    yield rows;
  }
  await source.close();
}

/** FAISS's indices in every Python that HYPERSPHERE_PYTHON names; those that do not start are named and left out. */
async function rivals(sizes: Case): Promise<Searcher[]> {
  const { folder, hnsw, ef, seed } = options;
  const found = path.join(folder, 'found.raw');
  const searchers: Searcher[] = [];
  for (const python of (process.env.HYPERSPHERE_PYTHON ?? 'python3').split(path.delimiter)) {
    try {
      searchers.push(await faiss('flat', python, sizes, found, ['--index', 'flat']));
    } catch (error) {
      say(`FAISS left out: ${path.basename(python)}: ${(error as Error).message}`);
    }
  }
  const [python] = (process.env.HYPERSPHERE_PYTHON ?? 'python3').split(path.delimiter);
  if (!hnsw || searchers.length === 0) return searchers;
  const cache = path.join(folder, `${sizes.count}x${sizes.length}-${seed}.hnsw`);
  for (const size of ef) {
    const flags = ['--index', 'hnsw', '--ef', String(size), '--cache', cache];
    searchers.push(await faiss(`HNSW ef ${size}`, python!, sizes, found, flags));
  }
  return searchers;
}

async function measure(count: number, probes: number): Promise<CaseResult> {
  const { folder, length, k, threads, seed, steps } = options;
  const { values } = syntheticProbes(seed, probes, { count, length });
  const probesFile = path.join(folder, 'probes.raw');
  await writeFile(probesFile, new Uint8Array(values.buffer));
  const files = await galleryFiles(count);
  const sizes: Case = {
    ...{ files, count, length, templates: await readAll(files.float32), probes: values },
    ...{ probesFile, k: Math.min(k, count), threads },
  };
  const reads = await memoryReads(threads);
  const peak = await matmulPeak(threads);
  const inMemory = await oursInMemory(sizes);
  const ours = [
    inMemory,
    await oursInFile(sizes, 'float32'),
    await oursInFile(sizes, 'float16'),
    await oursInFile(sizes, 'int8'),
  ];
  const others = await rivals(sizes);
  const loop = plainLoop(sizes, Math.max(1, Math.floor(2e9 / (count * length))));
  const searchers: Searcher[] = [...ours, ...others, loop];
  const candidates: Candidate[] = [reads, peak, ...searchers];
  try {
    const title = `${count} templates, ${probes} probes`;
    const [read = [], product = [], ...times] = await alternate(candidates, steps, (round, rounds) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${title}: round ${round} of ${rounds} `);
    });
    const exactRivals = times.slice(ours.length).filter((_, i) => others[i]?.name.endsWith('flat'));
    const reference = exactRivals.sort((a, b) => median(a) - median(b))[0];
    const bytes = count * length * 4;
    return {
      ...{ count, probes, shareOfBandwidth: (bytes / reads.bytes) * median(ratios(read, times[0]!)) },
      shareOfPeak: ((2 * count * probes * length) / MATMUL_FLOP) * median(ratios(product, times[0]!)),
      gigabytesPerSecond: reads.bytes / 1e6 / median(read),
      peakGflops: MATMUL_FLOP / 1e6 / median(product),
      rows: searchers.map(({ name, found, built }, i): Row => {
        const own = times[i]!;
        return {
          ...{ name, milliseconds: median(own), fastest: Math.min(...own) },
          ...(reference && { ratio: ratioOf(own, reference) }),
          ...(found.length > 0 && i > 0 && { recall: recall(found, inMemory.found, sizes.k) }),
          ...(built !== undefined && { built }),
        };
      }),
    };
  } finally {
    for (const candidate of candidates) await candidate.close();
  }
}

function print(result: CaseResult): void {
  const { count, probes, shareOfBandwidth, shareOfPeak, gigabytesPerSecond, peakGflops, rows } = result;
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  console.log(
    `\n${count} templates of ${options.length}, ${probes} ${probes === 1 ? 'probe' : 'probes'}, ${options.threads} threads; memory ${gigabytesPerSecond.toFixed(1)} GB/s, matrix product ${peakGflops.toFixed(0)} GFLOP/s`,
  );
  console.log(
    `float32 in memory: ${percent(shareOfBandwidth)} of the bandwidth, ${percent(shareOfPeak)} of the peak`,
  );
  const head = ['ms', 'fastest', 'recall', 'rank 1', 'built s'];
  console.log(`${''.padEnd(26)}${head.map((cell) => cell.padStart(10)).join('')}  time over FAISS flat`);
  for (const { name, milliseconds, fastest, recall: share, built, ratio } of rows) {
    const cells = [
      milliseconds.toFixed(1),
      fastest.toFixed(1),
      share ? share.all.toFixed(4) : '',
      share ? share.first.toFixed(3) : '',
      built === undefined ? '' : built.toFixed(1),
    ];
    const relative = ratio
      ? `  ${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`
      : '';
    console.log(`${name.padEnd(26)}${cells.map((cell) => cell.padStart(10)).join('')}${relative}`);
  }
}

await mkdir(options.folder, { recursive: true });
const results: CaseResult[] = [];
for (const count of options.sizes) {
  for (const probes of options.probes) {
    const result = await measure(count, probes);
    results.push(result);
    if (!options.json) print(result);
  }
}
if (options.json) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  console.log(JSON.stringify({ machine, ...options, results }));
}
