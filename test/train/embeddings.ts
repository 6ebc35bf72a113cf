// Made-up embeddings in which what tells people apart and what does not are known: a person is a point in the
// first SIGNAL directions; the NUISANCE directions after them vary far more, within every person alike (as pose and
// light do); all of it is turned by a random rotation, so that no coordinate gives it away.
import { join } from 'node:path';
import { random } from '../../src/common/random.js';
import { manifestSchema, writeEmbeddings } from '../../src/face/index.js';
import { temporaryFolder } from './faces.js';

export const DIMENSIONS = 16;
export const SIGNAL = 6;
export const NUISANCE = 4;

/** Writes `people` people with `images` embeddings each; returns the file, and the rotation [D, D] by rows. */
export async function writeMadeUp(
  people: number,
  images: number,
  ending = '.safetensors',
): Promise<{ file: string; directions: Float64Array[] }> {
  const directions = rotation();
  const rows: { path: string; person: string; embedding: number[] }[] = [];
  for (let person = 0; person < people; person++) {
    const centre = random(1, 'centre', person);
    const mean = Array.from({ length: SIGNAL }, () => centre.normal());
    for (let image = 0; image < images; image++) {
      const noise = random(1, 'noise', person, image);
      const hidden = Array.from({ length: DIMENSIONS }, (_, i) => {
        if (i < SIGNAL) return mean[i]! + 0.3 * noise.normal();
        return (i < SIGNAL + NUISANCE ? 2 : 0.3) * noise.normal();
      });
      const embedding = Array.from({ length: DIMENSIONS }, (_, j) =>
        hidden.reduce((sum, x, i) => sum + x * directions[i]![j]!, 0),
      );
      rows.push({ path: `p${person}/${image}.png`, person: `p${person}`, embedding });
    }
  }
  const file = join(temporaryFolder(), `faces${ending}`);
  await writeEmbeddings(file, {
    folder: 'made-up',
    manifest: MADE_UP,
    length: DIMENSIONS,
    embeddings: Float32Array.from(rows.flatMap(({ embedding }) => embedding)),
    images: rows.map(({ path, person }) => ({ path, person })),
    skipped: [],
  });
  return { file, directions };
}

const MADE_UP = manifestSchema.parse({
  format: 'hypersphere-model/1',
  name: 'made-up',
  input: { name: 'x', width: 4, height: 4, order: 'rgb', mean: 0, scale: 1 },
  flip: 'none',
  embedding: { length: DIMENSIONS, output: 'y' },
});

/** Orthonormal rows by Gram and Schmidt. */
function rotation(): Float64Array[] {
  const stream = random(1, 'rotation');
  const rows: Float64Array[] = [];
  while (rows.length < DIMENSIONS) {
    const row = Float64Array.from({ length: DIMENSIONS }, () => stream.normal());
    for (const before of rows) {
      const along = before.reduce((sum, x, i) => sum + x * row[i]!, 0);
      before.forEach((x, i) => {
        row[i]! -= along * x;
      });
    }
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    rows.push(row.map((x) => x / length));
  }
  return rows;
}
