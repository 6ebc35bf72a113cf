// Attacks the reading of images: seeded damage to a small file of every format and variant, each decoded as a photograph
// and as a face. A case passes when it ends in pixels or in one line within the limits of time and memory.
//
//   npx tsx attack/images.ts [--cases 10000] [--seed 1] [--first 0]
//
// The cases run in a process of their own; a crash or a hang of it is a failure of the case at hand. Linux only: memory
// is read from /proc.
import { fork } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { UserError } from '../src/common/errors.js';
import { random } from '../src/common/random.js';
import { decodeBytes } from '../src/data/images.js';
import { decodePhotograph } from '../src/data/photograph.js';
import { damaged, seedImages } from '../test/support/hostile-images.js';

/** Bounds of one case, of both readings together. */
const MOST_SECONDS = 2 * 10;
const MOST_BYTES = 1.5e9;
/** Wall-clock seconds after which a case hangs. */
const PATIENCE = 300;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    run: { type: 'boolean', default: false },
  },
});
const [cases, seed, first] = [Number(values.cases), Number(values.seed), Number(values.first)];

/** What a case came to; times in seconds, memory in bytes. */
interface Outcome {
  case: number;
  file: string;
  bytes: number;
  /** Whether pixels came out, as a photograph and as a face; else the line. */
  photograph: string;
  face: string;
  seconds: number;
  memory: number;
  mistake?: string;
}

interface Usage {
  memory: number;
  ticks: number;
}

/** Memory and processor time of this process and of its children. */
function usage(): Usage {
  const sum = { memory: 0, ticks: 0 };
  const own = String(process.pid);
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (pid !== own && fields[1] !== own) continue;
      sum.memory += Number(fields[21]) * 4096;
      // Of ended children too.
      sum.ticks +=
        Number(fields[11]) + Number(fields[12]) + (pid === own ? Number(fields[13]) + Number(fields[14]) : 0);
    } catch {
      // It ended meanwhile.
    }
  }
  return sum;
}

async function runCases(): Promise<void> {
  const seeds = [...(await seedImages(random(seed, 'seeds')))];
  const files = seeds.map(([, bytes]) => bytes);
  for (let i = first; i < first + cases; i++) {
    const [file, original] = seeds[i % seeds.length]!;
    const bytes = damaged(original, random(seed, 'case', i), files);
    process.send!({ begun: i, file });
    const before = usage();
    let memory = before.memory;
    const watch = setInterval(() => {
      memory = Math.max(memory, usage().memory);
    }, 20);
    const outcome: Outcome = {
      case: i,
      file,
      bytes: bytes.length,
      photograph: '',
      face: '',
      seconds: 0,
      memory: 0,
    };
    const attempt = async (work: () => Promise<unknown>): Promise<string> => {
      try {
        await work();
        return 'pixels';
      } catch (error) {
        if (!(error instanceof UserError))
          outcome.mistake = error instanceof Error ? error.stack : String(error);
        else if (/\n/.test(error.message)) outcome.mistake = `several lines: ${error.message}`;
        return (error as Error).message;
      }
    };
    outcome.photograph = await attempt(() => decodePhotograph(bytes, 'x'));
    outcome.face = await attempt(() => decodeBytes(bytes, 'x', { size: [112, 96], order: 'rgb' }));
    clearInterval(watch);
    outcome.seconds = (usage().ticks - before.ticks) / 100;
    outcome.memory = memory;
    process.send!({ outcome });
  }
}

async function supervise(): Promise<void> {
  const failures: string[] = [];
  const counts = new Map<string, number>();
  let slowest = { seconds: 0, memory: 0 };
  let largest = slowest;
  let next = first;
  while (next < first + cases) {
    let at = { begun: -1, file: '' };
    const child = fork(
      fileURLToPath(import.meta.url),
      ['--run', '--seed', String(seed), '--first', String(next), '--cases', String(first + cases - next)],
      { execArgv: process.execArgv, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
    );
    let timer: NodeJS.Timeout | undefined;
    const ended = await new Promise<string>((resolve) => {
      const wait = () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          child.kill('SIGKILL');
          resolve(`no end after ${PATIENCE} s`);
        }, PATIENCE * 1000);
      };
      wait();
      child.on('message', (message: { begun: number; file: string } | { outcome: Outcome }) => {
        wait();
        if ('begun' in message) {
          at = message;
          return;
        }
        const { outcome } = message;
        next = outcome.case + 1;
        const kind = outcome.photograph.replace(/^x: /, '').replace(/\d+/g, 'N');
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        if (outcome.seconds > slowest.seconds) slowest = outcome;
        if (outcome.memory > largest.memory) largest = outcome;
        if (outcome.mistake || outcome.seconds > MOST_SECONDS || outcome.memory > MOST_BYTES)
          failures.push(JSON.stringify(outcome));
        if (next % 1000 === 0) console.log(`${next} cases, ${failures.length} failures`);
      });
      child.on('exit', (code, signal) =>
        resolve(next >= first + cases ? '' : `ended with ${signal ?? code}`),
      );
    });
    clearTimeout(timer);
    if (ended !== '') {
      if (at.begun < 0) throw new Error(`the cases do not start: the process ${ended}`);
      failures.push(JSON.stringify({ case: at.begun, file: at.file, ended }));
      next = at.begun + 1;
    }
  }
  for (const [line, count] of [...counts].sort((a, b) => b[1] - a[1])) console.log(`${count}\t${line}`);
  console.log('slowest', JSON.stringify(slowest));
  console.log('largest', JSON.stringify(largest));
  for (const failure of failures) console.log('FAILED', failure);
  console.log(`${cases} cases from ${first}, seed ${seed}: ${failures.length} failures`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}

if (values.run) {
  await runCases();
  process.exit(0);
} else await supervise();
