// What the commands share at the terminal's edge: results on standard output, everything else on standard
// error, a progress bar for people and plain lines for logs, and the exit codes of common/errors.ts. Text from
// outside, such as file names, is shown so that a terminal does not obey it.
import { SingleBar } from 'cli-progress';
import { CommanderError } from 'commander';
import { printable, printableLines } from '../common/display.js';
import { type ErrorCode, errorCode, errorCodes, UserError } from '../common/errors.js';
import { systemMeaning } from '../common/system-error.js';

/** A command that was not understood. */
export class UsageError extends UserError {
  constructor(message: string) {
    super(message, { code: 'usage' });
  }
}

/** Runs `parse`, turning a user's mistake inside it into a `UsageError`. */
export function usage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UserError) throw new UsageError(error.message);
    throw error;
  }
}

/** Writes lines for people on standard error; each is shown as one line, whatever the names in it hold. */
export function note(...lines: string[]): void {
  for (const line of lines) process.stderr.write(`${printable(line)}\n`);
}

/**
 * Prints a command's result: one JSON object with `json`, else the text. Each of several lines is shown as one line,
 * whatever the names in it hold. Nothing else uses standard output.
 */
export function result(value: object, text: string | readonly string[], json: boolean | undefined): void {
  if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
  else if (typeof text === 'string') process.stdout.write(`${printableLines(text)}\n`);
  else process.stdout.write(text.map((line) => `${printable(line)}\n`).join(''));
}

/**
 * Runs the program and sets the exit code. An error is one line on standard error (a stack with HYPERSPHERE_DEBUG=1),
 * and with `--json` an object { "error": { "code", "message" } } on standard output.
 */
export async function main(program: () => Promise<unknown>): Promise<void> {
  guardStreams();
  // Warnings of the library as notes; Node's own way of showing them is for programs.
  process.removeAllListeners('warning');
  process.on('warning', ({ message }) => note(`warning: ${message}`));
  try {
    await program();
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has already printed its line.
      endWith(error.exitCode === 0 ? undefined : 'usage');
      if (error.exitCode !== 0) failure('usage', error.message.replace(/^error: /, ''));
      return;
    }
    process.exitCode = report(error);
  }
}

/** Sets the exit code of a command that ends by itself; undefined: it is done. */
export function endWith(code: ErrorCode | undefined): void {
  process.exitCode = code === undefined ? 0 : errorCodes[code].exit;
}

/** Reports why a command failed; returns the exit code. */
export function report(error: unknown): number {
  const thrown = error instanceof Error ? error : new Error(String(error));
  const message = oneLine(thrown);
  if (process.env.HYPERSPHERE_DEBUG === '1')
    process.stderr.write(`${printableLines(String(thrown.stack))}\n`);
  else note(`hypersphere: ${message}`);
  const code = errorCode(thrown);
  failure(code, message);
  return errorCodes[code].exit;
}

/** The failure of a command that was to print JSON. */
function failure(code: ErrorCode, message: string): void {
  const flags = process.argv.slice(2);
  const end = flags.indexOf('--');
  if (flags.slice(0, end < 0 ? flags.length : end).includes('--json'))
    process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
}

/**
 * A reader that closes its end of a pipe early (`| head`) is no mistake, and nothing that only shows progress
 * may end a training run; a result that cannot be written is an error like any other.
 */
function guardStreams(): void {
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    note(`hypersphere: standard output: ${systemMeaning(error) ?? error.message}`);
    endWith(errorCode(error));
  });
}

function oneLine(error: Error): string {
  if (error instanceof UserError) return error.message;
  const message = (error.message || error.name).split('\n')[0]!;
  const meaning = systemMeaning(error);
  if (meaning) return `${(error as NodeJS.ErrnoException).path ?? message}: ${meaning}`;
  return `${message} (HYPERSPHERE_DEBUG=1 shows where)`;
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
    update: (done, text) => shown.update(done, { text: printable(text) }),
    note(line) {
      process.stderr.write(`\r\u001b[K${printable(line)}\n`);
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
