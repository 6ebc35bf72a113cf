// A learned projection as a thing of its own: T in a safetensors file and as an ONNX model, and applied to
// embeddings in plain float64, x' = T x / |x| (TSE and TPE, Sankaranarayanan et al. 2016).

import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../common/errors.js';
import { writeWholeSync } from '../common/files.js';
import { readSafetensors, writeSafetensors } from '../data/index.js';
import { input } from '../graph/index.js';
import { losses } from '../losses/index.js';
import { lowerInference } from '../lower/index.js';
import { Scope } from '../nn/index.js';
import { countVectors, squaredNorm, type Vectors } from '../theory/vectors.js';
import type { ProjectionConfig } from './projection-config.js';

/** Files of a projection's folder that a run folder does not have. */
export const PROJECTION_FILES = { tensor: 'projection.safetensors', model: 'projection.onnx' } as const;

/** The parameter T of the losses that learn one, and the tensor's name in a file. */
export const PROJECTION = 'projection';

/** T. */
export interface Projection {
  /** [d, D], row-major. */
  matrix: Float32Array | Float64Array;
  /** d */
  length: number;
  /** D */
  from: number;
  /** What the file says of its origin. */
  metadata: Record<string, string>;
}

/** Projected embeddings [N, d] of embeddings [N, D], each brought to unit length first. */
export function applyProjection({ matrix, length, from }: Projection, vectors: Vectors): Vectors {
  const count = countVectors(vectors);
  const { original } = vectors;
  if (vectors.length !== from)
    throw new UserError(`the projection takes embeddings of ${from} numbers; these have ${vectors.length}`);
  const projected = new Float32Array(count * length);
  for (let n = 0; n < count; n++) {
    const norm = Math.sqrt(squaredNorm(original, n * from, from));
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let j = 0; j < from; j++) sum += matrix[i * from + j]! * original[n * from + j]!;
      projected[n * length + i] = norm > 0 ? sum / norm : 0;
    }
  }
  return { length, original: projected };
}

/**
 * Writes projection.safetensors (the tensor 'projection' [d, D]) and projection.onnx (`embedding` [N, D] to
 * `projected` [N, d]) into the folder, each with its origin in the metadata. `model` names what the embeddings
 * come from.
 */
export function exportProjection(
  config: ProjectionConfig,
  from: number,
  matrix: Float32Array,
  model: string,
): void {
  const { out, loss, lossOptions, length, start, steps, seed, embeddings } = config;
  const metadata = {
    format: 'hypersphere-projection/1',
    formula: "x' = T x / |x|, compared by cosine",
    embeddingsOf: model,
    training: JSON.stringify({ loss, lossOptions, start, steps, seed, embeddings: basename(embeddings) }),
  };
  const shape = [length, from];
  writeWholeSync(
    join(out, PROJECTION_FILES.tensor),
    writeSafetensors(new Map([[PROJECTION, { dtype: 'float32', shape, data: matrix }]]), metadata),
  );
  const embedding = input('embedding', [1, from]);
  const projected = losses[loss]!.embed!(new Scope(), embedding, { ...lossOptions, length });
  writeWholeSync(
    join(out, PROJECTION_FILES.model),
    lowerInference({
      inputs: [embedding],
      outputs: { projected },
      weights: new Map([[PROJECTION, matrix]]),
      metadata,
    }),
  );
}

/** The projection of a folder. Throws a `UserError` when it is missing or damaged. */
export function readProjection(folder: string): Projection {
  const file = join(folder, PROJECTION_FILES.tensor);
  if (!existsSync(file))
    throw new UserError(
      `${folder}: no finished projection there (no ${PROJECTION_FILES.tensor}); train one with: hypersphere project`,
    );
  const { tensors, metadata } = readSafetensors(readFileSync(file), file);
  const { shape = [], data } = tensors.get(PROJECTION) ?? {};
  if (!(data instanceof Float32Array) || shape.length !== 2)
    throw new UserError(`${file}: it has no matrix '${PROJECTION}' of float32`);
  return { matrix: data, length: shape[0]!, from: shape[1]!, metadata };
}
