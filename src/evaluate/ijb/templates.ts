// A template of IARPA's Janus benchmarks: one vector of many images. Frames of one video are averaged first, so that a
// long video counts as much as a photograph; the media are added, and the sum is scaled to unit length (Crosswhite et
// al., 2018; Whitelam et al., 2017).
import { UserError } from '../../common/errors.js';
import { noDirection, squaredNorm } from '../../theory/vectors.js';
import type { Templates } from '../templates.js';

/** Which template and which medium each image belongs to, [L] each. */
export interface TemplateImages {
  names: readonly string[];
  template: Uint32Array;
  medium: Uint32Array;
}

/** Sums of templates that are filled image by image, so that the features of all images are never held at once. */
export class TemplateSums {
  /** [L] what each image weighs in its template: one over the images of its medium there. */
  readonly #weights: Float64Array;
  #sums: Float64Array | undefined;
  #length = 0;

  /** `scores` [L] weigh the images further, when given. */
  constructor(
    private readonly images: TemplateImages,
    private readonly templates: number,
    scores?: Float64Array,
  ) {
    const { template, medium } = images;
    const counts = new Map<number, number>();
    const key = (image: number) => template[image]! * 2 ** 32 + medium[image]!;
    for (let image = 0; image < template.length; image++)
      counts.set(key(image), (counts.get(key(image)) ?? 0) + 1);
    this.#weights = Float64Array.from(
      template,
      (_, image) => (scores ? scores[image]! : 1) / counts.get(key(image))!,
    );
  }

  /** Adds the features of these images, [n, D], as the network gave them: their lengths count. */
  add(images: ArrayLike<number>, features: Templates): void {
    const { length, original } = features;
    if (this.#sums && length !== this.#length)
      throw new UserError(`features of ${length} numbers after those of ${this.#length}; use one model`);
    this.#length = length;
    this.#sums ??= new Float64Array(this.templates * length);
    for (let i = 0; i < images.length; i++) {
      const image = images[i]!;
      const norm = Math.sqrt(squaredNorm(original, i * length, length));
      if (!(norm > 0 && norm < Infinity))
        throw new UserError(`${this.images.names[image]}: ${noDirection(norm)}`);
      const at = this.images.template[image]! * length;
      const weight = this.#weights[image]!;
      for (let d = 0; d < length; d++) this.#sums[at + d]! += weight * original[i * length + d]!;
    }
  }

  /**
   * Unit templates, [T, D]; the sums become them. `nameOf` gives a template's own number for the message when its
   * images cancel out.
   */
  unit(nameOf: (template: number) => string | number): Templates {
    const sums = this.#sums;
    const length = this.#length;
    if (!sums) throw new UserError('templates: no image was added');
    for (let row = 0; row < this.templates; row++) {
      const norm = Math.sqrt(squaredNorm(sums, row * length, length));
      if (!(norm > 0)) throw new UserError(`template ${nameOf(row)}: its images cancel out`);
      for (let d = row * length; d < (row + 1) * length; d++) sums[d]! /= norm;
    }
    return { length, original: sums };
  }
}
