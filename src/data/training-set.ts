// A data set to train on as the loop sees it, whatever it is kept in: people, labelled pixels, and who stays out. A set
// whose pixels fit the memory budget is decoded once before anything is trained, so that unreadable images are known,
// named and left out in time. A larger one is decoded batch by batch, and its images are found to be unreadable when
// they are met: a pass over millions of them would take hours. Nothing here is a list with an object an image.
import { availableParallelism } from 'node:os';
import { isOfInput, UserError } from '../common/errors.js';
import { random } from '../common/random.js';
import {
  decodeImage,
  type ImageCollection,
  type OpenCollection,
  type UnreadableImage,
} from './image-collection.js';
import type { ImageSet } from './image-set.js';
import type { ChannelOrder, DecodeOptions } from './images.js';
import { openCollection } from './open-collection.js';
import { compareNames } from './people.js';
import { WorkerImages, withoutPlace } from './worker-images.js';

export interface TrainingSetOptions extends OpenCollection {
  /** [height, width] of the network's input, in pixels. */
  size: readonly [number, number];
  /** Colour; grey images are repeated over the three channels. */
  channels?: 3;
  order: ChannelOrder;
  /** People kept out of training: a number, chosen by the seed, or their names. Default none. */
  holdout?: number | readonly string[];
  /** People who are left out altogether, by name; those who are not in the set are passed over. */
  exclude?: readonly string[];
  /** People with fewer images than this are left out altogether. Default 1. */
  minImages?: number;
  seed: number;
  /** Bytes of pixels that may stay in memory. Default 1 GiB (33,288 images of 112x96). */
  memoryBudget?: number;
  /** Threads that prepare batches. Default: one a core, 4 at most. */
  threads?: number;
  /** Called after every image that is decoded before training. */
  onProgress?: (done: number, total: number) => void;
}

/** People to train on and their images, and the people who are kept out. */
export interface TrainingSet {
  /** Training people in natural order; an image's label is its person's place here. */
  people: string[];
  /** Training images, person by person. */
  pixels: ImageSet;
  /** What names training image i in its set: 'person/image.jpg' in a folder, its record's key in a record file. */
  keyOf(image: number): string;
  /** People kept out of training, with the keys of their readable images. */
  heldOut: { person: string; images: string[] }[];
  /** Unreadable images, of training and held-out people, as far as they are known before training. */
  skipped: UnreadableImage[];
  /** People left out because they had fewer than `minImages` usable images (or none). */
  tooFew: string[];
  /** People of the set who were left out by name, in natural order. */
  excluded: string[];
  /** What a person should know about the set, a line each. */
  notes: readonly string[];
  /** Whether the pixels are decoded at every read instead of kept. */
  streamed: boolean;
  /** Ends the threads, if any, and closes the set's files. */
  close(): Promise<void>;
}

const defaultBudget = 2 ** 30;

/** A person of the collection, and the place of their images in it. */
interface Range {
  name: string;
  first: number;
  end: number;
}

/** Which of the people stay out of training. */
function chooseHeldOut(people: Range[], holdout: number | readonly string[], seed: number): Set<string> {
  const names = people.map((person) => person.name);
  if (typeof holdout !== 'number') {
    const known = new Set(names);
    const unknown = holdout.filter((name) => !known.has(name));
    if (unknown.length > 0)
      throw new UserError(
        `people to hold out that are not in the data set (or have too few images, or are excluded): ${unknown.slice(0, 5).join(', ')}`,
      );
    return new Set(holdout);
  }
  if (!Number.isInteger(holdout) || holdout < 0)
    throw new UserError(`${holdout} people to hold out: use a whole number from 0 on`);
  return new Set(random(seed, 'holdout').shuffle(names).slice(0, holdout));
}

/** Runs `work` on 0 .. count-1, several at a time. */
async function forEachIndex(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: availableParallelism() + 2 }, lane));
}

/** The images of people, one after the other. */
function imagesOf(people: readonly Range[]): Uint32Array {
  const images = new Uint32Array(people.reduce((sum, { first, end }) => sum + end - first, 0));
  let row = 0;
  for (const { first, end } of people) for (let image = first; image < end; image++) images[row++] = image;
  return images;
}

/**
 * Opens `folder/person/image`, or a record file (train.rec, or its folder), for training. See
 * {@link TrainingSetOptions}; how an image is brought to the input's size is stated at decodeFace.
 *
 * Throws a UserError for a missing or empty set, images outside of person folders, no usable image, fewer
 * than two people to train on, or an unknown person to hold out.
 */
export async function openTrainingSet(path: string, options: TrainingSetOptions): Promise<TrainingSet> {
  const collection = await openCollection(path, options);
  try {
    return await trainingSetOf(collection, options);
  } catch (error) {
    await collection.close();
    throw error;
  }
}

async function trainingSetOf(collection: ImageCollection, options: TrainingSetOptions): Promise<TrainingSet> {
  const { size, order, seed, holdout = 0, exclude = [], minImages = 1 } = options;
  const { memoryBudget = defaultBudget } = options;
  const { names, starts } = collection;
  const decoding: DecodeOptions = { size, order };
  const unwanted = new Set(exclude);
  const all = names.map((name, p): Range => ({ name, first: starts[p]!, end: starts[p + 1]! }));
  const listed = all.filter((person) => !unwanted.has(person.name));
  const excluded = names.filter((name) => unwanted.has(name));
  const enough = listed.filter(({ first, end }) => end - first >= minImages);
  const tooFew = listed.filter(({ first, end }) => end - first < minImages).map(({ name }) => name);
  const outside = chooseHeldOut(enough, holdout, seed);
  const inside = enough.filter((person) => !outside.has(person.name));
  const counts = { listed: all.length, excluded: excluded.length, heldOut: outside.size, minImages };
  requireTwo(collection, inside.length, { ...counts, tooFew: tooFew.length });

  const candidates = imagesOf(inside);
  const others = enough.filter((person) => outside.has(person.name));
  const tested = imagesOf(others);
  const length = size[0] * size[1] * 3;
  const streamed = candidates.length * length > memoryBudget;
  const kept = new SharedArrayBuffer(streamed ? 0 : candidates.length * length);
  const bytes = new Uint8Array(kept);
  // Held-out people are few, and are measured at the run's end, when it is late to learn that they cannot be.
  const inTraining = streamed ? 0 : candidates.length;
  const total = inTraining + tested.length;
  const failures = new Map<number, string>();
  let done = 0;
  await forEachIndex(total, async (index) => {
    const image = index < inTraining ? candidates[index]! : tested[index - inTraining]!;
    try {
      const pixels = await decodeImage(collection, image, decoding);
      if (index < inTraining) bytes.set(pixels, index * length);
    } catch (error) {
      if (!isOfInput(error)) throw error;
      failures.set(image, withoutPlace(error.message, collection.placeOf(image)));
    }
    options.onProgress?.(++done, total);
  });

  const { source } = collection;
  const remaining = inside.filter(({ name, first, end }) => {
    let unreadable = 0;
    if (failures.size > 0)
      for (let image = first; image < end; image++) if (failures.has(image)) unreadable++;
    const enoughLeft = end - first - unreadable >= Math.max(1, minImages);
    if (!enoughLeft) tooFew.push(name);
    return enoughLeft;
  });
  if (total > 0 && failures.size === total) {
    const [image, why] = [...failures][0]!;
    throw new UserError(
      `${source}: none of its ${total} images can be read (${collection.placeOf(image)}: ${why})`,
    );
  }
  requireTwo(collection, remaining.length, {
    ...counts,
    tooFew: tooFew.length,
    unreadable: failures.size,
  });

  const people = remaining.map((person) => person.name);
  const images = imagesOf(remaining).filter((image) => !failures.has(image));
  const labels = new Int32Array(images.length);
  let row = 0;
  for (const [label, { end }] of remaining.entries())
    for (; row < images.length && images[row]! < end; row++) labels[row] = label;
  if (!streamed && images.length < candidates.length) {
    let to = 0;
    candidates.forEach((image, from) => {
      if (images[to] !== image) return;
      bytes.copyWithin(to * length, from * length, (from + 1) * length);
      to++;
    });
  }
  const pixels = new WorkerImages(collection, images, labels, {
    decoding,
    classes: people.length,
    threads: options.threads,
    ...(!streamed && { pixels: kept }),
  });
  const unreadable = [...failures].sort(([a], [b]) => a - b);
  return {
    people,
    pixels,
    keyOf: (image) => collection.keyOf(images[image]!),
    heldOut: others
      .map((person) => ({
        person: person.name,
        images: Array.from(
          imagesOf([person]).filter((image) => !failures.has(image)),
          (image) => collection.keyOf(image),
        ),
      }))
      .filter((person) => person.images.length > 0),
    skipped: [
      ...collection.skipped,
      ...unreadable.map(([image, reason]) => ({ path: collection.placeOf(image), reason })),
    ],
    tooFew: tooFew.sort(compareNames),
    excluded,
    notes: collection.notes,
    streamed,
    async close() {
      await pixels.close();
      await collection.close();
    },
  };
}

/** Training tells people apart: it needs two of them. Says what took the others away. */
function requireTwo(
  { source, layout }: ImageCollection,
  left: number,
  counts: {
    listed: number;
    excluded: number;
    heldOut: number;
    tooFew: number;
    minImages: number;
    unreadable?: number;
  },
): void {
  if (left >= 2) return;
  const { listed, excluded, heldOut, tooFew, minImages, unreadable = 0 } = counts;
  const causes = [
    excluded > 0 ? `${excluded} excluded` : '',
    heldOut > 0 ? `${heldOut} held out` : '',
    tooFew > 0 ? `${tooFew} with fewer than ${Math.max(1, minImages)} usable images` : '',
    unreadable > 0 ? `${unreadable} unreadable images` : '',
  ].filter((cause) => cause !== '');
  const why = causes.length > 0 ? ` (${causes.join(', ')})` : '';
  throw new UserError(
    `${source}: ${left} of ${listed} people left to train on${why}: training needs at least 2, ${layout}`,
  );
}
