// Triplet probabilistic embedding: the probability that a same pair is more similar than a different one, a
// logistic function of the difference, is made large. No margin to choose.
import { add, exp, log, maximum, neg, stopGradient, sub } from '../graph/index.js';
import { defineLoss } from './definition.js';
import { oneOf } from './options.js';
import { negativeProducts, project, projectedLength } from './projection.js';
import { minedTriplets } from './triplets.js';

/** Options of `tpe`. */
export interface TpeOptions {
  mining: 'all' | 'hard' | 'hardest';
  /** Numbers of a projected embedding; 0 takes 128, or all where there are fewer. */
  length: number;
}

export const tpe = defineLoss<TpeOptions>({
  name: 'tpe',
  title: 'TPE',
  formula: "-log sigma(a'.p' - a'.n'), x' = T x / |x|",
  paper: 'Sankaranarayanan, Alavi, Castillo and Chellappa, Triplet Probabilistic Embedding, BTAS 2016',
  kind: 'triplet',
  needs: { imagesPerPerson: 2 },
  options: { mining: oneOf('all', ['all', 'hard', 'hardest']), length: projectedLength },
  embed: (scope, embedding, { length }) => project(scope, embedding, length),
  build({ scope, embedding, labels }, { mining, length }) {
    const distance = negativeProducts(project(scope, embedding, length));
    // log(1 + e^g) = t + log(e^-t + e^(g-t)); t = max(g, 0), a constant, keeps both powers at 1 or below, and the
    // gradient is sigma(g) everywhere, at g = 0 too.
    const { loss, counts } = minedTriplets(distance, labels, { mining, margin: 0 }, (gap) => {
      const top = stopGradient(maximum(gap, 0));
      return add(top, log(add(exp(neg(top)), exp(sub(gap, top)))));
    });
    return { loss, schedule: [], metrics: { easy: counts.easy, hard: counts.hard } };
  },
});
