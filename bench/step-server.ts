// What a benchmark times: something that does one step of work and says how long it took, in this process or in
// another one that answers line by line.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Timed } from './statistics.js';

/** One step of work to time. */
export interface Candidate extends Timed {
  name: string;
  close(): Promise<void>;
}

/**
 * A step in another process. The process says one JSON line when it is ready, then answers each empty line with the
 * milliseconds its step took.
 */
export class StepServer implements Candidate {
  version = '';
  /** Everything that its first line said. */
  about: Record<string, unknown> = {};
  private readonly waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  private ended: Error | undefined;
  private lastError = '';

  private constructor(
    public name: string,
    private readonly child: ChildProcessWithoutNullStreams,
  ) {
    createInterface({ input: child.stdout }).on('line', (line) => this.waiting.shift()?.resolve(line));
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.trim()) this.lastError = line.trim();
    });
    child.on('error', (error) => this.end(error));
    child.on('close', (code) => this.end(new Error(this.lastError || `ended with exit code ${code}`)));
    child.stdin.on('error', () => undefined);
  }

  /** Starts the process and waits for its first line; rejects with the last line it wrote to standard error. */
  static async start(
    name: string,
    command: string,
    parameters: string[],
    environment: NodeJS.ProcessEnv = process.env,
  ): Promise<StepServer> {
    const server = new StepServer(name, spawn(command, parameters, { env: environment }));
    server.about = JSON.parse(await server.line()) as Record<string, unknown>;
    server.version = String(server.about.version);
    return server;
  }

  async step(): Promise<number> {
    const answer = this.line();
    this.child.stdin.write('\n');
    const text = await answer;
    if (text.startsWith('error ')) throw new Error(text.slice('error '.length));
    return Number(text);
  }

  /** A step, or undefined when it does not end within `milliseconds`; the process is then stopped. */
  async stepWithin(milliseconds: number): Promise<number | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), milliseconds);
    });
    const step = this.step();
    const first = await Promise.race([step, limit]).finally(() => clearTimeout(timer));
    if (first === undefined) {
      step.catch(() => undefined);
      this.child.kill('SIGKILL');
    }
    return first;
  }

  /** The most memory that the process has held so far, in MiB, where the system says so (Linux). */
  peakMemory(): number | undefined {
    try {
      const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
      const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
      return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.child.stdin.end();
    this.child.kill();
  }

  private line(): Promise<string> {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  private end(error: Error): void {
    this.ended = error;
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}
