// What a training run has learned, measured from its run folder alone: verification of the people it held
// out (who it has never seen), and how tightly it clusters a sample of the people it was trained on.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isOfInput, UserError } from '../common/errors.js';
import { writeWholeSync } from '../common/files.js';
import { random } from '../common/random.js';
import { decodeImage, type ImageCollection, openCollection } from '../data/index.js';
import { type BothFeatures, type Embedder, type EmbedderOptions, openEmbedder } from '../face/index.js';
import { angularFisherScore } from '../theory/index.js';
import { FILES, type Identities, readSettings, readSkipped } from '../train/index.js';
import { fuse } from './templates.js';
import { verifyPairs } from './verify-pairs.js';

/** Images of trained people that the angular Fisher score is taken over, at most. */
const SAMPLE = 2000;

/** Images whose pixels are in memory at a time. */
const CHUNK = 512;

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
  const collection = await openCollection(data!);
  let embedder: Embedder | undefined;
  try {
    embedder = await openEmbedder(join(folder, FILES.model), options);
    const skipped = new Set(readSkipped(folder).map(({ path }) => path));
    const sample = sampleOfTrained(collection, identities, skipped, seed);
    const trained = await featuresOf(embedder, collection, sample, true);
    const results: HeldOutResults = {
      trained: {
        images: trained.labels.length,
        people: new Set(trained.labels).size,
        angularFisher: angularFisherScore(trained.features, trained.labels),
      },
    };
    const heldOut = heldOutImages(collection, identities);
    if (heldOut.length > 0) {
      const { features: measured, labels } = await featuresOf(embedder, collection, heldOut, false);
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
    writeWholeSync(file, `${JSON.stringify(results, null, 2)}\n`);
    return results;
  } finally {
    await embedder?.close();
    await collection.close();
  }
}

/** An image of the collection and the number of its person. */
interface Labelled {
  image: number;
  label: number;
}

/** Readable images of trained people, drawn evenly from all of them. */
function sampleOfTrained(
  collection: ImageCollection,
  identities: Identities,
  skipped: ReadonlySet<string>,
  seed: number,
): Labelled[] {
  const { names, starts } = collection;
  const number = new Map(identities.trained.map(({ person }, i) => [person, i]));
  const trained = (person: string) => number.has(person);
  const count = names.reduce((sum, name, p) => sum + (trained(name) ? starts[p + 1]! - starts[p]! : 0), 0);
  const images = new Uint32Array(count);
  const labels = new Int32Array(starts.at(-1)!);
  let row = 0;
  for (const [p, name] of names.entries()) {
    if (!trained(name)) continue;
    for (let image = starts[p]!; image < starts[p + 1]!; image++) {
      labels[image] = number.get(name)!;
      if (skipped.size === 0 || !skipped.has(collection.placeOf(image))) images[row++] = image;
    }
  }
  const sample = random(seed, 'fisher sample').shuffle(images.subarray(0, row)).slice(0, SAMPLE);
  return Array.from(sample, (image) => ({ image, label: labels[image]! }));
}

/** The images that the run held out. Throws a UserError for one that is no longer in the data. */
function heldOutImages(collection: ImageCollection, { heldOut }: Identities): Labelled[] {
  const { names, starts, source } = collection;
  const place = new Map(names.map((name, p) => [name, p]));
  return heldOut.flatMap(({ person, images }, label) => {
    const p = place.get(person);
    const found = new Map<string, number>();
    if (p !== undefined)
      for (let image = starts[p]!; image < starts[p + 1]!; image++) found.set(collection.keyOf(image), image);
    return images.map((key) => {
      const image = found.get(key);
      if (image === undefined)
        throw new UserError(`${source}: ${key} is no longer there, which the run held out`);
      return { image, label };
    });
  });
}

/** Features of images and their labels; with `tolerant`, without those that cannot be read. */
async function featuresOf(
  embedder: Embedder,
  collection: ImageCollection,
  wanted: readonly Labelled[],
  tolerant: boolean,
): Promise<{ features: BothFeatures; labels: number[] }> {
  const { height, width, order } = embedder.manifest.input;
  const { length } = embedder.manifest.embedding;
  const features = {
    length,
    original: new Float32Array(wanted.length * length),
    mirrored: new Float32Array(wanted.length * length),
  };
  const labels: number[] = [];
  for (let first = 0; first < wanted.length; first += CHUNK) {
    const faces = await Promise.all(
      wanted.slice(first, first + CHUNK).map(async ({ image, label }) => {
        try {
          return {
            image,
            pixels: await decodeImage(collection, image, { size: [height, width], order }),
            label,
          };
        } catch (error) {
          if (!tolerant || !isOfInput(error)) throw error;
          return undefined;
        }
      }),
    );
    const readable = faces.filter((face) => face !== undefined);
    if (readable.length === 0) continue;
    const both = await embedder.both(
      readable.map(({ pixels }) => pixels),
      { nameOf: (i) => collection.placeOf(readable[i]!.image) },
    );
    features.original.set(both.original, labels.length * length);
    features.mirrored.set(both.mirrored, labels.length * length);
    labels.push(...readable.map(({ label }) => label));
  }
  const count = labels.length * length;
  return {
    features: {
      length,
      original: features.original.subarray(0, count),
      mirrored: features.mirrored.subarray(0, count),
    },
    labels,
  };
}
