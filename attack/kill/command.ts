// The built command line as a child process, alone or under strace.
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ended {
  /** Null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  seconds: number;
}

export interface Started {
  child: ChildProcess;
  ended: Promise<Ended>;
}

export interface StartOptions {
  env?: Record<string, string>;
  /** What comes before `node`, such as strace and its flags. */
  under?: readonly string[];
}

/** Starts the command. */
export function start(args: readonly string[], { env = {}, under = [] }: StartOptions = {}): Started {
  const [program, ...rest] = [...under, process.execPath, MAIN, ...args];
  const began = performance.now();
  const child = spawn(program!, rest, {
    env: { ...process.env, ORT_DISABLE_TELEMETRY: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (text) => {
    stdout += text;
  });
  child.stderr!.on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) =>
      resolve({ code, signal, stdout, stderr, seconds: (performance.now() - began) / 1000 }),
    );
  });
  return { child, ended };
}

/** Runs the command to its end. */
export const run = (args: readonly string[], options?: StartOptions): Promise<Ended> =>
  start(args, options).ended;

/** The last line on standard error, for messages. */
export const lastLine = ({ stderr }: Pick<Ended, 'stderr'>): string =>
  stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
