// An image-folder data set: one folder a person. Every image is decoded once before anything is trained, so
// that unreadable ones are known, named and left out in time; the pixels are kept when they fit the memory
// budget, and decoded again by worker threads, batch by batch, when they do not.
import { availableParallelism } from 'node:os';
import { relative, sep } from 'node:path';
import { UserError } from '../common/errors.js';
import { random } from '../common/random.js';
import { DecoderPool } from './decoder-pool.js';
import { type ImageSet, MemoryImages } from './image-set.js';
import { type ChannelOrder, type DecodeOptions, decodeFace } from './images.js';
import { compareNames, listPeople, type Person } from './people.js';
import type { TrainingSet } from './training-set.js';

export interface ImageFolderOptions {
  /** [height, width] of the network's input, in pixels. */
  size: readonly [number, number];
  /** Colour; grey images are repeated over the three channels. */
  channels?: 3;
  order: ChannelOrder;
  /** People kept out of training: a number, chosen by the seed, or their names. Default none. */
  holdout?: number | readonly string[];
  /** People who are left out altogether, by name; those who are not in the folder are passed over. */
  exclude?: readonly string[];
  /** People with fewer images than this are left out altogether. Default 1. */
  minImages?: number;
  seed: number;
  /** Bytes of pixels that may stay in memory. Default 1 GiB (33,288 images of 112x96). */
  memoryBudget?: number;
  /** Decoding threads when the pixels do not fit. Default: one a core, 4 at most. */
  threads?: number;
  /** Called after every image of the first pass. */
  onProgress?: (done: number, total: number) => void;
}

const defaultBudget = 2 ** 30;

/** A set that decodes its images at every read. */
class StreamedImages implements ImageSet {
  readonly channels = 3;
  private readonly pool: DecoderPool;

  constructor(
    private readonly paths: string[],
    readonly labels: Int32Array,
    readonly classes: number,
    private readonly options: DecodeOptions,
    threads?: number,
  ) {
    this.pool = new DecoderPool(options, threads);
  }

  get height() {
    return this.options.size[0];
  }

  get width() {
    return this.options.size[1];
  }

  read(indices: ArrayLike<number>): Promise<Uint8Array> {
    return this.pool.decode(Array.from(indices, (index) => this.paths[index]!));
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

/** Which of the people stay out of training. */
function chooseHeldOut(people: Person[], holdout: number | readonly string[], seed: number): Set<string> {
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

/**
 * Opens `folder/person/image` for training. See {@link ImageFolderOptions}; how an image is brought to the
 * input's size is stated at decodeFace.
 *
 * Throws a UserError for a missing or empty folder, images outside of person folders, no usable image, fewer
 * than two people to train on, or an unknown person to hold out.
 */
export async function openImageFolder(folder: string, options: ImageFolderOptions): Promise<TrainingSet> {
  const {
    size,
    order,
    seed,
    holdout = 0,
    exclude = [],
    minImages = 1,
    memoryBudget = defaultBudget,
  } = options;
  const decoding: DecodeOptions = { size, order };
  const all = await listPeople(folder);
  const unwanted = new Set(exclude);
  const listed = all.filter((person) => !unwanted.has(person.name));
  const excluded = all.map((person) => person.name).filter((name) => unwanted.has(name));
  const enough = listed.filter((person) => person.paths.length >= minImages);
  const tooFew = listed.filter((person) => person.paths.length < minImages).map((person) => person.name);
  const outside = chooseHeldOut(enough, holdout, seed);
  const inside = enough.filter((person) => !outside.has(person.name));
  const counts = { listed: all.length, excluded: excluded.length, heldOut: outside.size, minImages };
  requireTwo(folder, inside.length, { ...counts, tooFew: tooFew.length });

  const candidates = inside.flatMap((person) => person.paths.map((path) => ({ path, name: person.name })));
  const others = enough.filter((person) => outside.has(person.name)).flatMap((person) => person.paths);
  const length = size[0] * size[1] * 3;
  const streamed = candidates.length * length > memoryBudget;
  const kept = new Uint8Array(streamed ? 0 : candidates.length * length);

  const total = candidates.length + others.length;
  const failures = new Map<string, string>();
  let done = 0;
  await forEachIndex(total, async (index) => {
    const path = candidates[index]?.path ?? others[index - candidates.length]!;
    try {
      const pixels = await decodeFace(path, decoding);
      if (!streamed && index < candidates.length) kept.set(pixels, index * length);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.set(path, error.message.replace(`${path}: `, ''));
    }
    options.onProgress?.(++done, total);
  });

  const readable = (path: string) => !failures.has(path);
  const remaining = inside.filter((person) => {
    const enoughLeft = person.paths.filter(readable).length >= Math.max(1, minImages);
    if (!enoughLeft) tooFew.push(person.name);
    return enoughLeft;
  });
  if (failures.size === total)
    throw new UserError(
      `${folder}: none of its ${total} images can be read (${[...failures].map(([path, why]) => `${path}: ${why}`)[0]})`,
    );
  requireTwo(folder, remaining.length, { ...counts, tooFew: tooFew.length, unreadable: failures.size });

  const people = remaining.map((person) => person.name);
  const place = new Map(people.map((name, person) => [name, person]));
  const images: { path: string; person: number }[] = [];
  candidates.forEach(({ path, name }, row) => {
    const person = place.get(name);
    if (person === undefined || !readable(path)) return;
    if (!streamed) kept.copyWithin(images.length * length, row * length, (row + 1) * length);
    images.push({ path, person });
  });
  const labels = Int32Array.from(images, (image) => image.person);
  const pixels = streamed
    ? new StreamedImages(
        images.map((image) => image.path),
        labels,
        people.length,
        decoding,
        options.threads,
      )
    : new MemoryImages(kept.subarray(0, images.length * length), labels, {
        height: size[0],
        width: size[1],
        channels: 3,
        classes: people.length,
      });
  const keyOf = (path: string) => relative(folder, path).split(sep).join('/');
  return {
    people,
    keyOf: (image) => keyOf(images[image]!.path),
    heldOut: enough
      .filter((person) => outside.has(person.name))
      .map((person) => ({ person: person.name, images: person.paths.filter(readable).map(keyOf) }))
      .filter((person) => person.images.length > 0),
    skipped: [...candidates.map((image) => image.path), ...others]
      .filter((path) => !readable(path))
      .map((path) => ({ path, reason: failures.get(path)! })),
    tooFew: tooFew.sort(compareNames),
    excluded,
    pixels,
    streamed,
    close: () => pixels.close(),
  };
}

/** Training tells people apart: it needs two of them. Says what took the others away. */
function requireTwo(
  folder: string,
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
    `${folder}: ${left} of ${listed} people left to train on${why}: training needs at least 2, one folder a person`,
  );
}
