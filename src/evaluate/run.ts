// What a training run has learned, measured from its run folder alone: verification of the people it held
// out (who it has never seen), and how tightly it clusters a sample of the people it was trained on.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { random } from '../common/random.js';
import { listPeople } from '../data/index.js';
import { type EmbedderOptions, openEmbedder } from '../face/index.js';
import { angularFisherScore } from '../theory/index.js';
import { FILES, type Identities, readSettings } from '../train/index.js';
import { fuse } from './templates.js';
import { verifyPairs } from './verify-pairs.js';

/** Images of trained people that the angular Fisher score is taken over, at most. */
const SAMPLE = 2000;

/** Figures of a run; the run folder keeps them as results.json. */
export interface HeldOutResults {
  /** Over a sample of the training images, without their mirror images. */
  trained: { images: number; people: number; angularFisher: number };
  /** Open-set verification of the held-out people; absent without any, or when they give too few pairs. */
  heldOut?: {
    people: number;
    images: number;
    pairs: number;
    /**
     * Mean over ten folds, with its standard error. Pairs share images and people across folds, so other people
     * would change the accuracy by more than that.
     */
    accuracy: number;
    standardError: number;
    eer: number;
    auc: number;
    angularFisher: number;
    tarAtFar: { far: number; tar: number | null }[];
  };
  /** Why `heldOut` is absent although people were held out. */
  heldOutMissing?: string;
}

/**
 * Measures the run in `folder` with its exported model and writes results.json. Templates join the features
 * of image and mirror image; scores are cosines, the threshold of a fold comes from the other nine.
 */
export async function measureRun(folder: string, options: EmbedderOptions = {}): Promise<HeldOutResults> {
  const { data, seed = 1 } = readSettings(join(folder, FILES.config));
  const identities = JSON.parse(readFileSync(join(folder, FILES.identities), 'utf8')) as Identities;
  const embedder = await openEmbedder(join(folder, FILES.model), options);
  try {
    const trained = await sampleOfTrained(data!, identities, skippedIn(folder), seed);
    const features = await embedder.both(trained.paths);
    const results: HeldOutResults = {
      trained: {
        images: trained.paths.length,
        people: new Set(trained.labels).size,
        angularFisher: angularFisherScore(features, trained.labels),
      },
    };
    const heldOut = identities.heldOut.flatMap(({ images }, label) =>
      images.map((image) => ({ path: join(data!, image), label })),
    );
    if (heldOut.length > 0) {
      const measured = await embedder.both(heldOut.map(({ path }) => path));
      const labels = heldOut.map(({ label }) => label);
      const templates = fuse(measured, 'concatenate');
      try {
        const verified = verifyPairs(templates, labels, { seed });
        results.heldOut = {
          people: identities.heldOut.length,
          images: heldOut.length,
          pairs: verified.pairs,
          accuracy: verified.accuracy,
          standardError: verified.standardError,
          eer: verified.eer,
          auc: verified.auc,
          angularFisher: angularFisherScore(measured, labels),
          tarAtFar: verified.tarAtFar.map(({ far, tar }) => ({ far, tar })),
        };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        results.heldOutMissing = error.message;
      }
    }
    const file = join(folder, FILES.results);
    writeFileSync(`${file}.tmp`, `${JSON.stringify(results, null, 2)}\n`);
    renameSync(`${file}.tmp`, file);
    return results;
  } finally {
    await embedder.close();
  }
}

/** Paths of images that could not be read. */
function skippedIn(folder: string): Set<string> {
  const file = join(folder, FILES.skipped);
  if (!existsSync(file)) return new Set();
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return new Set(lines.map((line) => (JSON.parse(line) as { path: string }).path));
}

/** Readable images of trained people, drawn evenly from all of them, with the person's number. */
async function sampleOfTrained(data: string, identities: Identities, skipped: Set<string>, seed: number) {
  const number = new Map(identities.trained.map(({ person }, i) => [person, i]));
  const all = (await listPeople(data)).flatMap(({ name, paths }) => {
    const label = number.get(name);
    if (label === undefined) return [];
    return paths.filter((path) => !skipped.has(path)).map((path) => ({ path, label }));
  });
  const sample = random(seed, 'fisher sample').shuffle(all).slice(0, SAMPLE);
  return { paths: sample.map(({ path }) => path), labels: sample.map(({ label }) => label) };
}
