// Templates: one vector a face from the features of the image and of its mirror image. SphereFace
// concatenates the two, InsightFace adds them. All arithmetic in float64.
import { UserError } from '../common/errors.js';
import { countVectors, noDirection, squaredNorm, type Vectors } from '../theory/vectors.js';

/** Features of N images, [N, length], and of their mirror images when they were computed. */
export interface Features extends Vectors {
  readonly mirrored?: Float32Array | Float64Array;
}

/** How image and mirror become one template. */
export type Fusion = 'concatenate' | 'sum' | 'none';

/** N templates of `length` numbers, [N, length]; a Vectors like any other. */
export interface Templates extends Vectors {
  readonly original: Float64Array;
}

/**
 * Templates of `features`: [N, 2D] for 'concatenate', [N, D] for 'sum' (x + mirror, unscaled) and 'none'.
 * Throws UserError when the fusion needs mirror features that are not there.
 */
export function fuse(features: Features, fusion: Fusion): Templates {
  const count = countVectors(features);
  const { length, original, mirrored } = features;
  if (fusion === 'none') return { length, original: Float64Array.from(original) };
  if (!mirrored) {
    throw new UserError(
      `templates: '${fusion}' needs the features of the mirrored images; compute them or choose 'none'`,
    );
  }
  if (mirrored.length !== original.length) {
    throw new UserError(
      `templates: ${original.length} numbers of images but ${mirrored.length} of their mirrors`,
    );
  }
  if (fusion === 'sum') {
    return { length, original: Float64Array.from(original, (value, i) => value + mirrored[i]!) };
  }
  const joined = new Float64Array(2 * original.length);
  for (let i = 0; i < count; i++) {
    joined.set(original.subarray(i * length, (i + 1) * length), 2 * i * length);
    joined.set(mirrored.subarray(i * length, (i + 1) * length), (2 * i + 1) * length);
  }
  return { length: 2 * length, original: joined };
}

/** These rows alone, in this order, in float64. */
export function takeRows({ length, original }: Vectors, rows: readonly number[] | Uint32Array): Templates {
  const taken = new Float64Array(rows.length * length);
  rows.forEach((row, i) => {
    taken.set(original.subarray(row * length, (row + 1) * length), i * length);
  });
  return { length, original: taken };
}

/** The same vectors scaled to unit length. Throws UserError naming the first row without a direction. */
export function l2Normalise(vectors: Vectors): Templates {
  const count = countVectors(vectors);
  const { length } = vectors;
  const original = Float64Array.from(vectors.original);
  for (let i = 0; i < count; i++) {
    const norm = Math.sqrt(squaredNorm(original, i * length, length));
    if (!(norm > 0 && norm < Infinity)) throw new UserError(`feature ${i}: ${noDirection(norm)}`);
    for (let d = i * length; d < (i + 1) * length; d++) original[d]! /= norm;
  }
  return { length, original };
}
