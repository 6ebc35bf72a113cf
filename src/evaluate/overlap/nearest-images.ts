// The most alike training image of every test image, and the most alike of another training person: of a photograph
// that is in both sets the first is far nearer than the second, as in Lowe's ratio test (2004). Training images come
// some at a time, so that of them no more is held than that.
import { UserError } from '../../common/errors.js';
import { eachBlock, memoryTemplates } from '../../search/index.js';
import { squaredNorm, type Vectors } from '../../theory/vectors.js';

/** A test image and a training image, by their rows; `ratio` is their distance over that of strangers. */
export interface ImagePair {
  train: number;
  test: number;
  /** The cosine. */
  similarity: number;
  /**
   * 1 - similarity over the median, over all test images, of the same to the most alike image of the second training
   * person; absent for too few training people to tell it.
   */
  ratio?: number;
}

/** Throws a UserError unless templates of `train` and of `test` numbers are of one length. */
export function requireOneLength(train: number, test: number): void {
  if (train !== test)
    throw new UserError(
      `training templates have ${train} numbers, test templates ${test}: they cannot be compared`,
    );
}

/** Templates of the rows that have a direction, of unit length; an image that could not be read is zeros. */
function readable(rows: readonly number[], { length, original }: Vectors) {
  const norms = rows.map((_, i) => Math.sqrt(squaredNorm(original, i * length, length)));
  const places = rows.map((_, i) => i).filter((i) => norms[i]! > 0 && norms[i]! < Infinity);
  const unit = new Float32Array(places.length * length);
  places.forEach((from, to) => {
    for (let d = 0; d < length; d++) unit[to * length + d] = original[from * length + d]! / norms[from]!;
  });
  return { rows: places.map((i) => rows[i]!), unit };
}

/** Compares test images, which are held, with training images as they come. */
export class NearestImages {
  readonly #rows: number[];
  #unit: Float32Array;
  readonly #length: number;
  /** By test image: rows, people and cosines of the most alike, and of the most alike of another person. */
  readonly #best: Nearest;
  readonly #second: Nearest;
  readonly #people = new Set<number>();

  /** `templates` [n, D] of the test images `rows`; those of zeros are left out. */
  constructor(rows: readonly number[], templates: Vectors) {
    const { rows: kept, unit } = readable(rows, templates);
    this.#rows = kept;
    this.#unit = unit;
    this.#length = templates.length;
    this.#best = noneYet(kept.length);
    this.#second = noneYet(kept.length);
  }

  /** Looks at `templates` [m, D] of training images `rows`, whose people are numbered by `personOf`. */
  async take(
    rows: readonly number[],
    templates: Vectors,
    personOf: (row: number) => number,
    threads?: number,
  ): Promise<void> {
    const { rows: kept, unit } = readable(rows, templates);
    if (kept.length === 0 || this.#rows.length === 0) return;
    requireOneLength(templates.length, this.#length);
    const people = Int32Array.from(kept, personOf);
    for (const person of people) this.#people.add(person);
    const [best, second] = [this.#best, this.#second];
    await eachBlock(this.#unit, memoryTemplates(unit, this.#length), {
      ...(threads !== undefined && { threads }),
      onBlock(scores, first, count, firstProbe, probes) {
        for (let i = 0; i < probes; i++) {
          const test = firstProbe + i;
          for (let j = 0; j < count; j++) {
            const score = scores[i * count + j]!;
            if (score <= second.cosines[test]!) continue;
            const [row, person] = [kept[first + j]!, people[first + j]!];
            if (score > best.cosines[test]!) {
              if (person !== best.people[test]!) move(best, second, test);
              put(best, test, row, person, score);
            } else if (person !== best.people[test]!) put(second, test, row, person, score);
          }
        }
      },
    });
  }

  /** Training people who have come. */
  get people(): number {
    return this.#people.size;
  }

  /** Lets go of the templates: no more training images come. */
  close(): void {
    this.#unit = new Float32Array();
  }

  /** Distances, 1 - cosine, of every test image to the second training person. */
  secondDistances(): number[] {
    return [...this.#second.cosines].filter((cosine) => cosine > -Infinity).map((cosine) => 1 - cosine);
  }

  /** The most alike image of each test image and of the second person: two pairs a test image. */
  pairs(): ImagePair[] {
    return this.#rows.flatMap((test, i) =>
      [this.#best, this.#second]
        .filter(({ rows }) => rows[i]! >= 0)
        .map(({ rows, cosines }) => ({ train: rows[i]!, test, similarity: cosines[i]! })),
    );
  }
}

interface Nearest {
  rows: Int32Array;
  people: Int32Array;
  cosines: Float64Array;
}

const noneYet = (count: number): Nearest => ({
  rows: new Int32Array(count).fill(-1),
  people: new Int32Array(count).fill(-1),
  cosines: new Float64Array(count).fill(-Infinity),
});

function put(into: Nearest, at: number, row: number, person: number, cosine: number): void {
  into.rows[at] = row;
  into.people[at] = person;
  into.cosines[at] = cosine;
}

const move = (from: Nearest, to: Nearest, at: number): void =>
  put(to, at, from.rows[at]!, from.people[at]!, from.cosines[at]!);
