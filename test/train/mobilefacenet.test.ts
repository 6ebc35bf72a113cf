// Runs of a network with batch normalisation: its running statistics are state like a weight, so a run that was
// stopped goes on exactly, and the exported model, in which they are folded, is the network as it was trained.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../src/data/index.js';
import { lowerInference } from '../../src/lower/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { newestCheckpoint } from '../../src/train/checkpoint.js';
import { draftConfig, draftRun, type Settings } from '../../src/train/config.js';
import { FILES, readMetrics } from '../../src/train/run-folder.js';
import { embedder, NAMES, trainingStep } from '../../src/train/step.js';
import { train } from '../../src/train/trainer.js';
import { expectClose, hashed } from '../support/fixtures.js';
import { temporaryFolder, writeFaces } from './faces.js';

let data: string;
let device: Device;
beforeAll(async () => {
  data = await writeFaces(5, 5);
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

const tiny = (out: string, more: Settings = {}): Settings => ({
  data,
  out,
  net: 'mobilefacenet',
  loss: 'cosface',
  size: [32, 32],
  embedding: 16,
  batch: 8,
  steps: 6,
  lr: 0.01,
  threads: 1,
  ...more,
});

const newest = (out: string) => newestCheckpoint(join(out, FILES.checkpoints), () => {})!;
const losses = (out: string) => readMetrics(out).map(({ loss }) => loss);

describe('a run with normalisation', () => {
  it.each<[string, Settings]>([
    ['softmax+center', { lossOptions: { weights: { center: 0.01 } } }],
    ['triplet', { perPerson: 4 }],
  ])('with %s goes on as if it had not been stopped, and exports the same model', async (loss, more) => {
    const [whole, parts] = [join(temporaryFolder(), 'whole'), join(temporaryFolder(), 'parts')];
    await train(draftRun([tiny(whole, { loss, steps: 4, ...more })], false));
    const controller = new AbortController();
    await train(draftRun([tiny(parts, { loss, steps: 4, ...more })], false), {
      signal: controller.signal,
      onStep: ({ step }) => step >= 2 && controller.abort(),
    });
    await train(draftRun([{ out: parts }], true), { resume: true });
    expect(losses(whole).length).toBe(4);
    expect(losses(parts)).toEqual(losses(whole));
    expect(newest(parts).state).toEqual(newest(whole).state);
    expect(readFileSync(join(parts, FILES.model)).equals(readFileSync(join(whole, FILES.model)))).toBe(true);
  });

  it('exports the network by its running statistics, and nothing of it in the head', async () => {
    const out = join(temporaryFolder(), 'run');
    const { config } = await train(draftRun([tiny(out, { loss: 'softmax', steps: 12 })], false));
    const { state } = newest(out);
    expect(state.get('conv1.norm.running_mean')!.some((v) => v !== 0)).toBe(true);
    const shape = [4, 3, 32, 32];
    const faces = { data: hashed({ shape, salt: 5, amplitude: 1 }), shape };
    const exported = await device.load(readFileSync(join(out, FILES.model)));
    const { images, embedding } = embedder(config, 'running');
    const running = await device.load(
      lowerInference({ inputs: [images], outputs: { embedding }, weights: state }),
    );
    const expected = (await running.run({ images: faces })).embedding!;
    const actual = (await exported.run({ images: faces })).embedding!;
    expect(actual.shape).toEqual([4, 16]);
    expectClose(actual.data, expected.data, 1e-5, 'embeddings');

    // What is watched during training sees the same network.
    const { probe } = trainingStep({ ...config, classes: 5, batch: 4 });
    const program = await device.compile(probe);
    await program.setState(new Map(program.state.map(({ name }) => [name, state.get(name)!])));
    const watched = await program.run({
      [NAMES.images]: faces.data,
      [NAMES.labels]: Int32Array.of(0, 1, 2, 3),
    });
    expectClose(watched.embedding!.data, expected.data, 1e-5, 'probe');
    await Promise.all([exported.dispose(), running.dispose(), program.dispose()]);

    const head = readSafetensors(readFileSync(join(out, FILES.head))).tensors;
    expect([...head.keys()].sort()).toEqual(['fc6.bias', 'fc6.weight']);
  });

  it('learns to tell its people apart', async () => {
    const out = join(temporaryFolder(), 'run');
    await train(draftRun([tiny(out, { loss: 'softmax', steps: 40, lr: 0.05 })], false));
    const last = readMetrics(out).slice(-5);
    expect(Math.max(...last.map(({ loss }) => loss))).toBeLessThan(losses(out)[0]! / 2);
  });

  it('of one image a step is refused, and an earlier run in the folder stays', async () => {
    const out = join(temporaryFolder(), 'run');
    await train(draftRun([tiny(out, { loss: 'softmax', steps: 1 })], false));
    const single = draftRun([tiny(out, { loss: 'softmax', batch: 1 })], false);
    await expect(train(single, { force: true })).rejects.toThrow(/a batch of 2 images or more/);
    expect(readMetrics(out).length).toBe(1);
    expect(newest(out).step).toBe(1);
  });
});

describe('settings', () => {
  it("are the network's own where nothing else is said", () => {
    const defaults = (net: Settings['net']) => draftConfig({ data, net, loss: 'softmax' });
    expect(defaults('mobilefacenet')).toMatchObject({ size: [112, 112], embedding: 128 });
    expect(defaults('sphereface-20')).toMatchObject({ size: [112, 96], embedding: 512 });
  });

  it('of another network are refused', () => {
    expect(() => draftConfig(tiny('nowhere', { reluAfterFc1: true }))).toThrow(
      /--relu-after-fc1 is a switch of the SphereFace networks: leave it out for mobilefacenet/,
    );
  });
});
