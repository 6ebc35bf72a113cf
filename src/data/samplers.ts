// Which images each training step sees, as a pure function of (seed, step). Two orders: all images shuffled
// anew every epoch, and P people with K images each (Hermans, Beyer and Leibe 2017, section 2), which losses
// on pairs and triplets need: only a batch with several images of a person has positives to choose from.
import { UserError } from '../common/errors.js';
import { random } from '../common/random.js';

/** The images of one step. */
export interface Plan {
  /** Indices into the set. */
  indices: Int32Array;
  /** 1 where the image is reversed from left to right, by place. */
  mirrored: Uint8Array;
}

/** An order of training images. */
export interface Sampler {
  /** Steps that go by as an epoch in schedules and reports: whole batches in as many images as there are. */
  readonly batchesPerEpoch: number;
  /** The images of a global step (0-based); the same whatever was asked before. */
  plan(step: number): Plan;
}

export interface SamplerOptions {
  /** Images a batch. */
  batch: number;
  seed: number;
  /** Reverse each image from left to right with probability 1/2. Default false. */
  mirror?: boolean;
}

/** Throws a UserError for a batch that `count` images cannot fill; returns the whole batches they give. */
function wholeBatches(count: number, batch: number): number {
  if (!Number.isInteger(batch) || batch < 1)
    throw new UserError(`a batch of ${batch} images: use a whole number from 1 on`);
  if (count < batch)
    throw new UserError(
      `the data set has ${count} images, fewer than one batch of ${batch}: use a batch of ${count} or less`,
    );
  return Math.floor(count / batch);
}

/**
 * `make`, which remembers its last two values: steps that follow each other share an epoch or a round, and batches are
 * prepared over its end while the labels of a step before it are still asked for.
 */
function latest<T>(make: (number: number) => T): (number: number) => T {
  let known: { number: number; value: T }[] = [];
  return (number) => {
    const found = known.find((one) => one.number === number) ?? { number, value: make(number) };
    known = [found, ...known.filter((one) => one !== found)].slice(0, 2);
    return found.value;
  };
}

function counting(length: number): Int32Array {
  const numbers = new Int32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = i;
  return numbers;
}

/**
 * Every image once an epoch, in an order of that epoch's own; the images that fill no batch come in other
 * epochs, as the order changes. Whether an image is mirrored is drawn once an epoch.
 * Throws a UserError when there are fewer images than one batch.
 */
export function shuffled(labels: Int32Array, { batch, seed, mirror }: SamplerOptions): Sampler {
  const count = labels.length;
  const batchesPerEpoch = wholeBatches(count, batch);
  const epochOf = latest((number) => {
    const order = random(seed, 'shuffle', number).shuffle(counting(count));
    const coin = random(seed, 'mirror', number);
    const mirrored = new Uint8Array(count);
    if (mirror) for (let i = 0; i < count; i++) mirrored[i] = coin.integer(2);
    return { order, mirrored };
  });
  return {
    batchesPerEpoch,
    plan(step) {
      const { order, mirrored } = epochOf(Math.floor(step / batchesPerEpoch));
      const start = (step % batchesPerEpoch) * batch;
      const indices = order.slice(start, start + batch);
      return { indices, mirrored: Uint8Array.from(indices, (index) => mirrored[index]!) };
    },
  };
}

/**
 * P x K: every batch holds P = batch / K people, all different, with K = `perPerson` images each, one person
 * behind the other. People come in rounds, shuffled anew each; who fills no batch waits for the next round.
 * A person's images are drawn without replacement; one with fewer than K gives all of them and then repeats.
 * So people are seen equally often, however many images they have, and an epoch is a number of steps only.
 * Throws a UserError when K does not divide the batch, or when there are fewer than P people.
 */
export function peopleByImages(
  labels: Int32Array,
  { batch, seed, mirror, perPerson }: SamplerOptions & { perPerson: number },
): Sampler {
  if (!Number.isInteger(perPerson) || perPerson < 1)
    throw new UserError(`${perPerson} images a person: use a whole number from 1 on`);
  const batchesPerEpoch = wholeBatches(labels.length, batch);
  if (batch % perPerson !== 0) {
    const below = batch - (batch % perPerson);
    const mend = [below, below + perPerson].filter((n) => n > 0).join(' or ');
    throw new UserError(
      `a batch of ${batch} images is no multiple of ${perPerson} images a person: use a batch of ${mend}`,
    );
  }
  const members = imagesOfPeople(labels);
  const people = batch / perPerson;
  if (members.length < people)
    throw new UserError(
      `the data set has ${members.length} people, fewer than the ${people} in a batch of ${batch} with ` +
        `${perPerson} images each: use a batch of ${members.length * perPerson} or less, or more images a person`,
    );
  const batchesPerRound = Math.floor(members.length / people);
  const roundOf = latest((number) => random(seed, 'people', number).shuffle(counting(members.length)));
  return {
    batchesPerEpoch,
    plan(step) {
      const start = (step % batchesPerRound) * people;
      const chosen = roundOf(Math.floor(step / batchesPerRound)).subarray(start, start + people);
      const stream = random(seed, 'images', step);
      const indices = new Int32Array(batch);
      chosen.forEach((person, p) => {
        const images = stream.shuffle(members.of(person).slice());
        for (let k = 0; k < perPerson; k++) indices[p * perPerson + k] = images[k % images.length]!;
      });
      const coin = random(seed, 'mirror', step);
      return { indices, mirrored: Uint8Array.from(indices, () => (mirror ? coin.integer(2) : 0)) };
    },
  };
}

/** The images of everyone who has one, people by rising label: parts of one array, as there may be millions. */
function imagesOfPeople(labels: Int32Array): { length: number; of(person: number): Int32Array } {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const people = Float64Array.from(counts.keys()).sort();
  const starts = new Int32Array(people.length + 1);
  const next = new Map<number, number>();
  people.forEach((label, person) => {
    next.set(label, starts[person]!);
    starts[person + 1] = starts[person]! + counts.get(label)!;
  });
  const images = new Int32Array(labels.length);
  labels.forEach((label, image) => {
    const at = next.get(label)!;
    images[at] = image;
    next.set(label, at + 1);
  });
  return {
    length: people.length,
    of: (person) => images.subarray(starts[person], starts[person + 1]),
  };
}
