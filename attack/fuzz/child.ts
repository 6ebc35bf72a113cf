// The process that runs cases: started by runner.ts, which may end it at any time. It says in a file which case it is at,
// so that a case which takes the process with it is known.
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { AT, type Batch, type BatchResult, FILES, type Start } from './batch.js';
import { type Corpus, caseOf, corpusOf } from './cases.js';
import { type Failure, problemOf } from './outcome.js';
import type { Files } from './reader.js';
import { loadReader } from './readers/load.js';

const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
const peak = (): number => process.resourceUsage().maxRSS * 1024;

function put(folder: string, files: Files): void {
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
}

/** What came of one case. */
async function run(
  corpus: Corpus,
  seed: number,
  number: number,
  folder: string,
): Promise<'value' | 'refused' | Failure> {
  const { reader, valid } = corpus;
  const files = caseOf(corpus, seed, number);
  mkdirSync(folder);
  if (reader.onDisk) put(folder, files);
  try {
    await reader.read(files, folder);
    return 'value';
  } catch (error) {
    const found = problemOf(error);
    if (found) return { reader: reader.name, number, ...found };
    if (number < valid) {
      const detail = `valid file ${number} was refused: ${(error as Error).message}`;
      return { reader: reader.name, number, problem: 'refused', detail };
    }
    return 'refused';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main({ reader: name, seed, scratch, memory }: Start): Promise<void> {
  const corpus = await corpusOf(await loadReader(name));
  const at = openSync(join(scratch, AT), 'w');
  const folder = join(scratch, FILES);
  rmSync(folder, { recursive: true, force: true });
  const start = peak();
  process.on('message', async ({ from, to }: Batch) => {
    const result: BatchResult = {
      from,
      to,
      values: 0,
      refused: 0,
      failures: [],
      slowest: { number: from, seconds: 0 },
    };
    for (let number = from; number < to; number++) {
      writeSync(at, String(number).padEnd(16), 0);
      const before = Math.max(start, peak());
      const began = performance.now();
      const outcome = await run(corpus, seed, number, folder);
      const seconds = (performance.now() - began) / 1000;
      if (seconds > result.slowest.seconds) result.slowest = { number, seconds };
      const grown = peak() - start;
      if (grown > memory && peak() > before) {
        const detail = `${megabytes(grown)} more than before`;
        result.failures.push({ reader: name, number, problem: 'memory', detail });
        result.to = number + 1;
        break;
      }
      if (outcome === 'value') result.values++;
      else if (outcome === 'refused') result.refused++;
      else result.failures.push(outcome);
    }
    process.send!(result);
  });
  process.on('disconnect', () => {
    closeSync(at);
    process.exit();
  });
  process.send!('ready');
}

await main(JSON.parse(process.argv[2]!) as Start);
