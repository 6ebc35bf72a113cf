// What a learned projection is worth, from its folder alone: verification of the people it held out, with the
// embeddings as they are, with their principal components alone, and with the projection; the same pairs each time.
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { readEmbeddings } from '../face/index.js';
import type { Vectors } from '../theory/vectors.js';
import { readProjectionConfig } from '../train/projection-config.js';
import { dealPeople } from '../train/projection-data.js';
import { applyProjection, readProjection } from '../train/projection-model.js';
import { principalProjection } from '../train/projection-step.js';
import { FILES, writeJson } from '../train/run-folder.js';
import { verifyPairs } from './verify-pairs.js';

/** Verification of held-out people with one kind of embedding. Rates are shares, intervals 95 %. */
export interface ProjectionFigures {
  /** Numbers of an embedding. */
  length: number;
  /** Mean over ten folds, with its standard error. */
  accuracy: number;
  standardError: number;
  eer: number;
  auc: number;
  /** Over images of these people; other people would change the figures by more. */
  aucInterval?: [number, number];
  tarAtFar: { far: number; tar: number | null }[];
}

/** Figures of a projection; its folder keeps them as results.json. */
export interface ProjectionResults {
  people: number;
  images: number;
  heldOut?: {
    people: number;
    images: number;
    pairs: number;
    seed: number;
    /** Cosines of the embeddings as they are. */
    raw: ProjectionFigures;
    /** Of their first d principal components, those of the people trained on. */
    pca: ProjectionFigures;
    /** Of the learned projection. */
    projected: ProjectionFigures;
  };
  /** Why `heldOut` is absent. */
  heldOutMissing?: string;
}

/** Measures the projection in `folder` and writes results.json. */
export async function measureProjection(folder: string): Promise<ProjectionResults> {
  const config = readProjectionConfig(folder);
  const projection = readProjection(folder);
  const { trained, heldOut } = dealPeople(await readEmbeddings(config.embeddings), config);
  const results: ProjectionResults = { people: trained.people.length, images: trained.labels.length };
  const { seed } = config;
  const measure = (vectors: Vectors) => {
    const verified = verifyPairs(vectors, heldOut.labels, { seed });
    const { accuracy, standardError, eer, auc, aucInterval, tarAtFar, pairs } = verified;
    const figures: ProjectionFigures = {
      length: vectors.length,
      accuracy,
      standardError,
      eer,
      auc,
      ...(aucInterval && { aucInterval }),
      tarAtFar: tarAtFar.map(({ far, tar }) => ({ far, tar })),
    };
    return { pairs, figures };
  };
  if (heldOut.people.length === 0) {
    results.heldOutMissing = 'no people were held out; --holdout N keeps N of them for it';
  } else {
    try {
      const { pairs, figures: raw } = measure(heldOut);
      const components = principalProjection(trained, config.length);
      results.heldOut = {
        people: heldOut.people.length,
        images: heldOut.labels.length,
        pairs,
        seed,
        raw,
        pca: measure(applyProjection(components, heldOut)).figures,
        projected: measure(applyProjection(projection, heldOut)).figures,
      };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      results.heldOutMissing = error.message;
    }
  }
  writeJson(join(folder, FILES.results), results);
  return results;
}
