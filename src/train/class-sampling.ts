// The classes that take part in a step (An et al., Partial FC, 2020): those of the batch, and so many others at
// random. The rest of the class vectors is neither read nor moved, so a step costs what its sample costs, whatever
// the number of classes.
import { random } from '../common/random.js';

/** How many of `classes` take part in a step: a share of them, and never fewer than a batch may bring. */
export const sampleSize = (share: number, classes: number, batch: number): number =>
  Math.min(classes, Math.max(Math.ceil(share * classes), batch));

/** What a class is in a step. */
const [OTHER, POSITIVE, DRAWN] = [0, 1, 2] as const;

/**
 * The classes of `from` to `to` - 1 that take part in a step, rising: all that `labels` names, and others, each as
 * likely, up to `count`. A pure function of the seed, the step and the range.
 */
export function sampleClasses(
  { from, to }: { from: number; to: number },
  labels: Int32Array,
  count: number,
  { seed, step }: { seed: number; step: number },
): Int32Array {
  const all = to - from;
  const of = new Uint8Array(all);
  let positives = 0;
  for (const label of labels) {
    if (label < from || label >= to || of[label - from] === POSITIVE) continue;
    of[label - from] = POSITIVE;
    positives++;
  }
  // Drawing the fewer of those that come and those that stay away costs what is drawn, not what there is.
  const [coming, left] = [count - positives, all - positives];
  const drawn = coming <= left / 2 ? coming : left - coming;
  const stream = random(seed, 'classes', step, from);
  for (let found = 0; found < drawn; ) {
    const place = stream.integer(all);
    if (of[place] !== OTHER) continue;
    of[place] = DRAWN;
    found++;
  }
  const others = drawn === coming ? DRAWN : OTHER;
  const sample = new Int32Array(count);
  for (let place = 0, at = 0; place < all; place++) {
    if (of[place] === POSITIVE || of[place] === others) sample[at++] = from + place;
  }
  return sample;
}

/** Where each label is among classes in rising order; 0, and `here` 0, where it is not. */
export function placesOf(labels: Int32Array, find: (label: number) => number) {
  const places = new Int32Array(labels.length);
  const here = new Float32Array(labels.length);
  labels.forEach((label, i) => {
    const place = find(label);
    if (place < 0) return;
    places[i] = place;
    here[i] = 1;
  });
  return { places, here };
}

/** The place of a number in rising numbers, or -1. */
export function placeIn(rising: Int32Array, wanted: number): number {
  let [low, high] = [0, rising.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = rising[middle]!;
    if (found === wanted) return middle;
    if (found < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
