// What the system denies or closes: open files, memory, standard output and input; and two commands at once.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { type Ended, run } from '../kill/command.js';
import type { Kit } from '../kill/kit.js';
import type { Scenario } from '../kill/scenario.js';
import { scenarios } from '../kill/scenarios.js';
import { differences, snapshot } from '../kill/snapshot.js';
import { exitOf, type Fault, problemsOf, type Trial } from './fault.js';

const onWindows = (): string | undefined =>
  process.platform === 'win32' ? 'Windows has no shell for it' : undefined;

/** Runs a command in a shell that does `before` and redirects as `after` says. */
function inShell(
  args: readonly string[],
  before: string,
  after: string,
  env?: Record<string, string>,
): Promise<Ended> {
  // The command itself is `"$@"`, so that nothing of it is read by the shell.
  return run(args, { under: ['sh', '-c', `${before} "$@" ${after}`, 'sh'], ...(env && { env }) });
}

/** Every command in a shell, with its output where it ended well compared with that of a run without the fault. */
async function* everywhere(
  kit: Kit,
  [before, after]: readonly [before: string, after: string],
  codes: readonly number[],
  among: readonly Scenario[] = scenarios,
): AsyncGenerator<Trial> {
  for (const scenario of among) {
    const [out, whole] = [mkdtempSync(join(kit.folder, 'fault-')), mkdtempSync(join(kit.folder, 'whole-'))];
    const ended = await inShell(scenario.args(kit, out), before, after, scenario.env?.(kit, out));
    const problems = problemsOf(ended, { codes });
    if (ended.code === 0) {
      await run(scenario.args(kit, whole), scenario.env ? { env: scenario.env(kit, whole) } : {});
      problems.push(...differences(snapshot(out, scenario.ignore), snapshot(whole, scenario.ignore)));
    }
    yield { what: scenario.name, problems };
  }
}

const quick = scenarios.filter(({ name }) =>
  ['embed', 'train', 'align', 'evaluate', 'convert'].includes(name),
);

export const fewFiles: Fault = {
  name: '64 open files',
  missing: onWindows,
  run: (kit) => everywhere(kit, ['ulimit -n 64;', ''], [0, exitOf('no-resources')]),
};

export const littleMemory: Fault = {
  name: 'little memory',
  missing: () => (process.platform === 'linux' ? undefined : 'ulimit -v is of Linux'),
  async *run(kit) {
    for (const gigabytes of [3, 6, 12])
      for await (const { what, problems } of everywhere(
        kit,
        [`ulimit -v ${gigabytes * 2 ** 20};`, ''],
        [0, exitOf('no-resources')],
        quick,
      ))
        yield { what: `${what}, ${gigabytes} GiB of addresses`, problems };
  },
};

export const closedOutput: Fault = {
  name: 'a pipe that is closed',
  missing: onWindows,
  run: (kit) => everywhere(kit, ['', '| true'], [0]),
};

export const fullOutput: Fault = {
  name: 'standard output on a full disk',
  missing: () => (process.platform === 'linux' ? undefined : '/dev/full is of Linux'),
  run: (kit) => everywhere(kit, ['', '> /dev/full'], [exitOf('no-space')], quick),
};

export const noInput: Fault = {
  name: 'standard input closed',
  missing: onWindows,
  run: (kit) => everywhere(kit, ['', '<&-'], [0], quick),
};

export const twoAtOnce: Fault = {
  name: 'two at once',
  async *run(kit) {
    for (const scenario of scenarios) {
      const [out, whole] = [mkdtempSync(join(kit.folder, 'two-')), mkdtempSync(join(kit.folder, 'whole-'))];
      const options = (place: string) => (scenario.env ? { env: scenario.env(kit, place) } : {});
      await run(scenario.args(kit, whole), options(whole));
      const both = await Promise.all([0, 1].map(() => run(scenario.args(kit, out), options(out))));
      // The one that comes too late may also find the other's output, where that is in its way.
      const codes = [0, exitOf('in-use'), exitOf('bad-input')];
      const problems = both.flatMap((ended) => problemsOf(ended, { codes }));
      if (both.every(({ code }) => code !== 0)) problems.push('neither of them wrote its output');
      problems.push(...differences(snapshot(out, scenario.ignore), snapshot(whole, scenario.ignore)));
      yield { what: scenario.name, problems };
    }
  },
};
