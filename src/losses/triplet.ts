// Triplet loss: an image must be nearer to every image of its person than to any of another, by a margin.
import { add, l2Normalize, maximum } from '../graph/index.js';
import { defineLoss } from './definition.js';
import { oneOf, real } from './options.js';
import { squaredDistancesOfUnit } from './pairs.js';
import { MINING, type Mining, minedTriplets } from './triplets.js';

/** Options of `triplet`. */
export interface TripletOptions {
  /** alpha, in squared distance of unit features (0 to 4). */
  margin: number;
  mining: Mining;
}

export const triplet = defineLoss<TripletOptions>({
  name: 'triplet',
  title: 'Triplet',
  formula: 'max(0, |a - p|^2 - |a - n|^2 + alpha), unit a, p, n',
  paper: 'Schroff, Kalenichenko and Philbin, FaceNet, CVPR 2015, section 3.1',
  kind: 'triplet',
  needs: { imagesPerPerson: 2 },
  options: { margin: real(0.2, { above: 0, to: 4 }), mining: oneOf<Mining>('semi-hard', MINING) },
  build({ embedding, labels }, { margin, mining }) {
    const distance = squaredDistancesOfUnit(l2Normalize(embedding));
    const { loss, counts } = minedTriplets(distance, labels, { mining, margin }, (gap) =>
      maximum(add(gap, margin), 0),
    );
    return { loss, schedule: [], metrics: counts };
  },
});
