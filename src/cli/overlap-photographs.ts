// The photographs that are in both sets of hypersphere overlap: test images are held in parts, and training images
// pass by while their people's means are made.
import { readPhotograph } from '../data/index.js';
import {
  faceDetail,
  imageFile,
  NearestImages,
  type PhotographScan,
  type PhotographSide,
  sharedPhotographs,
} from '../evaluate/index.js';
import { type Template, templateLabel } from '../face/index.js';
import type { Vectors } from '../theory/vectors.js';
import { timedProgress } from './output.js';
import type { Side } from './overlap-sides.js';

/** Numbers of a part of the test set: 256 MiB. */
const PART = 2 ** 26;
/** Training images at a time. */
const AT_A_TIME = 4096;

/** `begin`, then `take` every training image once, then `finish`. */
export class PhotographSearch {
  #parts: number[][] = [];
  readonly #nearest: NearestImages[] = [];
  readonly #trainPerson: Map<number, number>;

  constructor(
    private readonly train: Side,
    private readonly test: Side,
    private readonly threads: number | undefined,
  ) {
    this.#trainPerson = new Map(
      train.people.flatMap(({ rows }, i) => rows.map((row): [number, number] => [row, i])),
    );
  }

  /** Holds the first test images; a template has `length` numbers. */
  async begin(length: number): Promise<void> {
    const each = Math.max(1, Math.floor(PART / length));
    const rows = this.test.people.flatMap((one) => one.rows);
    this.#parts = Array.from({ length: Math.ceil(rows.length / each) }, (_, i) =>
      rows.slice(i * each, (i + 1) * each),
    );
    await this.#hold();
  }

  /** Compares training images with the test images that are held. */
  take(rows: readonly number[], templates: Vectors): Promise<void> {
    const personOf = (row: number) => this.#trainPerson.get(row)!;
    return this.#nearest.at(-1)!.take(rows, templates, personOf, this.threads);
  }

  /** The photographs. With more test images than one part holds, the training images pass by again for each part. */
  async finish(): Promise<PhotographScan> {
    const rows = [...this.#trainPerson.keys()];
    while (this.#parts.length > 0) {
      await this.#hold();
      const shown = timedProgress(rows.length, 'training images, for more of the test images');
      for (let first = 0; first < rows.length; first += AT_A_TIME) {
        const some = rows.slice(first, first + AT_A_TIME);
        await this.take(some, await this.train.embedded!.templates(some));
        shown.update(first + some.length, '');
      }
      shown.stop();
    }
    const [from, to] = [this.train.aligned, this.test.aligned];
    const differ = from && to && templateLabel(from) !== templateLabel(to);
    let shown: ReturnType<typeof timedProgress> | undefined;
    return sharedPhotographs(
      this.#nearest,
      photographSide(this.train),
      photographSide(this.test, differ ? { from: to, to: from } : undefined),
      (done, total) => {
        shown ??= timedProgress(total, 'pairs of images');
        shown.update(done, '');
      },
    ).finally(() => shown?.stop());
  }

  async #hold(): Promise<void> {
    this.#nearest.at(-1)?.close();
    const rows = this.#parts.shift()!;
    this.#nearest.push(new NearestImages(rows, await this.test.embedded!.templates(rows)));
  }
}

function photographSide(
  { images, folder, people }: Side,
  carry?: { from: Template; to: Template },
): PhotographSide {
  const names = new Map(people.flatMap(({ name, rows }) => rows.map((row): [number, string] => [row, name])));
  return {
    paths: images.map(({ path }) => path),
    personOf: (row) => names.get(row)!,
    async detailOf(row) {
      const file = imageFile(folder, images[row]!.path);
      if (file === undefined) return undefined;
      const photograph = await readPhotograph(file).catch(() => undefined);
      return photograph && faceDetail(photograph, carry);
    },
  };
}
