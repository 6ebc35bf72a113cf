// Triplet similarity embedding: a projection under which same pairs are more similar than different ones, by a
// margin in the inner product.
import { add, maximum } from '../graph/index.js';
import { defineLoss } from './definition.js';
import { oneOf, real } from './options.js';
import { negativeProducts, project, projectedLength } from './projection.js';
import { MINING, type Mining, minedTriplets } from './triplets.js';

/** Options of `tse`. */
export interface TseOptions {
  /** alpha, in the inner product of projected embeddings. */
  margin: number;
  mining: Mining;
  /** Numbers of a projected embedding; 0 takes 128, or all where there are fewer. */
  length: number;
}

export const tse = defineLoss<TseOptions>({
  name: 'tse',
  title: 'TSE',
  formula: "max(0, alpha + a'.n' - a'.p'), x' = T x / |x|",
  paper: 'Sankaranarayanan, Alavi and Chellappa, Triplet Similarity Embedding for Face Verification, 2016',
  kind: 'triplet',
  needs: { imagesPerPerson: 2 },
  options: {
    margin: real(0.2, { above: 0 }),
    mining: oneOf<Mining>('semi-hard', MINING),
    length: projectedLength,
  },
  embed: (scope, embedding, { length }) => project(scope, embedding, length),
  build({ scope, embedding, labels }, { margin, mining, length }) {
    const distance = negativeProducts(project(scope, embedding, length));
    const { loss, counts } = minedTriplets(distance, labels, { mining, margin }, (gap) =>
      maximum(add(gap, margin), 0),
    );
    return { loss, schedule: [], metrics: counts };
  },
});
