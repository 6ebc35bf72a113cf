// Synthetic galleries that are as hard as faces in one respect: their vectors do not fill the sphere evenly. A
// template's coordinates are normal with variances that fall as 1 / (1 + i / 64), made a unit vector; a probe is a
// template turned by a stated angle in a random direction, as another photograph of the same person is.
import { random } from '../../src/common/random.js';
import { toUnit } from '../../src/search/index.js';

const spread = (length: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => 1 / Math.sqrt(1 + i / 64));

/** Rows first .. first + count - 1 of the gallery that `seed` names, [count, length]. */
export function syntheticRows(seed: number, first: number, count: number, length: number): Float32Array {
  const sigma = spread(length);
  const rows = new Float32Array(count * length);
  for (let row = 0; row < count; row++) {
    const stream = random(seed, 'template', first + row);
    for (let d = 0; d < length; d++) rows[row * length + d] = sigma[d]! * stream.normal();
  }
  return toUnit(rows, length, 'template', first);
}

/** Rows of a gallery of `count` in pieces, for a file. */
export function* syntheticPieces(seed: number, count: number, length: number): Generator<Float32Array> {
  const piece = 4096;
  for (let first = 0; first < count; first += piece)
    yield syntheticRows(seed, first, Math.min(piece, count - first), length);
}

/** Probes with mates in the gallery. */
export interface Probes {
  /** [P, length] */
  values: Float32Array;
  /** [P], the row of each probe's mate. */
  mates: number[];
}

/** `probes` probes for the gallery of `count` rows that `seed` names, each at `cosine` to its mate. */
export function syntheticProbes(
  seed: number,
  probes: number,
  { count, length }: { count: number; length: number },
  cosine = 0.5,
): Probes {
  const values = new Float32Array(probes * length);
  const mates = Array.from({ length: probes }, (_, p) => Math.floor(((p + 0.5) * count) / probes));
  const sigma = spread(length);
  for (const [p, mate] of mates.entries()) {
    const template = syntheticRows(seed, mate, 1, length);
    const stream = random(seed, 'probe', p);
    const other = Float32Array.from({ length }, (_, d) => sigma[d]! * stream.normal());
    const along = other.reduce((sum, value, d) => sum + value * template[d]!, 0);
    const across = toUnit(
      other.map((value, d) => value - along * template[d]!),
      length,
      'direction',
    );
    const sine = Math.sqrt(1 - cosine * cosine);
    for (let d = 0; d < length; d++) values[p * length + d] = cosine * template[d]! + sine * across[d]!;
  }
  return { values: toUnit(values, length, 'probe'), mates };
}
