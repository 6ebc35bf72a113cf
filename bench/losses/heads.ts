// Which losses are timed, with which options, and which of them depend on the number of people.
import type { LossOptions } from '../../src/losses/index.js';

/** One loss as it is timed; options that are left out are the defaults. */
export interface Head {
  /** For the table. */
  title: string;
  loss: string;
  options?: LossOptions;
}

/** What everything is compared with: softmax with a bias. */
export const REFERENCE: Head = { title: 'softmax', loss: 'softmax' };

const head = (loss: string): Head => ({ title: loss, loss });

/** Losses with class vectors or centres: their cost grows with the number of people. */
export const PER_CLASS: readonly Head[] = [
  { title: 'softmax without bias', loss: 'softmax', options: { bias: false } },
  head('modified-softmax'),
  head('l-softmax'),
  head('a-softmax'),
  { title: "a-softmax 'caffe'", loss: 'a-softmax', options: { gradient: 'caffe' } },
  head('l2-softmax'),
  head('normface'),
  head('coco'),
  head('am-softmax'),
  head('cosface'),
  head('arcface'),
  head('combined'),
  head('sphereface-plus'),
  head('sphereface-r-v1'),
  head('sphereface-r-v2'),
  head('center'),
  head('center-invariant'),
];

/** Losses over the pairs and triplets of the batch: the number of people has no part in them. */
export const PER_BATCH: readonly Head[] = ['contrastive', 'marginal', 'triplet', 'tse', 'tpe', 'range'].map(
  head,
);
