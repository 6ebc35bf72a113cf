// Runs a script as the ranks of a run, through Open MPI's mpirun.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What one rank wrote. */
export interface RankOutput {
  stdout: string;
  stderr: string;
}

export interface Run {
  /** mpirun's exit code, which is that of the first rank that failed. */
  code: number;
  ranks: RankOutput[];
  /** What mpirun itself said. */
  launcher: string;
}

export interface RunOptions {
  /** Added to the environment. */
  env?: Record<string, string>;
  /** Seconds after which mpirun is told to end the run (100). */
  seconds?: number;
  /** Is given mpirun's process once it has been started. */
  started?: (mpirun: ChildProcess) => void;
  /** Flags of mpirun. */
  mpirun?: string[];
}

/** Why tests that need Open MPI are skipped, or undefined where it is there. */
export const noMpi: string | undefined = (() => {
  const { stdout } = spawnSync('mpirun', ['--version'], { encoding: 'utf8' });
  return stdout?.includes('Open MPI') ? undefined : 'skipped: mpirun of Open MPI is absent (openmpi-bin)';
})();

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm')).href;

/**
 * Runs `script` (TypeScript or JavaScript; a path or file URL) on `ranks` ranks of this machine. A rank that is to
 * fail may take others with it: see `code`, and `ranks[r].stderr`.
 */
export async function onRanks(
  ranks: number,
  script: string | URL,
  args: readonly (string | number)[] = [],
  options: RunOptions = {},
): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'ranks-'));
  try {
    const file = script instanceof URL ? fileURLToPath(script) : script;
    const child = spawn(
      'mpirun',
      [
        // Tests run as root in containers, and on machines with fewer cores than ranks.
        ...['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none', '-n', String(ranks)],
        ...['--output-filename', `${folder}:nojobid,nocopy`],
        ...(options.mpirun ?? []),
        ...[process.execPath, ...(file.endsWith('.ts') ? ['--import', TSX] : []), file, ...args.map(String)],
      ],
      { env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let launcher = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        launcher += text;
      });
    options.started?.(child);
    const late = setTimeout(
      () => {
        launcher += 'the ranks took too long and were ended\n';
        child.kill();
      },
      1000 * (options.seconds ?? 100),
    );
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status) => resolve(status ?? -1));
    });
    clearTimeout(late);
    const digits = String(ranks - 1).length;
    const output = (rank: number, name: string): Promise<string> =>
      readFile(join(folder, `rank.${String(rank).padStart(digits, '0')}`, name), 'utf8').catch(() => '');
    const outputs = Array.from({ length: ranks }, async (_, rank) => ({
      stdout: await output(rank, 'stdout'),
      stderr: await output(rank, 'stderr'),
    }));
    return { code, ranks: await Promise.all(outputs), launcher };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** `onRanks` for a script that prints one line of JSON on every rank; throws with all output when a rank fails. */
export async function jsonOfRanks<T>(...parameters: Parameters<typeof onRanks>): Promise<T[]> {
  const run = await onRanks(...parameters);
  if (run.code !== 0)
    throw new Error(
      [`mpirun ended with ${run.code}`, run.launcher, ...run.ranks.map(({ stderr }) => stderr)].join('\n'),
    );
  return run.ranks.map(({ stdout }) => JSON.parse(stdout) as T);
}
