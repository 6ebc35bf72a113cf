// One kill: the command is started over nothing or over an older output, killed, what it left is looked at, and it is run
// again.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../../src/common/random.js';
import { type Call, callsIn, hasStrace, killing, listing } from './calls.js';
import { lastLine, run, start } from './command.js';
import type { Kit } from './kit.js';
import type { Scenario } from './scenario.js';
import { differences, type Snapshot, snapshot } from './snapshot.js';

/** What undisturbed runs leave. */
export interface Reference {
  scenario: Scenario;
  kit: Kit;
  /** Of a run over nothing. */
  fresh: Snapshot;
  /** A folder with the older output, and what it holds; a run over it leaves `replaced`. */
  older?: { folder: string; old: Snapshot; replaced: Snapshot };
  /** Seconds of a run. */
  seconds: number;
  calls: readonly Call[];
}

/** What came of a kill. */
export interface Attempt {
  /** How it was killed, for messages. */
  kill: string;
  /** Nothing is known: the command ended before it was killed. */
  missed?: true;
  /** The output was refused until it was made again: old and new files, told apart. */
  refused?: true;
  problems: string[];
}

/** Files are read and written by one thread, so that the nth call of a thread is the same in every run. */
const optionsOf = ({ env }: Scenario, kit: Kit, out: string) => ({
  env: { UV_THREADPOOL_SIZE: '1', ...env?.(kit, out) },
});

async function finish(
  scenario: Scenario,
  kit: Kit,
  out: string,
  args: string[],
  under: string[] = [],
): Promise<number> {
  const ended = await run(args, { ...optionsOf(scenario, kit, out), under });
  if (ended.code !== 0)
    throw new Error(`${scenario.name}: an undisturbed run ends with ${ended.code}: ${lastLine(ended)}`);
  return ended.seconds;
}

/** Runs the command undisturbed, twice: what differs between two runs could not be told from damage. */
export async function referenceOf(scenario: Scenario, kit: Kit): Promise<Reference> {
  const folder = mkdtempSync(join(kit.folder, `${scenario.name}-`));
  const place = (name: string): string => {
    const out = join(folder, name);
    mkdirSync(out);
    return out;
  };
  const [first, second] = [place('first'), place('second')];
  const log = join(folder, 'calls');
  const listed = async (out: string) => {
    const under = hasStrace() ? listing(log) : [];
    const seconds = await finish(scenario, kit, out, scenario.args(kit, out), under);
    // Under strace it takes longer.
    return hasStrace() ? { seconds: 0.6 * seconds, calls: callsIn(log, out) } : { seconds, calls: [] };
  };
  const { seconds, calls: all } = await listed(first);
  // Those whose number differs from run to run, as that of writes which wake a thread, would not be met again.
  const common = new Set((await listed(second)).calls.map(({ name, nth }) => `${name} ${nth}`));
  const calls = all.filter(({ name, nth }) => common.has(`${name} ${nth}`));
  const fresh = snapshot(first, scenario.ignore);
  const apart = differences(snapshot(second, scenario.ignore), fresh);
  if (apart.length > 0) throw new Error(`${scenario.name}: two undisturbed runs differ: ${apart.join('; ')}`);
  const reference = { scenario, kit, fresh, seconds, calls };
  if (!scenario.older) return reference;
  const older = place('older');
  await finish(scenario, kit, older, scenario.older(kit, older));
  const over = place('over');
  cpSync(older, over, { recursive: true, preserveTimestamps: true });
  await finish(scenario, kit, over, scenario.args(kit, over));
  const old = snapshot(older, scenario.ignore);
  return { ...reference, older: { folder: older, old, replaced: snapshot(over, scenario.ignore) } };
}

/** Kills the command once, in a way that `random` chooses. */
export async function attempt(reference: Reference, random: Random): Promise<Attempt> {
  const { scenario, kit, older } = reference;
  // As deep as the folders of the undisturbed runs, for outputs with relative paths.
  const place = mkdtempSync(join(kit.folder, 'kill-'));
  const out = join(place, 'out');
  mkdirSync(out);
  try {
    const over = older && random.uniform() < 0.6 ? older : undefined;
    if (over) cpSync(over.folder, out, { recursive: true, preserveTimestamps: true });
    const { kill, ended } = await killed(reference, out, random);
    const how = `${kill}${over ? ', over an older output' : ''}`;
    if (!ended) return { kill: how, missed: true, problems: [] };
    const left = await lookAt(reference, out, over?.old);
    const again = (scenario.again ?? scenario.args)(kit, out);
    const next = await run(again, optionsOf(scenario, kit, out));
    const problems = [...left.problems];
    if (next.code !== 0) problems.push(`the next run ends with ${next.code}: ${lastLine(next)}`);
    else problems.push(...differences(snapshot(out, scenario.ignore), over?.replaced ?? reference.fresh));
    return { kill: how, ...(left.refused && { refused: true as const }), problems };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Starts the command and kills it: before a call that writes, after a time, or after a time from its first file on. */
async function killed(
  { scenario, kit, seconds, calls }: Reference,
  out: string,
  random: Random,
): Promise<{ kill: string; ended: boolean }> {
  const args = scenario.args(kit, out);
  const options = optionsOf(scenario, kit, out);
  const way = random.uniform();
  if (calls.length > 0 && way < 0.6) {
    const call = calls[random.integer(calls.length)]!;
    const { signal, code } = await run(args, { ...options, under: killing(call) });
    return { kill: `before ${call.name} ${call.nth}`, ended: signal === 'SIGKILL' || code === 137 };
  }
  const { child, ended } = start(args, options);
  const files = () => readdirSync(out, { recursive: true }).length;
  const before = files();
  const began = performance.now();
  const fromFirst = way < 0.8;
  if (fromFirst)
    while (child.exitCode === null && files() === before && performance.now() - began < 1000 * seconds)
      await wait(2);
  const left = fromFirst ? Math.max(0.05, seconds - (performance.now() - began) / 1000) : seconds;
  const delay = random.uniform() * left;
  await Promise.race([wait(1000 * delay), ended]);
  child.kill('SIGKILL');
  const { signal } = await ended;
  const kill = `${delay.toFixed(3)} s after ${fromFirst ? 'its first file' : 'its start'}`;
  return { kill, ended: signal === 'SIGKILL' };
}

const isTemporary = (name: string): boolean =>
  /(^|\/)\.[^/]*\.(tmp|lock|claim)$|\.(tmp|part|lock)$|\.tmp\//.test(name);

/** What a killed command left: every file absent, old and whole, or new and whole, and not some of each. */
async function lookAt(
  { scenario, kit, fresh, older }: Reference,
  out: string,
  old: Snapshot | undefined,
): Promise<{ problems: string[]; refused?: true }> {
  const now = snapshot(out, scenario.ignore);
  const problems: string[] = [];
  const generations = new Set<string>();
  for (const [name, content] of now) {
    if (isTemporary(name)) continue;
    const wanted = old ? older!.replaced.get(name) : fresh.get(name);
    const [isOld, isNew] = [old?.get(name) === content, wanted === content];
    // What is appended to may end in half a line; its readers leave that out.
    if (content === 'torn' && !(scenario.grows && name.endsWith('.jsonl'))) problems.push(`${name} is torn`);
    else if (!scenario.grows && !isOld && !isNew) problems.push(`${name} is neither old nor new`);
    if (isOld !== isNew) generations.add(isOld ? 'old' : 'new');
  }
  for (const name of old?.keys() ?? []) {
    if (!now.has(name) && older!.replaced.has(name) && !scenario.copies?.test(name))
      problems.push(`${name} is gone, and was there before`);
  }
  if (generations.size < 2 || scenario.grows) return { problems };
  if (!scenario.reads) return { problems: [...problems, 'old and new files are mixed'] };
  const copy = mkdtempSync(join(kit.folder, 'read-'));
  cpSync(out, copy, { recursive: true, preserveTimestamps: true });
  const read = await run(scenario.reads(kit, copy), optionsOf(scenario, kit, copy));
  rmSync(copy, { recursive: true, force: true });
  if (read.code !== 0) return { problems, refused: true };
  return { problems: [...problems, 'a mixture of old and new files is read without an error'] };
}
