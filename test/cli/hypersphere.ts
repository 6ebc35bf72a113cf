// Runs the built command line as a user's shell would.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The built command. */
export const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** What a finished command left. `code` is null when a signal ended it. */
export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts the command; `finished` resolves when it ends, `child` can be sent signals. */
export function start(...flags: string[]): { child: ChildProcess; finished: Promise<Finished> } {
  const child = spawn(process.execPath, [command, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (text) => {
    stdout += text;
  });
  child.stderr!.on('data', (text) => {
    stderr += text;
  });
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, finished };
}

/** Runs the command to its end. */
export const hypersphere = (...flags: string[]): Promise<Finished> => start(...flags).finished;

/** Resolves once `condition` holds; looks every few milliseconds. */
export async function until(condition: () => boolean, seconds = 1000): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
