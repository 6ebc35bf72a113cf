// A model file of unknown origin is opened and run once in a process of its own before it is in this one: there a
// constant of gigabytes, a run of hours or a crash of the runtime costs nothing but a line. A file that has passed is
// known by its hash from then on.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cacheFolder } from '../common/cache.js';
import { UserError } from '../common/errors.js';
import { requireBounded } from '../lower/onnx.js';
import { env } from './onnxruntime.js';

/** What a model may take to be opened and run once, on one thread. */
export interface TrialLimits {
  /** Seconds of computing. */
  seconds: number;
  /** MiB of memory. */
  mebibytes: number;
}

/** What the process of a trial says when it is done, or when it has to end itself. */
export type TrialOutcome = 'done' | 'time' | 'memory';

/** Seconds of computing, and MiB of memory beside four times the file. */
const SECONDS = 60;
const MEBIBYTES = 2048;
/** Seconds by the clock after which a trial has ended in any case: one that computes ends itself, however busy the machine. */
const LATEST = 1800;

const VARIABLES = { seconds: 'HYPERSPHERE_MODEL_SECONDS', mebibytes: 'HYPERSPHERE_MODEL_MIB' } as const;

/** The limits for a file of so many bytes: of the environment, else the defaults; 0 seconds: no trial. */
export function trialLimits(bytes: number, environment: NodeJS.ProcessEnv = process.env): TrialLimits {
  const stated = (name: string): number | undefined => {
    const text = environment[name];
    if (!text) return undefined;
    const value = Number(text);
    if (!(value >= 0 && value < Infinity))
      throw new UserError(`${name} must be a number from 0 on, not '${text}'`);
    return value;
  };
  return {
    seconds: stated(VARIABLES.seconds) ?? SECONDS,
    mebibytes: stated(VARIABLES.mebibytes) ?? MEBIBYTES + Math.ceil((4 * bytes) / 2 ** 20),
  };
}

/**
 * Resolves when the model in the bytes of a file can be opened and run once within the limits. Throws a UserError that
 * begins with `name` when it cannot. A model that the runtime refuses passes: it is refused again where it is opened.
 */
export async function tryModel(
  bytes: Uint8Array,
  name: string,
  limits: TrialLimits = trialLimits(bytes.length),
): Promise<void> {
  try {
    requireBounded(bytes);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${name}: ${error.message}`) : error;
  }
  const { seconds, mebibytes } = limits;
  if (seconds === 0) return;
  const hash = createHash('sha256').update(bytes).digest('hex');
  const passed = join(cacheFolder(), 'tried', `${hash}-${env.versions.node}-${seconds}s-${mebibytes}m`);
  if (existsSync(passed)) return;
  const outcome = await inChild(bytes, limits);
  const remedy = (variable: string) => `if you trust it, set ${variable} higher`;
  if (outcome === 'time')
    throw new UserError(
      `${name}: takes more than ${seconds} s to be opened and run once; ${remedy(VARIABLES.seconds)}`,
      { code: 'limit' },
    );
  if (outcome === 'memory')
    throw new UserError(
      `${name}: takes more than ${mebibytes} MiB of memory to be opened and run once; ${remedy(VARIABLES.mebibytes)}`,
      { code: 'limit' },
    );
  if (outcome !== 'done')
    throw new UserError(
      `${name}: the process in which it was tried ended by ${outcome.signal ?? `exit code ${outcome.code}`}, so it is not opened here${outcome.line && ` (${outcome.line})`}; if you trust it, set ${VARIABLES.seconds}=0`,
    );
  try {
    mkdirSync(join(cacheFolder(), 'tried'), { recursive: true });
    writeFileSync(passed, '');
  } catch {
    // It is tried again next time.
  }
}

interface Failed {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last line that it wrote to standard error. */
  line: string;
}

/** How the process of a trial ended. */
async function inChild(bytes: Uint8Array, limits: TrialLimits): Promise<TrialOutcome | Failed> {
  const sources = import.meta.url.endsWith('.ts');
  const file = fileURLToPath(new URL(`./trial-child.${sources ? 'ts' : 'js'}`, import.meta.url));
  const loader = sources
    ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm')).href]
    : [];
  const child = spawn(process.execPath, [...loader, file, JSON.stringify(limits)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  const output = { stdout: '', stderr: '' };
  const ended = new Promise<Omit<Failed, 'line'>>((resolve) => {
    child.on('error', ({ message }) => {
      output.stderr = message;
      resolve({ code: null, signal: null });
    });
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] = (output[name] + text).slice(-4096);
    });
  // One that has ended takes no more bytes.
  child.stdin.on('error', () => {});
  child.stdin.end(bytes);
  let ranOut = false;
  const late = setTimeout(() => {
    ranOut = true;
    child.kill('SIGKILL');
  }, 1000 * LATEST);
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  try {
    const { code, signal } = await ended;
    const outcome = (['done', 'time', 'memory'] as const).find((word) => output.stdout.trim() === word);
    if (ranOut) return 'time';
    if (outcome === 'done' && code !== 0) return { code, signal, line: '' };
    return outcome ?? { code, signal, line: output.stderr.trim().split('\n').at(-1) ?? '' };
  } finally {
    clearTimeout(late);
    process.off('exit', end);
  }
}
