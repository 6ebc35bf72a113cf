// hypersphere train under mpirun: what is said, saved and continued, on the same number of ranks or another.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readCheckpoint } from '../../src/train/checkpoint.js';
import { readClassRows } from '../../src/train/class-rows.js';
import { FILES, readMetrics } from '../../src/train/run-folder.js';
import { noMpi, onRanks, type RunOptions } from '../support/ranks.js';
import { temporaryFolder, writeFaces } from '../train/faces.js';
import { command, hypersphere, until } from './hypersphere.js';

const PEOPLE = 6;
const STEPS = 8;
/** Of runs that are ended in their middle. */
const LONG = 200;
/** A lambda that follows the embeddings hands their rounding on, which in so many steps adds up past the bound. */
const SCHEDULE_ALONE = ['--option', 'annealing.wait=false'];
let data: string;

const recipe = (out: string, steps = STEPS): string[] => [
  ...['train', '--data', data, '--net', 'sphereface-4', '--loss', 'a-softmax', '--out', out],
  ...['--size', '16x16', '--embedding', '16', '--batch', '6', '--lr', '0.002', '--threads', '1'],
  ...['--steps', String(steps), '--checkpoint-steps', String(STEPS / 2), '--shard-classes'],
  ...(steps === LONG ? SCHEDULE_ALONE : []),
];

/** One rank is a plain run. */
async function train(ranks: number, args: string[], options: RunOptions = {}) {
  if (ranks === 1) {
    const { code, stdout, stderr } = await hypersphere(...args);
    return { code: code ?? -1, stdout, stderr };
  }
  const run = await onRanks(ranks, command, args, { seconds: 300, ...options });
  const all = (part: 'stdout' | 'stderr') => run.ranks.map((rank) => rank[part]).join('');
  return { code: run.code, stdout: all('stdout'), stderr: all('stderr') };
}

const folderOf = (out: string, step: number) =>
  join(out, FILES.checkpoints, `checkpoint-${String(step).padStart(7, '0')}`);

/** All weights and velocities after a step, on however many ranks they were. */
function stateOf(out: string, step: number): Map<string, Float32Array> {
  const { path, state, classes } = readCheckpoint(folderOf(out, step));
  if (classes.length === 0) return state;
  return new Map([...state, ...readClassRows(path, classes, { from: 0, to: PEOPLE }).tensors]);
}

/** A copy of a run as it was after step 4. */
function stoppedRun(out: string): string {
  const copy = join(temporaryFolder(), 'run');
  cpSync(out, copy, { recursive: true });
  rmSync(folderOf(copy, STEPS), { recursive: true });
  return copy;
}

function expectSameRun(actual: string, expected: string): void {
  const [losses, wanted] = [readMetrics(actual), readMetrics(expected)];
  expect(losses.map(({ step }) => step)).toEqual(wanted.map(({ step }) => step));
  wanted.forEach(({ step, loss }, i) => {
    expect(Math.abs(losses[i]!.loss - loss), `step ${step}`).toBeLessThan(1e-5 * Math.max(1, loss));
  });
  const [state, whole] = [stateOf(actual, wanted.length), stateOf(expected, wanted.length)];
  expect([...state.keys()].sort()).toEqual([...whole.keys()].sort());
  for (const [name, values] of whole) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    const worst = values.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - state.get(name)![i]!)),
      0,
    );
    expect(worst / largest, name).toBeLessThan(1e-5);
  }
}

describe.skipIf(noMpi)(`hypersphere train on ranks${noMpi ? ` (${noMpi})` : ''}`, () => {
  let whole: string;
  let two: string;

  beforeAll(async () => {
    data = await writeFaces(PEOPLE, 6);
    [whole, two] = [join(temporaryFolder(), 'whole'), join(temporaryFolder(), 'two')];
    const alone = await train(1, recipe(whole));
    expect(alone.code, alone.stderr).toBe(0);
  });

  it('speaks with one voice and leaves the run of one process', async () => {
    const { code, stdout, stderr } = await train(2, [...recipe(two), '--json']);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ finished: true, step: STEPS });
    expect(stderr.match(/2 ranks, 3 images of each batch on each\n/g)?.length).toBe(1);
    expect(stderr.match(/run folder /g)?.length).toBe(1);
    expect(JSON.parse(readFileSync(join(two, FILES.config), 'utf8'))).toMatchObject({ about: { ranks: 2 } });
    expect(readdirSync(folderOf(two, STEPS)).filter((name) => name.startsWith('classes-'))).toEqual([
      'classes-0-3.safetensors',
      'classes-3-6.safetensors',
    ]);
    expect(existsSync(join(two, FILES.model))).toBe(true);
    expectSameRun(two, whole);
  });

  it.each([
    [2, 1],
    [2, 3],
    [1, 2],
  ])('stopped on %i ranks and resumed on %i is the run that was never stopped', async (before, after) => {
    const out = stoppedRun(before === 1 ? whole : two);
    const { code, stderr } = await train(after, ['train', '--resume', '--out', out]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch('continuing after step 4;');
    expectSameRun(out, whole);
  });

  it('refuses a damaged file of classes and passes over a checkpoint that lacks one', async () => {
    const damaged = stoppedRun(two);
    const file = join(folderOf(damaged, 4), 'classes-3-6.safetensors');
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    const refused = await train(1, ['train', '--resume', '--out', damaged]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(/classes-3-6\.safetensors does not match its hash; .*must be removed/);
    rmSync(file);
    const passed = await train(1, ['train', '--resume', '--out', damaged]);
    expect(passed.stderr).toMatch('classes-3-6.safetensors is missing');
    expect(passed.stderr).toMatch('no checkpoint yet; starting at step 0');
    expectSameRun(damaged, whole);
  });

  it('says in one line what is wrong, and ends all ranks', async () => {
    const out = join(temporaryFolder(), 'run');
    const lines = ({ stderr }: { stderr: string }) => stderr.match(/^hypersphere: .*$/gm);
    const uneven = await train(2, [...recipe(out), '--batch', '7']);
    expect(uneven.code).not.toBe(0);
    expect(lines(uneven)).toEqual([expect.stringContaining('use a batch of 6 or 8')]);
    const crowded = await train(4, [...recipe(out), '--batch', '8', '--holdout', '3']);
    expect(crowded.code).not.toBe(0);
    expect(lines(crowded)).toEqual([
      expect.stringContaining('3 people cannot be shared out between 4 ranks: start at most 3'),
    ]);
    // mpirun ends the others, which have nothing to say of it.
    expect(uneven.stderr + crowded.stderr).not.toMatch('stopping after');
    expect(existsSync(out)).toBe(false);
  });

  const undisturbed = join(temporaryFolder(), 'undisturbed');

  it.each([
    ['a rank that is killed', 'rank', 'rank 1 ended'],
    ['Ctrl-C', 'mpirun', 'mpirun ends the run'],
  ] as const)(
    '%s ends the run with one line, and it is continued on another number',
    async (_, whom, reason) => {
      const out = join(temporaryFolder(), 'run');
      const run = train(2, [...recipe(out, LONG), '--checkpoint-steps', '20'], {
        started: async (mpirun) => {
          await until(() => existsSync(join(out, FILES.metrics)) && readMetrics(out).length >= 30, 250);
          if (whom === 'mpirun') {
            mpirun.kill('SIGINT');
            return;
          }
          const pids = spawnSync('ps', ['-o', 'pid=', '--ppid', String(mpirun.pid)], { encoding: 'utf8' });
          process.kill(Math.max(...pids.stdout.trim().split(/\s+/).map(Number)), 'SIGKILL');
        },
      });
      const { code, stderr } = await run;
      expect(code).not.toBe(0);
      const words = stderr.match(/^.*continue, with any number of ranks: .*$/gm);
      expect(words, stderr).toEqual([expect.stringMatching(`${reason}; .*checkpoint`)]);
      const resumed = await train(1, ['train', '--resume', '--out', out]);
      expect(resumed.code, resumed.stderr).toBe(0);
      if (!existsSync(undisturbed)) expect((await train(1, recipe(undisturbed, LONG))).code).toBe(0);
      expectSameRun(out, undisturbed);
    },
  );
});
