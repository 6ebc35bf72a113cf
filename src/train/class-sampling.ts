// The classes that take part in a step (An et al., Partial FC, 2020): those of the batch, and so many others at
// random. The rest of the class vectors is neither read nor moved, so a step costs what its sample costs, whatever
// the number of classes.
import { random } from '../common/random.js';

/** How many of `classes` take part in a step: a share of them, and never fewer than a batch may bring. */
export const sampleSize = (share: number, classes: number, batch: number): number =>
  Math.min(classes, Math.max(Math.ceil(share * classes), batch));

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
  const positive = new Set(labels.filter((label) => label >= from && label < to));
  const sample = new Int32Array(count);
  const stream = random(seed, 'classes', step, from);
  let wanted = count - positive.size;
  let left = to - from - positive.size;
  let at = 0;
  for (let label = from; label < to && at < count; label++) {
    if (positive.has(label)) {
      sample[at++] = label;
      continue;
    }
    // Of those left, as many as are still wanted (Knuth, volume 2, algorithm S).
    if (left * stream.uniform() < wanted) {
      sample[at++] = label;
      wanted--;
    }
    left--;
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
