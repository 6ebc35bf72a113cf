// Shared by the tests of search: unit rows by a seed, and the plain answer in double precision.
import { random } from '../../src/common/random.js';

/** [count, length] unit rows, normal directions. */
export function unitRows(count: number, length: number, seed: number): Float32Array {
  const stream = random(seed, 'rows');
  const rows = new Float32Array(count * length);
  for (let row = 0; row < count; row++) {
    const values = Array.from({ length }, () => stream.normal());
    const norm = Math.hypot(...values);
    values.forEach((value, d) => {
      rows[row * length + d] = value / norm;
    });
  }
  return rows;
}

/** [P, N]: every cosine, added up in double precision. */
export function plainScores(probes: Float32Array, templates: Float32Array, length: number): Float64Array[] {
  const scores: Float64Array[] = [];
  for (let p = 0; p < probes.length / length; p++) {
    const row = new Float64Array(templates.length / length);
    for (let t = 0; t < row.length; t++)
      for (let d = 0; d < length; d++) row[t]! += probes[p * length + d]! * templates[t * length + d]!;
    scores.push(row);
  }
  return scores;
}

/** The `k` highest of `scores` by a plain sort, ties by the lower row. */
export function plainTop(scores: ArrayLike<number>, k: number): number[] {
  return Array.from(scores, (_, row) => row)
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, k);
}
