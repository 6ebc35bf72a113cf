// What a run makes of a loss: joint losses with centres survive a stop, what a loss has learned is exported, a
// projection is part of the model, P x K batches are drawn where a loss asks for them, and neural collapse is
// logged where a person asks for it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../src/data/index.js';
import { openEmbedder } from '../../src/face/index.js';
import { draftConfig, draftRun, resolveConfig, type Settings } from '../../src/train/config.js';
import { FILES, readMetrics } from '../../src/train/run-folder.js';
import { train } from '../../src/train/trainer.js';
import { temporaryFolder, writeFaces } from './faces.js';

let data: string;
beforeAll(async () => {
  data = await writeFaces(5, 5);
});

const tiny = (out: string, more: Settings): Settings => ({
  data,
  out,
  net: 'sphereface-4',
  size: [32, 32],
  embedding: 16,
  batch: 8,
  steps: 6,
  lr: 0.01,
  threads: 1,
  ...more,
});

const head = (out: string) => readSafetensors(readFileSync(join(out, FILES.head))).tensors;

describe('softmax + center', () => {
  const joint: Settings = { loss: 'softmax+center', lossOptions: { weights: { center: 0.01 } } };

  it('stopped and resumed ends with the very centres and losses of one that was not', async () => {
    const [whole, parts] = [join(temporaryFolder(), 'whole'), join(temporaryFolder(), 'parts')];
    await train(draftRun([tiny(whole, joint)], false));
    const controller = new AbortController();
    const stopped = await train(draftRun([tiny(parts, joint)], false), {
      signal: controller.signal,
      onStep: ({ step }) => step >= 3 && controller.abort(),
    });
    expect(stopped).toMatchObject({ finished: false, step: 3 });
    await train(draftRun([{ out: parts }], true), { resume: true });
    const losses = (out: string) => readMetrics(out).map((record) => [record.loss, record['center.loss']]);
    expect(losses(parts)).toEqual(losses(whole));
    const centres = head(whole).get('center.centres')!;
    expect(centres.shape).toEqual([5, 16]);
    expect(head(parts).get('center.centres')!.data).toEqual(centres.data);
  });

  it('exports what the loss has and the embedder does not need', async () => {
    const out = join(temporaryFolder(), 'run');
    await train(draftRun([tiny(out, joint)], false));
    expect([...head(out).keys()].sort()).toEqual([
      'center.centres',
      'softmax.fc6.bias',
      'softmax.fc6.weight',
    ]);
  });
});

describe('a projection', () => {
  it('ends the exported model, and is not in the head', async () => {
    const out = join(temporaryFolder(), 'run');
    await train(draftRun([tiny(out, { loss: 'tse', lossOptions: { length: 4 } })], false));
    expect([...head(out).keys()]).toEqual([]);
    const embedder = await openEmbedder(join(out, FILES.model), { threads: 1 });
    expect(embedder.manifest.embedding.length).toBe(4);
    await embedder.close();
  });
});

describe('batches', () => {
  const perPerson = (settings: Settings) => draftConfig(tiny('nowhere', settings)).perPerson;

  it('have several images of each person where a loss compares images', () => {
    expect(perPerson({ loss: 'triplet' })).toBe(4);
    expect(perPerson({ loss: 'softmax+contrastive' })).toBe(4);
    expect(perPerson({ loss: 'softmax' })).toBe(0);
    expect(perPerson({ loss: 'triplet', perPerson: 2 })).toBe(2);
    expect(perPerson({ loss: 'triplet', perPerson: 0 })).toBe(0);
  });

  it('that cannot serve the loss are refused with what would', () => {
    expect(() => perPerson({ loss: 'triplet', batch: 10 })).toThrow(/--batch 10: .* multiple of 4 from 8 on/);
    expect(() => perPerson({ loss: 'softmax+range', perPerson: 2 })).toThrow(/softmax\+range needs 3 images/);
  });
});

describe('options', () => {
  it('of every part of a joint loss get the gamma of a short run, unless they name one', () => {
    const config = resolveConfig(
      draftConfig(tiny('nowhere', { loss: 'a-softmax+mhe', batch: 64, steps: 1000 })),
      96,
    );
    expect(config.lossOptions).toMatchObject({
      'a-softmax': { margin: 4, annealing: { base: 1000, gamma: 0.398, minimum: 5 } },
      weights: { 'a-softmax': 1, mhe: 1 },
    });
    const named = resolveConfig(
      draftConfig(
        tiny('nowhere', {
          loss: 'a-softmax+mhe',
          lossOptions: { 'a-softmax': { annealing: { gamma: 0.2 } } },
        }),
      ),
      96,
    );
    expect(named.lossOptions).toMatchObject({ 'a-softmax': { annealing: { gamma: 0.2 } } });
  });

  it('of a loss that needs class vectors and has none are refused before anything is opened', () => {
    expect(() => draftConfig(tiny('nowhere', { loss: 'mhe' }))).toThrow(/as in a-softmax\+mhe/);
    expect(() => draftConfig(tiny('nowhere', { loss: 'center' }))).toThrow(/as in softmax\+center/);
    expect(() => draftConfig(tiny('nowhere', { loss: 'softmax+softmax' }))).toThrow(
      /'softmax' is named twice/,
    );
  });
});

describe('neural collapse', () => {
  it('is logged every so many steps, and changes no step', async () => {
    const [plain, watched] = [join(temporaryFolder(), 'plain'), join(temporaryFolder(), 'watched')];
    const softmax: Settings = { loss: 'softmax' };
    await train(draftRun([tiny(plain, softmax)], false));
    await train(draftRun([tiny(watched, { ...softmax, collapseSteps: 3 })], false));
    const records = readMetrics(watched);
    expect(records.map(({ loss }) => loss)).toEqual(readMetrics(plain).map(({ loss }) => loss));
    const measured = records.filter((record) => record['collapse.within'] !== undefined);
    expect(measured.map(({ step }) => step)).toEqual([3, 6]);
    for (const record of measured) {
      expect(record['collapse.variability']).toBeGreaterThan(0);
      expect(record['collapse.agreement']).toBeGreaterThanOrEqual(0);
      expect(record['collapse.agreement']).toBeLessThanOrEqual(1);
      expect(record['collapse.selfDuality']).toBeGreaterThan(0);
      expect(record['collapse.selfDuality']).toBeLessThanOrEqual(4);
    }
  });

  it('does not end a run whose embeddings have no direction', async () => {
    const out = join(temporaryFolder(), 'dead');
    const dead: Settings = { loss: 'softmax', embedding: 1, reluAfterFc1: true, collapseSteps: 3 };
    const notes: string[] = [];
    const { finished } = await train(draftRun([tiny(out, dead)], false), {
      onNote: (line) => notes.push(line),
    });
    expect(finished).toBe(true);
    expect(notes).toContainEqual(expect.stringMatching(/^step 3: neural collapse is not measured: .*zero/));
    expect(readMetrics(out).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
