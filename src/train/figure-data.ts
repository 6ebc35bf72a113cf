// The images that trained figures learn from: some digits, or the people of a folder who have most images, split
// into training and test; and the long tail, a set whose classes were given very different numbers of images
// (SphereFace, Fig. 9).
import { UserError } from '../common/errors.js';
import { random } from '../common/random.js';
import { digits, listPeople, MemoryImages, openTrainingSet, splitDigits } from '../data/index.js';
import { INPUTS, type Subject } from './figure-net.js';

/** A small labelled set with its test images. */
export interface FigureSet {
  subject: Subject;
  /** Of each class: the digit, or the person's folder. */
  names: string[];
  train: MemoryImages;
  test: MemoryImages;
}

export interface DigitSetOptions {
  seed: number;
  /** Which digits; default all ten. */
  classes?: readonly number[];
  /** Images of each digit at most; default all. */
  perClass?: number;
  /** Share of each digit's images that is kept for testing. Default a fifth. */
  testShare?: number;
}

export function digitSet({ seed, classes, perClass, testShare }: DigitSetOptions): FigureSet {
  const others =
    classes && Array.from({ length: 10 }, (_, digit) => digit).filter((d) => !classes.includes(d));
  const split = splitDigits(digits(), { seed, heldOut: others, perClass, testShare });
  return { subject: 'digits', names: split.classes.map(String), train: split.train, test: split.test };
}

export interface FaceSetOptions {
  seed: number;
  /** That many people, those with most images first, ties in the order of their names; default all. */
  people?: number;
  /** Images that everybody must have. Default 2. */
  minImages?: number;
  /** Images of each person at most; default all. */
  perClass?: number;
  /** Share of each person's images that is kept for testing. */
  testShare: number;
}

/**
 * Faces of `folder`, 56 x 48 in colour. Throws a UserError when the folder has fewer people than asked for, or
 * cannot be trained on (see openTrainingSet).
 */
export async function faceSet(folder: string, options: FaceSetOptions): Promise<FigureSet> {
  const { seed, people = Infinity, minImages = 2, perClass = Infinity, testShare } = options;
  const { size } = INPUTS.faces;
  // Only those who can be among the people with most images need to be decoded.
  const sizes = (await listPeople(folder)).map(({ paths }) => paths.length).sort((a, b) => b - a);
  const least = Math.max(minImages, sizes[Math.min(people, sizes.length) - 1]!);
  const opened = await openTrainingSet(folder, { size, order: 'rgb', seed, minImages: least });
  try {
    const rows: number[][] = opened.people.map(() => []);
    opened.pixels.labels.forEach((person, row) => {
      rows[person]!.push(row);
    });
    const chosen = [...rows.keys()]
      .sort((a, b) => rows[b]!.length - rows[a]!.length || a - b)
      .slice(0, people);
    if (people !== Infinity && chosen.length < people) {
      throw new UserError(
        `${folder}: ${chosen.length} people with enough images; the figure needs ${people}`,
      );
    }
    const shuffled = chosen.map((person) =>
      random(seed, 'faces', opened.people[person]!)
        .shuffle([...rows[person]!])
        .slice(0, perClass),
    );
    const tested = (all: number[]) => Math.round(all.length * testShare);
    const gather = async (part: number[][]): Promise<MemoryImages> => {
      const labels = Int32Array.from(part.flatMap((own, label) => own.map(() => label)));
      const pixels = await opened.pixels.read(part.flat());
      return new MemoryImages(pixels, labels, {
        height: size[0],
        width: size[1],
        channels: INPUTS.faces.channels,
        classes: part.length,
      });
    };
    return {
      subject: 'faces',
      names: chosen.map((person) => opened.people[person]!),
      train: await gather(shuffled.map((own) => own.slice(tested(own)))),
      test: await gather(shuffled.map((own) => own.slice(0, tested(own)))),
    };
  } finally {
    await opened.close();
  }
}

/** How many images each class of a set has. */
export function classCounts({ labels, classes }: { labels: Int32Array; classes: number }): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}

/** Sizes of `classes` classes from `most` to `least` images, each the same share smaller than the one before. */
export const longTail = (classes: number, most: number, least: number): number[] =>
  Array.from({ length: classes }, (_, i) =>
    Math.round(most * (least / most) ** (classes > 1 ? i / (classes - 1) : 0)),
  );

/** The first `counts[k]` images of every class k of a set. Throws a UserError for a class that has fewer. */
export function withCounts(set: MemoryImages, counts: readonly number[]): MemoryImages {
  const { labels, height, width, channels, classes } = set;
  const taken = new Array<number>(classes).fill(0);
  const rows = [...labels.keys()].filter((row) => taken[labels[row]!]!++ < counts[labels[row]!]!);
  const short = counts.findIndex((count, label) => taken[label]! < count);
  if (short >= 0) {
    throw new UserError(`class ${short} has ${taken[short]} images; ${counts[short]} are asked for`);
  }
  const length = height * width * channels;
  const pixels = new Uint8Array(rows.length * length);
  rows.forEach((row, i) => {
    pixels.set(set.pixels.subarray(row * length, (row + 1) * length), i * length);
  });
  return new MemoryImages(
    pixels,
    Int32Array.from(rows, (row) => labels[row]!),
    { height, width, channels, classes },
  );
}
