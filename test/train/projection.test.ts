// Projections of frozen embeddings: they find what tells people apart, hold for people they have not seen, resume
// bit for bit, and refuse what they cannot use.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openTrainingSet } from '../../src/data/index.js';
import { measureProjection } from '../../src/evaluate/projection.js';
import { readEmbeddings } from '../../src/face/index.js';
import { openDevice } from '../../src/runtime/index.js';
import { trainProjection } from '../../src/train/projection.js';
import { draftProjection, type ProjectionSettings } from '../../src/train/projection-config.js';
import { dealPeople } from '../../src/train/projection-data.js';
import { applyProjection, PROJECTION_FILES, readProjection } from '../../src/train/projection-model.js';
import { principalProjection } from '../../src/train/projection-step.js';
import { FILES, readMetrics } from '../../src/train/run-folder.js';
import { DIMENSIONS, NUISANCE, SIGNAL, writeMadeUp } from './embeddings.js';
import { temporaryFolder, writeFaces } from './faces.js';

let file: string;
let directions: Float64Array[];
beforeAll(async () => {
  ({ file, directions } = await writeMadeUp(60, 8));
});

/** Settings for a quick run; the made-up embeddings gain from a higher rate than real ones. */
const settings = (more: ProjectionSettings = {}): ProjectionSettings => ({
  embeddings: file,
  loss: 'tse',
  out: join(temporaryFolder(), 'run'),
  batch: 32,
  steps: 200,
  lr: 0.03,
  holdout: 20,
  ...more,
});

describe('a learned projection', () => {
  for (const loss of ['tse', 'tpe']) {
    it(`of ${loss} verifies people it has not seen, where cosine and principal components fail`, async () => {
      const draft = draftProjection(settings({ loss }));
      const { finished } = await trainProjection(draft);
      expect(finished).toBe(true);
      // Mined triplets keep the loss up; what falls is how many pairs of a triplet are in the wrong order.
      const hard = readMetrics(draft.out).map((record) => record.hard!);
      const mean20 = (counts: number[]) => counts.reduce((sum, n) => sum + n, 0) / 20;
      expect(mean20(hard.slice(-20))).toBeLessThan(mean20(hard.slice(0, 20)) / 3);
      const { heldOut, people, images } = await measureProjection(draft.out);
      expect({ people, images }).toEqual({ people: 40, images: 320 });
      expect(heldOut).toMatchObject({ people: 20, images: 160 });
      const { raw, pca, projected } = heldOut!;
      expect(raw.auc).toBeLessThan(0.7);
      expect(pca.auc).toBeCloseTo(raw.auc, 6); // all 16 components are a rotation
      expect(projected.auc).toBeGreaterThan(raw.auc + 0.2);
      expect(projected.accuracy).toBeGreaterThan(raw.accuracy + 0.15);

      // What it has learned is which directions to keep.
      const { matrix } = readProjection(draft.out);
      const gain = (direction: Float64Array) => {
        let energy = 0;
        for (let i = 0; i < DIMENSIONS; i++) {
          const along = direction.reduce((sum, x, j) => sum + x * matrix[i * DIMENSIONS + j]!, 0);
          energy += along * along;
        }
        return energy;
      };
      const mean = (some: Float64Array[]) => some.reduce((sum, d) => sum + gain(d), 0) / some.length;
      const signal = mean(directions.slice(0, SIGNAL));
      const nuisance = mean(directions.slice(SIGNAL, SIGNAL + NUISANCE));
      expect(signal).toBeGreaterThan(4 * nuisance);
    });
  }

  it('starts from the principal components of the embeddings it is trained on, or at random', async () => {
    const still = { lr: 1e-12, steps: 10, length: 5 };
    const [pca, other] = [
      draftProjection(settings(still)),
      draftProjection(settings({ ...still, start: 'random' })),
    ];
    await trainProjection(pca);
    await trainProjection(other);
    const { trained } = dealPeople(await readEmbeddings(file), pca);
    const { matrix } = principalProjection(trained, 5);
    const [a, b] = [readProjection(pca.out), readProjection(other.out)];
    expect([a.length, a.from]).toEqual([5, DIMENSIONS]);
    matrix.forEach((x, i) => {
      expect(a.matrix[i]).toBeCloseTo(x, 6);
    });
    expect(Math.max(...a.matrix.map((x, i) => Math.abs(x - b.matrix[i]!)))).toBeGreaterThan(0.1);
  });

  it('is the same as an ONNX model, for any number of embeddings', async () => {
    const draft = draftProjection(settings({ length: 7, steps: 30 }));
    await trainProjection(draft);
    const set = await readEmbeddings(file);
    const plain = applyProjection(readProjection(draft.out), { ...set, original: set.embeddings });
    const device = await openDevice('cpu', { threads: 1 });
    const model = await device.load(join(draft.out, PROJECTION_FILES.model));
    for (const count of [1, 9]) {
      const { projected } = await model.run({ embedding: set.embeddings.slice(0, count * DIMENSIONS) });
      expect(projected!.data).toHaveLength(count * 7);
      (projected!.data as Float32Array).forEach((x, i) => {
        expect(Math.abs(x - plain.original[i]!)).toBeLessThan(1e-5);
      });
    }
    await device.close();
  });
});

describe('a stopped run', () => {
  const figures = (out: string) =>
    readMetrics(out).map(({ seconds: _, imagesPerSecond: __, ...figures }) => figures);

  it('continues to the bits that an undisturbed run ends with', async () => {
    const [whole, stopped] = [draftProjection(settings()), draftProjection(settings())];
    await trainProjection(whole);
    const abort = new AbortController();
    const half = await trainProjection(stopped, {
      signal: abort.signal,
      onStep: ({ step }) => step >= 70 && abort.abort(),
    });
    expect(half).toMatchObject({ finished: false, step: 70 });
    expect(existsSync(join(stopped.out, PROJECTION_FILES.tensor))).toBe(false);
    const { out } = stopped;
    const end = await trainProjection(draftProjection({ out }, true), { resume: true });
    expect(end).toMatchObject({ finished: true, step: 200 });
    expect(readProjection(out).matrix).toEqual(readProjection(whole.out).matrix);
    expect(figures(out)).toEqual(figures(whole.out));
  });

  it('refuses to continue as another run, or on other embeddings', async () => {
    const draft = draftProjection(settings({ steps: 10 }));
    await trainProjection(draft);
    const { out } = draft;
    expect(() => draftProjection({ out, lr: 0.5 }, true)).toThrow(/lr is 0.5 but the run began with 0.03/);
    expect(() => draftProjection({ out, lossOptions: { margin: 0.5 } }, true)).toThrow(/lossOptions/);
    expect(() => draftProjection({ out: temporaryFolder() }, true)).toThrow(/no projection there/);
    const other = await writeMadeUp(59, 8);
    const moved = draftProjection({ out, embeddings: other.file }, true);
    await expect(trainProjection(moved, { resume: true })).rejects.toThrow(
      /not the embeddings this run began with/,
    );
    await expect(trainProjection(draftProjection({ ...settings(), out }))).rejects.toThrow(
      /not empty.*--force/,
    );
  });

  it('that diverged says which step, and what to lower', async () => {
    const draft = draftProjection(settings({ loss: 'tpe', lr: 1e30 }));
    await expect(trainProjection(draft)).rejects.toThrow(
      /^step [1-9]: the loss became (NaN|-?Infinity);.*--lr 3.3e\+29 instead of 1e\+30/,
    );
    expect(readMetrics(draft.out).every(({ loss }) => Number.isFinite(loss))).toBe(true);
    expect(existsSync(join(draft.out, PROJECTION_FILES.model))).toBe(false);
  });
});

describe('who is held out', () => {
  it('are the people whom a network trained with the same number and seed holds out', async () => {
    const faces = await writeFaces(12, 2);
    const network = await openTrainingSet(faces, { size: [32, 32], order: 'bgr', seed: 7, holdout: 5 });
    const images = Array.from({ length: 12 }, (_, i) => i).flatMap((person) =>
      [0, 1].map((image) => ({ path: `person${person}/${image}.png`, person: `person${person}` })),
    );
    const set = await readEmbeddings(file);
    // The order of the rows is not what counts.
    const listed = { ...set, images: images.reverse(), embeddings: set.embeddings.slice(0, 24 * DIMENSIONS) };
    const { trained, heldOut } = dealPeople(listed, { holdout: 5, seed: 7 });
    expect(heldOut.people).toEqual(network.heldOut.map(({ person }) => person));
    expect(trained.people).toEqual(network.people);
    await network.close();
  });

  it('rows keep their person and path; people with one image and images without a person are left out', async () => {
    const set = await readEmbeddings(file);
    const images = set.images.map((image, i) =>
      i === 0 ? { ...image, person: null } : i === 1 ? { ...image, person: 'hermit' } : image,
    );
    const { trained, tooFew } = dealPeople({ ...set, images }, { holdout: 0, seed: 1 });
    expect(tooFew).toEqual(['hermit']);
    expect(trained.people).toHaveLength(60);
    expect(trained.labels).toHaveLength(60 * 8 - 2);
    trained.paths.forEach((path, i) => {
      const row = images.findIndex((image) => image.path === path);
      expect(trained.people[trained.labels[i]!]).toBe(images[row]!.person);
      const at = (values: Float32Array, index: number) =>
        values.subarray(index * DIMENSIONS, (index + 1) * DIMENSIONS);
      expect(at(trained.original, i)).toEqual(at(set.embeddings, row));
    });
  });

  it('nobody: the projection has figures of no one, and says why', async () => {
    const draft = draftProjection(settings({ holdout: 0, steps: 10 }));
    await trainProjection(draft);
    const results = await measureProjection(draft.out);
    expect(results).toEqual({
      people: 60,
      images: 480,
      heldOutMissing: expect.stringMatching(/no people were held out; --holdout N/),
    });
    expect(JSON.parse(readFileSync(join(draft.out, FILES.results), 'utf8'))).toEqual(results);
  });
});

describe('what cannot be trained on', () => {
  it('settings out of range: says which, and what is valid', () => {
    expect(() => draftProjection({ ...settings(), out: undefined })).toThrow(/--out DIR is missing/);
    expect(() => draftProjection({ ...settings(), embeddings: undefined })).toThrow(
      /--embeddings FILE is missing/,
    );
    expect(() => draftProjection({ ...settings(), loss: undefined })).toThrow(
      /--loss is missing: one of tse, tpe/,
    );
    expect(() => draftProjection(settings({ loss: 'softmax' }))).toThrow(
      /'softmax' learns no projection.*tse, tpe/,
    );
    expect(() => draftProjection(settings({ batch: 4, perPerson: 4 }))).toThrow(/2 people with 2 images/);
    expect(() => draftProjection(settings({ batch: 4, perPerson: 1 }))).toThrow(/2 people with 2 images/);
    expect(() => draftProjection(settings({ lossOptions: { margin: -1 } }))).toThrow(/margin/);
    expect(() => draftProjection(settings({ lossOptions: { scale: 3 } }))).toThrow(/no option 'scale'/);
    expect(() => draftProjection(settings({ length: 0 }))).toThrow(/length/);
  });

  it('embeddings with too few numbers, people or images', async () => {
    const refuse = (more: ProjectionSettings) =>
      expect(trainProjection(draftProjection(settings(more)))).rejects;
    await refuse({ length: 17 }).toThrow(/--length 17.*have 16 numbers; use 1 to 16/);
    await refuse({ holdout: 59 }).toThrow(/1 of 60 people left to train on \(59 held out\)/);
    await refuse({ batch: 512, perPerson: 4 }).toThrow(/320 images, fewer than one batch of 512/);
    await refuse({ batch: 30 }).toThrow(/batch of 28 or 32/);
    await refuse({ batch: 120, perPerson: 2 }).toThrow(/40 people, fewer than the 60/);
    const one = await writeMadeUp(1, 8);
    await refuse({ embeddings: one.file, holdout: 0 }).toThrow(
      /1 of 1 people left to train on: .*at least 2/,
    );
    const set = await readEmbeddings(file);
    const loose = { ...set, images: set.images.map((image) => ({ ...image, person: null })) };
    expect(() => dealPeople(loose, { holdout: 0, seed: 1 })).toThrow(/its list names no people/);
  });

  it('a projection is for embeddings of its own length, and a damaged one is noticed', async () => {
    const draft = draftProjection(settings({ steps: 10 }));
    await trainProjection(draft);
    const projection = readProjection(draft.out);
    expect(() => applyProjection(projection, { length: 8, original: new Float32Array(16) })).toThrow(
      /takes embeddings of 16 numbers; these have 8/,
    );
    const tensor = join(draft.out, PROJECTION_FILES.tensor);
    writeFileSync(tensor, readFileSync(tensor).subarray(0, 100));
    expect(() => readProjection(draft.out)).toThrow(/projection.safetensors: .*damaged/);
    expect(() => readProjection(temporaryFolder())).toThrow(/no finished projection there/);
  });
});
