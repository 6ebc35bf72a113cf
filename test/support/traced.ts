// A process as a user starts it, watched from outside: the sockets that it opens, and the files that it makes.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Why tests that need strace are skipped, or undefined where it works. */
export const noStrace: string | undefined =
  process.platform === 'linux' && spawnSync('strace', ['-f', '-e', 'trace=network', 'true']).status === 0
    ? undefined
    : 'skipped: strace is absent, or may not trace here';

/** Variables by which ONNX Runtime recognises continuous integration, where it reports nothing by itself. */
const OF_INTEGRATION =
  /^(CI|TF_BUILD|GITHUB_ACTIONS|GITLAB_CI|CIRCLECI|TRAVIS|JENKINS_URL|CODEBUILD_BUILD_ID|BUILDKITE|TEAMCITY_VERSION|APPVEYOR|BITBUCKET_BUILD_NUMBER|SYSTEM_TEAMFOUNDATIONCOLLECTIONURI|ORT_.*)$/;

/** Folders of a user who has never used Hypersphere. */
export interface Home {
  /** All others lie in it. */
  readonly folder: string;
  readonly temporary: string;
  /** Hypersphere's own cache. */
  readonly cache: string;
  /** Where the caches of all programs lie. */
  readonly caches: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Paths of all files and links in it, from `folder`. */
  files(): string[];
  remove(): void;
}

export function newHome(): Home {
  const folder = mkdtempSync(join(tmpdir(), 'home-'));
  const [temporary, caches] = [join(folder, 'tmp'), join(folder, '.cache')];
  mkdirSync(temporary);
  const inherited = Object.entries(process.env).filter(([name]) => !OF_INTEGRATION.test(name));
  return {
    folder,
    temporary,
    cache: join(caches, 'hypersphere'),
    caches,
    environment: {
      ...Object.fromEntries(inherited.filter(([name]) => name !== 'HYPERSPHERE_CACHE')),
      ...{ HOME: folder, XDG_CACHE_HOME: caches, TMPDIR: temporary },
    },
    files: () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What a traced process did. */
export interface Traced {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Calls that open or use a socket, but for pairs between a process and its children. */
  sockets: string[];
  /** Absolute paths of what was made, or opened to be written. */
  written: string[];
}

const CALLS = [
  'socket,connect,sendto,bind',
  'openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat',
].join();

const SOCKETS = /^\d+\s+(socket|connect|sendto|bind)\(/;

/** Runs a command of several words in `home` under strace. */
export async function traced(command: readonly string[], home: Home): Promise<Traced> {
  const log = join(home.folder, '..', `trace-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const child = spawn(
    'strace',
    ['-f', '--seccomp-bpf', '-s', '4096', '-e', `trace=${CALLS}`, '-o', log, ...command],
    {
      env: home.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  const ended = await new Promise<Pick<Traced, 'code' | 'signal'>>((settle, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => settle({ code, signal }));
  });
  const lines = readFileSync(log, 'utf8').split('\n');
  rmSync(log);
  return {
    ...ended,
    ...output,
    sockets: lines.filter((line) => SOCKETS.test(line)),
    written: lines.flatMap(pathsWritten),
  };
}

/** The paths that a line of strace says were made or opened to be written. */
function pathsWritten(line: string): string[] {
  if (/ = -1 E[A-Z]+/.test(line)) return [];
  const call = /^\d+\s+(\w+)\(/.exec(line)?.[1] ?? '';
  if (SOCKETS.test(line)) return [];
  if (/^open/.test(call) && !/O_(WRONLY|RDWR|CREAT)/.test(line)) return [];
  const paths = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, path]) => resolve(path!));
  // The first path of a renaming or a link is where the thing comes from.
  return /^(rename|link|symlink)/.test(call) ? paths.slice(-1) : paths.slice(0, 1);
}
