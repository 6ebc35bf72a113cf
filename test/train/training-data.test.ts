// Runs on record files and on streamed sets: the same losses as from the folder they were made of, also when a run is
// stopped, killed and resumed, and when images turn out to be unreadable on the way.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { RecordSet } from '../../src/data/record-set.js';
import { writeRecordSet } from '../../src/data/record-writer.js';
import { measureRun } from '../../src/evaluate/run.js';
import { draftRun, type Settings } from '../../src/train/config.js';
import { FILES, type Identities, readMetrics, readSkipped } from '../../src/train/run-folder.js';
import { train } from '../../src/train/trainer.js';
import { temporaryFolder, writeFaces } from './faces.js';

let folder: string;
let records: string;
beforeAll(async () => {
  folder = await writeFaces(6, 5);
  records = temporaryFolder();
  await writeRecordSet(folder, join(records, 'train.rec'));
});

/** A run so small that a step takes some twenty milliseconds. */
const tiny = (data: string, out: string, more: Settings = {}): Settings => ({
  data,
  out,
  net: 'sphereface-4',
  loss: 'softmax',
  size: [32, 32],
  embedding: 16,
  batch: 4,
  steps: 12,
  lr: 0.01,
  threads: 1,
  ...more,
});

const losses = (out: string) => readMetrics(out).map(({ step, loss }) => ({ step, loss }));

async function run(data: string, more: Settings = {}): Promise<string> {
  const out = join(temporaryFolder(), 'run');
  await train(draftRun([tiny(data, out, more)], false));
  return out;
}

describe('a run on a record file', () => {
  it('takes the steps of one on the folder, in memory and streamed, and is measured as it is', async () => {
    const more = { holdout: ['person1', 'person4'] };
    const plain = await run(folder, more);
    const inRecords = { holdout: ['1', '4'] };
    const kept = await run(records, inRecords);
    const streamed = await run(join(records, 'train.rec'), { ...inRecords, memoryBudget: 1 });
    expect(losses(kept)).toEqual(losses(plain));
    expect(losses(streamed)).toEqual(losses(plain));
    const measured = await measureRun(plain);
    for (const out of [kept, streamed]) {
      expect(await measureRun(out)).toEqual(measured);
      const { trained, heldOut } = JSON.parse(
        readFileSync(join(out, FILES.identities), 'utf8'),
      ) as Identities;
      expect(trained.map(({ person }) => person)).toEqual(['0', '2', '3', '5']);
      expect(heldOut).toEqual([
        { person: '1', images: ['6', '7', '8', '9', '10'] },
        { person: '4', images: ['21', '22', '23', '24', '25'] },
      ]);
    }
  });

  it('says how long its steps waited for images', async () => {
    const out = join(temporaryFolder(), 'run');
    const { waited } = await train(draftRun([tiny(records, out, { memoryBudget: 1 })], false));
    const steps = readMetrics(out);
    expect(steps.every((step) => step.waited! >= 0)).toBe(true);
    expect(waited).toBeGreaterThan(0);
    expect(waited).toBeLessThanOrEqual(1);
  });

  it('that is killed goes on where its newest checkpoint is, with the losses of one that was not', async () => {
    const whole = await run(records, { memoryBudget: 1, steps: 80 });
    const out = join(temporaryFolder(), 'run');
    const settings = join(temporaryFolder(), 'settings.json');
    writeFileSync(
      settings,
      JSON.stringify(tiny(records, out, { memoryBudget: 1, steps: 80, checkpointSteps: 2 })),
    );
    const tsx = createRequire(import.meta.url).resolve('tsx');
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', tsx, main, 'train', '--config', settings], {
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    const checkpoints = join(out, FILES.checkpoints);
    while (child.exitCode === null && (!existsSync(checkpoints) || readdirSync(checkpoints).length < 2))
      await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGKILL');
    expect((await ended)[1]).toBe('SIGKILL');
    expect(readMetrics(out).length).toBeLessThan(80);
    await train(draftRun([{ out }], true), { resume: true });
    expect(losses(out)).toEqual(losses(whole));
  });
});

describe('images that turn out to be unreadable while training', () => {
  /** A copy of the records in which image `number`, after its beginning, is zeros. */
  async function damaged(number: number): Promise<string> {
    const copy = temporaryFolder();
    cpSync(records, copy, { recursive: true });
    const rec = join(copy, 'train.rec');
    const set = await RecordSet.open(rec);
    const { offset, length } = await set.describe(number - 1);
    await set.close();
    const bytes = readFileSync(rec);
    bytes.fill(0, offset + 8 + 24 + 40, offset + 8 + 24 + length);
    writeFileSync(rec, bytes);
    expect(statSync(rec).size).toBe(bytes.length);
    return copy;
  }

  it('are told of once and written down once, over all sittings, and the run resumes to the same losses', async () => {
    const data = await damaged(3);
    const path = `${join(data, 'train.rec')}#3`;
    const streamed = { memoryBudget: 1, checkpointSteps: 2 };
    const whole = await run(data, streamed);
    expect(readSkipped(whole).map((image) => image.path)).toEqual([path]);

    const out = join(temporaryFolder(), 'run');
    const notes: string[] = [];
    const controller = new AbortController();
    await train(draftRun([tiny(data, out, streamed)], false), {
      signal: controller.signal,
      onStep: ({ step }) => step >= 9 && controller.abort(),
      onNote: (line) => notes.push(line),
    });
    await train(draftRun([{ out }], true), { resume: true, onNote: (line) => notes.push(line) });
    expect(losses(out)).toEqual(losses(whole));
    expect(readSkipped(out).map((image) => image.path)).toEqual([path]);
    expect(
      notes.filter((line) => line.includes('the next image of its person takes its place')),
    ).toHaveLength(1);
    const { trained } = await measureRun(out);
    expect(trained.images).toBe(29);
  });

  it('are left out beforehand where the set fits in memory', async () => {
    const out = await run(await damaged(3));
    const { trained } = JSON.parse(readFileSync(join(out, FILES.identities), 'utf8')) as Identities;
    expect(trained.map(({ images }) => images)).toEqual([4, 5, 5, 5, 5, 5]);
  });
});
