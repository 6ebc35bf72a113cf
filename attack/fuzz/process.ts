// A child process that runs cases, watched from outside: its time and memory come from the system, so that a case which
// never comes back is seen. Processor time counts, not the clock: a busy machine makes no case slow.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { AT, type Batch, type BatchResult, type Start } from './batch.js';
import type { Failure } from './outcome.js';

/** What a case may take. */
export interface Limits {
  /** Seconds of processor time. */
  seconds: number;
  /** Bytes by which it may let the process grow. */
  memory: number;
  /** Seconds by the clock in which it may do nothing: it waits for what never comes. */
  idle: number;
}

export const LIMITS: Limits = { seconds: 10, memory: 1500 * 2 ** 20, idle: 60 };

/** Milliseconds between two looks at the process. */
const LOOK = 50;
/** Ticks of the system's clock in a second; 100 on every Linux that Node has a build for. */
const TICKS = 100;
const PAGE = 4096;

interface Usage {
  seconds: number;
  bytes: number;
}

/** Processor seconds and resident bytes of a process and all below it; undefined when it is gone. */
function usageOf(pid: number): Usage | undefined {
  try {
    // The second field is the command in brackets, which may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/s, '').split(' ');
    // Its own time, and that of its processes which have ended.
    const ticks = [12, 13, 14, 15].reduce((sum, field) => sum + Number(fields[field]), 0);
    const below = childrenOf(pid)
      .map(usageOf)
      .filter((usage) => usage !== undefined);
    return {
      seconds: below.reduce((sum, { seconds }) => sum + seconds, ticks / TICKS),
      bytes: below.reduce((sum, { bytes }) => sum + bytes, Number(fields[22]) * PAGE),
    };
  } catch {
    return undefined;
  }
}

/** Processes that a process has started; those of its first thread, as Node starts them. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);

/** A process that came to its end in a case. */
export interface Death {
  at: number;
  problem: Failure['problem'];
  detail: string;
}

export class CaseProcess {
  readonly #child: ChildProcess;
  readonly #scratch: string;
  #errors = '';
  #start = 0;

  private constructor(
    start: Omit<Start, 'scratch' | 'memory'>,
    private readonly limits: Limits,
  ) {
    this.#scratch = mkdtempSync(join(tmpdir(), 'hypersphere-attack-'));
    const file = fileURLToPath(new URL('./child.ts', import.meta.url));
    const given: Start = { ...start, scratch: this.#scratch, memory: limits.memory };
    // Whatever the case does stays in a folder that is thrown away.
    const env = {
      ...process.env,
      HYPERSPHERE_CACHE: join(this.#scratch, 'cache'),
      ORT_DISABLE_TELEMETRY: '1',
    };
    this.#child = spawn(process.execPath, ['--import', 'tsx', file, JSON.stringify(given)], {
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'json',
    });
    this.#child.stderr!.on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
  }

  /** Starts a process for one reader and waits until it is ready. */
  static async start(start: Omit<Start, 'scratch' | 'memory'>, limits: Limits): Promise<CaseProcess> {
    const started = new CaseProcess(start, limits);
    const ready = await new Promise<boolean>((resolve) => {
      started.#child.once('message', () => resolve(true));
      started.#child.once('exit', () => resolve(false));
    });
    if (!ready) {
      started.#clear();
      throw new Error(`the process for ${start.reader} did not start: ${started.#errors}`);
    }
    started.#start = usageOf(started.#child.pid!)?.bytes ?? 0;
    return started;
  }

  /** Runs a batch; what the process says of it, or how it ended. */
  run(batch: Batch): Promise<BatchResult | Death> {
    const { pid } = this.#child;
    let death: Death | undefined;
    let at = -1;
    let before = 0;
    let idleSince = performance.now();
    const look = () => {
      const usage = usageOf(pid!);
      if (!usage) return;
      const now = this.#at(batch.from);
      if (now !== at) [at, before, idleSince] = [now, usage.seconds, performance.now()];
      const spent = usage.seconds - before;
      const grown = usage.bytes - this.#start;
      const idle = (performance.now() - idleSince) / 1000;
      if (spent > this.limits.seconds)
        death = { at, problem: 'time', detail: `more than ${this.limits.seconds} s of processor time` };
      else if (grown > this.limits.memory)
        death = { at, problem: 'memory', detail: `more than ${this.limits.memory / 2 ** 20} MiB` };
      else if (spent < 1 && idle > this.limits.idle)
        death = { at, problem: 'time', detail: `waited for more than ${this.limits.idle} s` };
      if (death) this.#child.kill('SIGKILL');
    };
    return new Promise((resolve) => {
      const timer = setInterval(look, LOOK);
      const done = (result: BatchResult | Death) => {
        clearInterval(timer);
        this.#child.removeAllListeners('message').removeAllListeners('close');
        resolve(result);
      };
      this.#child.once('message', (result) => done(result as BatchResult));
      this.#child.once('close', (code, signal) => {
        const words = this.#errors.trim().split('\n');
        const said = words.find((line) => /error|fatal|abort/i.test(line)) ?? words.at(-1) ?? '';
        const detail = `ended with ${signal ?? `code ${code}`}: ${said.slice(0, 160)}`;
        done(death ?? { at: this.#at(batch.from), problem: 'crash', detail });
      });
      this.#child.send(batch);
    });
  }

  /** Ends the process and removes what it left. */
  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = new Promise((resolve) => this.#child.once('close', resolve));
      this.#child.kill('SIGKILL');
      await gone;
    }
    this.#clear();
  }

  /** The case that the process is at. */
  #at(first: number): number {
    try {
      const text = readFileSync(join(this.#scratch, AT), 'latin1');
      return text === '' ? first : Math.max(first, Number(text));
    } catch {
      return first;
    }
  }

  #clear(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}
