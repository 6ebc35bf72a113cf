// What is lost when templates are rounded: the share of the exact k best that a search of float16 or int8 templates
// finds, with and without scoring its candidates again, and what becomes of rank 1. On embeddings of real faces
// (every image a probe among all others), or on a synthetic gallery. See bench/README.md.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { readEmbeddings } from '../../src/face/index.js';
import { type Candidates, openTemplates, topK, toUnit, writeTemplates } from '../../src/search/index.js';
import { whole } from '../options.js';
import { syntheticPieces, syntheticProbes } from './synthetic.js';

interface Options {
  embeddings?: string;
  count: number;
  probes: number;
  length: number;
  k: number;
  seed: number;
  cosine: number;
  threads: number;
  folder?: string;
  json: boolean;
}

const options = new Command('rounding')
  .description('recall and rank 1 of rounded templates')
  .option(
    '--embeddings <file>',
    'real faces, as hypersphere embed writes them (default: a synthetic gallery)',
  )
  .option('--count <N>', 'synthetic templates', whole, 1_000_000)
  .option('--probes <P>', 'synthetic probes, each with a mate', whole, 1000)
  .option('--length <D>', 'numbers of a synthetic template', whole, 512)
  .option('--cosine <c>', 'of a synthetic probe to its mate', Number, 0.5)
  .option('--k <n>', 'candidates a probe', whole, 10)
  .option('--seed <n>', 'of the synthetic gallery', whole, 1)
  .option('--threads <n>', 'threads', whole, 2)
  .option('--folder <dir>', 'where the templates of bench/search/main.ts are kept, to use them again')
  .option('--json', 'print one JSON object', false)
  .parse()
  .opts<Options>();

/** What is searched, and who the answer should be. */
interface Task {
  name: string;
  count: number;
  length: number;
  pieces(): Iterable<Float32Array>;
  probes: Float32Array;
  /** Whether `row` shows the same person as a probe. */
  mated(probe: number, row: number): boolean;
  /** Whether anything in the gallery does: what rank 1 is counted over. */
  hasMate(probe: number): boolean;
  /** A probe's own row, which does not count. */
  own(probe: number): number | undefined;
}

async function realFaces(file: string): Promise<Task> {
  const { embeddings, length, images } = await readEmbeddings(file);
  const people = new Map<string, number>();
  for (const { person } of images) if (person !== null) people.set(person, (people.get(person) ?? 0) + 1);
  const unit = toUnit(embeddings, length, 'embedding');
  return {
    name: path.basename(file),
    ...{ count: images.length, length, probes: unit },
    pieces: () => [unit],
    mated: (probe, row) => images[probe]!.person !== null && images[probe]!.person === images[row]!.person,
    hasMate: (probe) => (people.get(images[probe]!.person ?? '') ?? 0) > 1,
    own: (probe) => probe,
  };
}

function synthetic(): Task {
  const { seed, count, length, probes, cosine } = options;
  const { values, mates } = syntheticProbes(seed, probes, { count, length }, cosine);
  return {
    name: `synthetic, probes at a cosine of ${cosine}`,
    ...{ count, length, probes: values },
    pieces: () => syntheticPieces(seed, count, length),
    mated: (probe, row) => mates[probe] === row,
    hasMate: () => true,
    own: () => undefined,
  };
}

/** The first k rows of each probe, its own left out. */
function rowsOf(task: Task, found: Candidates): number[][] {
  const probes = task.probes.length / task.length;
  return Array.from({ length: probes }, (_, p) =>
    [...found.rows.subarray(p * found.k, (p + 1) * found.k)]
      .filter((row) => row !== task.own(p))
      .slice(0, options.k),
  );
}

/** How a search did beside the exact one. */
interface Outcome {
  name: string;
  /** Of the exact best one and of the exact k best. */
  recallAt1: number;
  recallAtK: number;
  /** Share of probes with a mate whose best is a mate. */
  rank1: number;
  /** Probes whose rank 1 turned from right to wrong, and from wrong to right. */
  lost: number;
  gained: number;
}

function outcome(name: string, task: Task, rows: number[][], exact: number[][]): Outcome {
  const right = (found: number[][], probe: number) => task.mated(probe, found[probe]![0]!);
  const probes = rows.map((_, p) => p);
  const mated = probes.filter(task.hasMate);
  const kept = probes.map((p) => exact[p]!.filter((row) => rows[p]!.includes(row)).length);
  return {
    name,
    recallAt1: probes.filter((p) => rows[p]![0] === exact[p]![0]).length / probes.length,
    recallAtK: kept.reduce((a, b) => a + b, 0) / exact.flat().length,
    rank1: mated.filter((p) => right(rows, p)).length / mated.length,
    lost: mated.filter((p) => right(exact, p) && !right(rows, p)).length,
    gained: mated.filter((p) => !right(exact, p) && right(rows, p)).length,
  };
}

const task = options.embeddings === undefined ? synthetic() : await realFaces(options.embeddings);
const made = await mkdtemp(path.join(tmpdir(), 'rounding-'));
try {
  const { count, length } = task;
  const file = async (type: 'float32' | 'float16' | 'int8') => {
    const kept = path.join(options.folder ?? made, `${count}x${length}-${options.seed}.${type}`);
    if (options.embeddings === undefined && existsSync(kept)) return openTemplates(kept);
    await writeTemplates(path.join(made, type), { count, length, type }, task.pieces());
    return openTemplates(path.join(made, type));
  };
  const [float32, float16, int8] = [await file('float32'), await file('float16'), await file('int8')];
  // One more than asked for, as a probe's own row is left out.
  const k = options.k + 1;
  const { threads } = options;
  const exact = rowsOf(task, await topK(task.probes, float32, { k, threads }));
  const outcomes = [outcome('float32, exact', task, exact, exact)];
  const add = async (name: string, search: Promise<Candidates>) => {
    outcomes.push(outcome(name, task, rowsOf(task, await search), exact));
  };
  await add('float16', topK(task.probes, float16, { k, threads }));
  await add('int8', topK(task.probes, int8, { k, threads }));
  for (const candidates of [k, 2 * k, 4 * k])
    await add(
      `int8, ${candidates} reranked`,
      topK(task.probes, int8, { k, threads, candidates, exact: float32 }),
    );
  if (options.json) console.log(JSON.stringify({ task: task.name, ...options, outcomes }));
  else {
    console.log(`${task.name}: ${count} templates of ${length}, ${task.probes.length / length} probes`);
    console.log(`${''.padEnd(20)}recall@1  recall@${options.k}   rank 1  right to wrong  wrong to right`);
    for (const { name, recallAt1, recallAtK, rank1, lost, gained } of outcomes)
      console.log(
        `${name.padEnd(20)}${[recallAt1, recallAtK, rank1].map((share) => share.toFixed(5).padStart(8)).join('   ')}${String(lost).padStart(13)}${String(gained).padStart(16)}`,
      );
  }
  for (const source of [float32, float16, int8]) await source.close();
} finally {
  await rm(made, { recursive: true });
}
