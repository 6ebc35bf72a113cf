import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { draftRun, type Settings } from '../../src/train/config.js';
import { FILES, type Identities, readMetrics } from '../../src/train/run-folder.js';
import { train } from '../../src/train/trainer.js';
import { temporaryFolder, writeFaces } from './faces.js';

let data: string;
beforeAll(async () => {
  data = await writeFaces(5, 5);
});

/** A run so small that a step takes some twenty milliseconds. */
const tiny = (out: string, more: Settings = {}): Settings => ({
  data,
  out,
  net: 'sphereface-4',
  loss: 'a-softmax',
  size: [32, 32],
  embedding: 16,
  batch: 4,
  steps: 10,
  lr: 0.01,
  threads: 1,
  ...more,
});

const losses = (out: string) =>
  readMetrics(out).map(({ step, loss, lambda, rate }) => ({ step, loss, lambda, rate }));

/** Trains until `step` is done, then stops as Ctrl-C does. */
async function trainUntil(settings: Settings, step: number, resume = false) {
  const controller = new AbortController();
  return train(draftRun([settings], resume), {
    resume,
    signal: controller.signal,
    onStep: (record) => record.step >= step && controller.abort(),
  });
}

describe('a training run', () => {
  it('that is stopped while its images are read leaves nothing', async () => {
    const out = join(temporaryFolder(), 'run');
    const controller = new AbortController();
    const stopped = train(draftRun([tiny(out)], false), {
      signal: controller.signal,
      onImage: (done) => done === 2 && controller.abort(),
    });
    await expect(stopped).rejects.toThrow(/stopped while the images were read/);
    expect(existsSync(out)).toBe(false);
  });

  it('that was stopped and resumed takes the very steps of one that was not', async () => {
    const [whole, parts] = [join(temporaryFolder(), 'whole'), join(temporaryFolder(), 'parts')];
    const end = await train(draftRun([tiny(whole)], false));
    expect(end).toMatchObject({ finished: true, step: 10 });

    const settings = tiny(parts, { checkpointSteps: 2 });
    expect(await trainUntil(settings, 3)).toMatchObject({ finished: false, step: 3 });
    // The folder alone is enough to go on.
    expect(await trainUntil({ out: parts }, 6, true)).toMatchObject({ finished: false, step: 6 });
    // As a kill would leave it: later lines without a checkpoint, and the last one cut off.
    const metrics = join(parts, FILES.metrics);
    writeFileSync(metrics, `${readFileSync(metrics, 'utf8')}{"step":7,"loss":1}\n{"step":8,"lo`);
    expect(await train(draftRun([settings], true), { resume: true })).toMatchObject({ finished: true });

    expect(losses(parts)).toEqual(losses(whole));
    expect(losses(whole).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(readFileSync(join(parts, FILES.model)).equals(readFileSync(join(whole, FILES.model)))).toBe(true);
    expect(readdirSync(join(parts, FILES.checkpoints)).length).toBe(3);
  });

  it('takes the same steps one by one, several in a call, and with images decoded batch by batch', async () => {
    const run = async (more: Settings) => {
      const out = join(temporaryFolder(), 'run');
      await train(draftRun([tiny(out, more)], false));
      return losses(out);
    };
    const plain = await run({});
    expect(await run({ memoryBudget: 1 })).toEqual(plain);
    const looped = await run({ stepsPerCall: 5 });
    for (const [i, { step, loss, lambda }] of looped.entries()) {
      expect({ step, lambda }).toEqual({ step: plain[i]!.step, lambda: plain[i]!.lambda });
      expect(loss).toBeCloseTo(plain[i]!.loss, 3);
    }
  });

  it('goes on from the checkpoint before a damaged one', async () => {
    const out = join(temporaryFolder(), 'run');
    await trainUntil(tiny(out, { checkpointSteps: 2 }), 6);
    const before = losses(out);
    truncateSync(join(out, FILES.checkpoints, 'checkpoint-0000006', 'state.safetensors'), 1000);
    const notes: string[] = [];
    await train(draftRun([{ out }], true), { resume: true, onNote: (line) => notes.push(line) });
    expect(notes.join()).toMatch(/checkpoint-0000006 is damaged/);
    expect(losses(out).slice(0, 6)).toEqual(before);
  });

  it('holds people out, and writes down who they are', async () => {
    const out = join(temporaryFolder(), 'run');
    await train(draftRun([tiny(out, { holdout: 2, steps: 1 })], false));
    const { trained, heldOut } = JSON.parse(readFileSync(join(out, FILES.identities), 'utf8')) as Identities;
    expect(trained.length).toBe(3);
    expect(heldOut.map(({ images }) => images.length)).toEqual([5, 5]);
    const trainedNames = trained.map(({ person }) => person);
    expect(heldOut.every(({ person }) => !trainedNames.includes(person))).toBe(true);
  });

  it('whose loss is no longer finite stops, keeps its last good checkpoint and says what to lower', async () => {
    const out = join(temporaryFolder(), 'run');
    const settings = tiny(out, { lr: 1e4, loss: 'softmax', checkpointSteps: 1, steps: 50 });
    const error = (await train(draftRun([settings], false)).catch((e) => e)) as Error;
    expect(error.name).toBe('UserError');
    expect(error.message).toMatch(
      /step \d+: .*(NaN|Infinity|finite).*lower the rate \(--lr 3300 instead of 10000\)/,
    );
    expect(readMetrics(out).every(({ loss }) => Number.isFinite(loss))).toBe(true);
    expect(existsSync(join(out, FILES.model))).toBe(false);
  });

  it('does not write over another run, and does not resume as something else', async () => {
    const out = join(temporaryFolder(), 'run');
    await trainUntil(tiny(out), 1);
    await expect(train(draftRun([tiny(out)], false))).rejects.toThrow(
      /not empty; --resume .* --force .* --out/,
    );
    await expect(train(draftRun([tiny(out, { seed: 2 })], true), { resume: true })).rejects.toThrow(
      /--resume: seed is 2 but the run began with 1/,
    );
    expect(() => draftRun([{ out: join(out, 'none') }], true)).toThrow(/no run to resume/);
  });
});
