// A disk that fills up at any moment, and a folder that cannot be written to.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { run } from '../kill/command.js';
import type { Kit } from '../kill/kit.js';
import type { Scenario } from '../kill/scenario.js';
import { scenarios } from '../kill/scenarios.js';
import { type Snapshot, snapshot } from '../kill/snapshot.js';
import { exitOf, type Fault, problemsOf } from './fault.js';

const mount = (...args: string[]): void => void execFileSync('mount', args, { stdio: 'ignore' });
const unmount = (folder: string): void => void execFileSync('umount', ['-l', folder], { stdio: 'ignore' });

let possible: boolean | undefined;
function cannotMount(): string | undefined {
  if (possible === undefined) {
    const folder = mkdtempSync('/tmp/hypersphere-mount-');
    try {
      mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder);
      unmount(folder);
      possible = true;
    } catch {
      possible = false;
    }
    rmSync(folder, { recursive: true, force: true });
  }
  return possible ? undefined : 'a small disk cannot be mounted here (it needs root)';
}

/** Bytes of all files below a folder, in whole pages. */
function bytesBelow(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return entries.reduce(
    (sum, { parentPath, name }) => sum + Math.ceil(statSync(join(parentPath, name)).size / 4096) * 4096,
    0,
  );
}

const environment = ({ env }: Scenario, kit: Kit, out: string) => (env ? { env: env(kit, out) } : {});

/** Shares of what the output needs, in the order of their trials. The least is less than the first file. */
const SHARES = [0.5, 0, 0.95, 0.25, 0.75];

/** Final files that are torn: those that are neither temporary nor grow. */
const tornIn = (scenario: Scenario, out: string): string[] =>
  [...snapshot(out, scenario.ignore)].flatMap(([name, content]) =>
    content === 'torn' && !(scenario.grows && name.endsWith('.jsonl')) && !/(^|\/)\./.test(name)
      ? [`${name} is torn`]
      : [],
  );

export const fullDisk: Fault = {
  name: 'full disk',
  missing: cannotMount,
  async *run(kit) {
    const undisturbed = new Map<Scenario, { size: number; wanted: Snapshot }>();
    for (const scenario of scenarios) {
      const whole = mkdtempSync(join(kit.folder, 'whole-'));
      const { code } = await run(scenario.args(kit, whole), environment(scenario, kit, whole));
      if (code !== 0) throw new Error(`${scenario.name}: an undisturbed run ends with ${code}`);
      undisturbed.set(scenario, { size: bytesBelow(whole), wanted: snapshot(whole, scenario.ignore) });
    }
    for (const share of SHARES) {
      for (const [scenario, { size, wanted }] of undisturbed) {
        const out = mkdtempSync(join(kit.folder, 'full-'));
        // A page more for each folder; what a run needs beside its output is not known, so it may fit.
        mount(
          '-t',
          'tmpfs',
          '-o',
          `size=${4 * Math.max(1, Math.floor((share * size) / 4096))}k`,
          'tmpfs',
          out,
        );
        try {
          const ended = await run(scenario.args(kit, out), environment(scenario, kit, out));
          const problems = problemsOf(ended, { codes: [exitOf('no-space')], names: out });
          // All of it was written, or the error says that it was not.
          const whole =
            ended.code === 0 && [...wanted].every(([name, content]) => snapshot(out).get(name) === content);
          const what = `${scenario.name}, room for ${Math.round(100 * share)} %`;
          yield { what, problems: [...(whole ? [] : problems), ...tornIn(scenario, out)] };
          mount('-o', 'remount,size=1g', out);
          const again = (scenario.again ?? scenario.args)(kit, out);
          const next = await run(again, environment(scenario, kit, out));
          yield { what: `${what}, then room again`, problems: problemsOf(next, { codes: [0] }) };
        } finally {
          unmount(out);
        }
      }
    }
  },
};

export const readOnly: Fault = {
  name: 'read-only folder',
  missing: () => (process.getuid?.() === 0 ? cannotMount() : undefined),
  async *run(kit) {
    for (const scenario of scenarios) {
      const out = mkdtempSync(join(kit.folder, 'read-only-'));
      const root = process.getuid?.() === 0;
      if (root) {
        mount('-t', 'tmpfs', 'tmpfs', out);
        mount('-o', 'remount,ro', out);
      } else {
        mkdirSync(out, { recursive: true });
        chmodSync(out, 0o555);
      }
      try {
        const ended = await run(scenario.args(kit, out), environment(scenario, kit, out));
        yield {
          what: scenario.name,
          problems: problemsOf(ended, { codes: [exitOf('not-permitted')], names: out }),
        };
      } finally {
        if (root) unmount(out);
      }
    }
  },
};
