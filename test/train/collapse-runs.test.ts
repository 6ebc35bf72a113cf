// A-Softmax on a small made-up set: the defaults learn, a margin without annealing shrinks all embeddings to nothing,
// and then the run is stopped, or goes on with a warning where a person wants it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { draftRun, type Settings } from '../../src/train/config.js';
import { FILES, readMetrics } from '../../src/train/run-folder.js';
import { train } from '../../src/train/trainer.js';
import { HARD, temporaryFolder, writeFaces } from './faces.js';

let data: string;
beforeAll(async () => {
  data = await writeFaces(20, 8, HARD);
});

const settings = (out: string, more: Settings = {}): Settings => ({
  data,
  out,
  net: 'sphereface-4',
  loss: 'a-softmax',
  size: [16, 16],
  embedding: 128,
  batch: 64,
  steps: 60,
  threads: 1,
  ...more,
});

/** The margin alone from the first step on, at a rate that does not learn the people before the embeddings are gone. */
const AT_ONCE: Settings = { lr: 0.01, lossOptions: { annealing: { base: 0, minimum: 0 } } };

const marked = (out: string) => readMetrics(out).filter(({ collapsed }) => collapsed === 1);
const failure = (run: Promise<unknown>) =>
  run.then(
    () => undefined,
    (error: Error) => error,
  );

describe('A-Softmax with its defaults', () => {
  it.each([2, 4])('learns in 60 steps with m = %i', async (margin) => {
    const out = join(temporaryFolder(), 'run');
    const { finished, warning } = await train(draftRun([settings(out, { lossOptions: { margin } })], false));
    expect({ finished, warning }).toEqual({ finished: true, warning: undefined });
    const last = readMetrics(out).slice(-10);
    const mean = (metric: string) => last.reduce((sum, record) => sum + record[metric]!, 0) / last.length;
    expect(mean('accuracy')).toBeGreaterThan(0.3);
    expect(mean('embeddingLength')).toBeGreaterThan(readMetrics(out)[0]!.embeddingLength!);
  });
});

describe('a run whose embeddings collapse', () => {
  it('is stopped with what to change, leaves no model, and after a resume stops at the same step', async () => {
    const out = join(temporaryFolder(), 'run');
    const started = settings(out, { ...AT_ONCE, checkpointSteps: 15 });
    const error = await failure(train(draftRun([started], false)));
    expect(error?.name).toBe('UserError');
    expect(error?.message).toMatch(
      /^step \d+: the embeddings have collapsed from .*log K = 3.*--lambda-min \(0 now\).*--lr .*--warm-up.*--no-watch$/,
    );
    expect(existsSync(join(out, FILES.model))).toBe(false);
    const [found] = marked(out);
    expect(found).toBeDefined();
    expect(readMetrics(out).at(-1)).toEqual(found);

    const again = await failure(train(draftRun([{ out }], true), { resume: true }));
    expect(again?.message).toBe(error?.message);
    expect(
      readMetrics(out)
        .map(({ step, loss }) => [step, loss])
        .at(-1),
    ).toEqual([found!.step, found!.loss]);

    // A resume may go on regardless.
    const end = await train(draftRun([{ out, watch: false }], true), { resume: true });
    expect(end.finished).toBe(true);
    expect(end.warning).toMatch(/collapsed/);
  });

  it('goes on with one note and ends with a warning where the watch is off', async () => {
    const out = join(temporaryFolder(), 'run');
    const notes: string[] = [];
    const end = await train(draftRun([settings(out, { ...AT_ONCE, watch: false })], false), {
      onNote: (line) => notes.push(line),
    });
    expect(end.finished).toBe(true);
    expect(notes.filter((line) => line.includes('collapsed'))).toEqual([end.warning]);
    expect(marked(out).length).toBeGreaterThan(1);
  });
});
