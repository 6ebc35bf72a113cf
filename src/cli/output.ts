// What the commands share at the terminal's edge: results on standard output, everything else on standard
// error, a progress bar for people and plain lines for logs, and exit codes. Exit codes: 0 done, 2 the
// command was not understood, 1 anything else, with one line that says what.
import { SingleBar } from 'cli-progress';
import { CommanderError } from 'commander';
import { UserError } from '../common/errors.js';

/** A command that was not understood: exit code 2. */
export class UsageError extends UserError {}

/** Runs `parse`, turning a user's mistake inside it into a `UsageError`. */
export function usage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UserError) throw new UsageError(error.message);
    throw error;
  }
}

/** Writes a line for people on standard error. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Prints a command's result: one JSON object with `json`, else the text. Nothing else uses standard output. */
export function result(value: object, text: string, json: boolean | undefined): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`);
}

/** Runs the program and sets the exit code; prints one line for an error (a stack with HYPERSPHERE_DEBUG=1). */
export async function main(program: () => Promise<unknown>): Promise<void> {
  guardStreams();
  try {
    await program();
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has already printed its line.
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    process.exitCode = tell(error);
  }
}

/** Says why a command failed, in one line; returns the exit code. */
export function tell(error: unknown): number {
  const failure = error instanceof Error ? error : new Error(String(error));
  note(process.env.HYPERSPHERE_DEBUG === '1' ? String(failure.stack) : `hypersphere: ${oneLine(failure)}`);
  return failure instanceof UsageError ? 2 : 1;
}

/**
 * A reader that closes its end of a pipe early (`| head`) is no mistake, and nothing that only shows progress
 * may end a training run; a result that cannot be written is an error like any other.
 */
function guardStreams(): void {
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    note(`hypersphere: standard output: ${DISK[error.code ?? ''] ?? error.message}`);
    process.exitCode = 1;
  });
}

/** What the operating system says of files, in words. */
const DISK: Record<string, string> = {
  ENOSPC: 'no space is left on its disk',
  EDQUOT: 'the quota of its disk is used up',
  EACCES: 'permission was denied',
  EPERM: 'permission was denied',
  EROFS: 'its disk is read-only',
  ENOTDIR: 'a part of this path is a file, not a folder',
  EISDIR: 'is a folder, not a file',
  ENOENT: 'no such file or folder',
};

function oneLine(error: Error): string {
  const message = (error.message || error.name).split('\n')[0]!;
  const { code, path } = error as NodeJS.ErrnoException;
  if (code && DISK[code]) return `${path ?? message}: ${DISK[code]}`;
  return error instanceof UserError ? message : `${message} (HYPERSPHERE_DEBUG=1 shows where)`;
}

/** Seconds as '45 s', '12 min' or '3 h 05 min'. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** Progress of a long task. */
export interface Progress {
  /** Says how far the task is, and what to show beside it. */
  update(done: number, text: string): void;
  /** Writes a line without disturbing the bar. */
  note(line: string): void;
  stop(): void;
}

/** Seconds between lines where there is no terminal. */
const LINE_INTERVAL = 15;

/** Shows progress on standard error: a bar on a terminal, a line now and then elsewhere. */
export function progress(total: number, unit: string): Progress {
  return process.stderr.isTTY ? bar(total, unit) : lines(total, unit);
}

/** Progress that says how long the rest will take at the speed so far; what was there at the start took no time. */
export function timedProgress(total: number, unit: string): Progress {
  const shown = progress(total, unit);
  const started = performance.now();
  let before: number | undefined;
  return {
    ...shown,
    update(done, text) {
      before ??= done >= total ? 0 : done;
      const each = (performance.now() - started) / 1000 / (done - before || Number.NaN);
      const left = done > before ? `${duration(each * (total - done))} left` : '';
      shown.update(done, [text, left].filter((part) => part !== '').join('  '));
    },
  };
}

function bar(total: number, unit: string): Progress {
  const shown = new SingleBar({
    format: ` {bar} {value}/{total} ${unit}  {text}`,
    barsize: 20,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    stream: process.stderr,
    gracefulExit: false,
    linewrap: false,
  });
  shown.start(total, 0, { text: '' });
  return {
    update: (done, text) => shown.update(done, { text }),
    note(line) {
      process.stderr.write(`\r\u001b[K${line}\n`);
    },
    stop: () => shown.stop(),
  };
}

function lines(total: number, unit: string): Progress {
  let last = Number.NEGATIVE_INFINITY;
  return {
    update(done, text) {
      const now = performance.now() / 1000;
      if (done < total && now - last < LINE_INTERVAL) return;
      last = now;
      note(`${done}/${total} ${unit}  ${text}`);
    },
    note,
    stop() {},
  };
}
