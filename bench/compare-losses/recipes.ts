// What is compared: every loss of the survey, alone or beside softmax as its paper trains it, at one budget. The
// rates were chosen on people held out of the training faces, not on LFW; docs/results.md says what was not.
import type { Settings } from '../../src/train/index.js';

/** A loss and what it is trained with beside the common budget. */
export interface Recipe {
  id: string;
  settings: Pick<Settings, 'loss' | 'lossOptions' | 'lr' | 'warmUp' | 'perPerson'>;
}

/** The rate of the losses whose logits carry the length of the features. */
const RATE = 0.05;

const recipe = (id: string, loss: string, settings: Omit<Recipe['settings'], 'loss'> = {}): Recipe => ({
  id,
  settings: { loss, lr: RATE, ...settings },
});

/**
 * The rate of losses with a fixed scale of about 30 and of those of 64: in proportion, the gradient is as large. They
 * start with a warm-up, because their first gradients are the largest.
 */
const AT_30 = { lr: 0.02, warmUp: 100 };
const AT_64 = { lr: 0.008, warmUp: 100 };

/**
 * lambda reaches its minimum at the end of a run of 570 steps. The default, which reaches it half-way, is too fast for
 * m = 4 in a run this short: the embeddings shrink to nothing (docs/training.md).
 */
const annealing = { gamma: 0.35 };

export const RECIPES: readonly Recipe[] = [
  recipe('softmax', 'softmax'),
  recipe('modified softmax', 'modified-softmax'),
  // The published annealing ends at 0, which shrinks the embeddings to nothing in a run this short.
  recipe('L-Softmax, m = 2', 'l-softmax', { lossOptions: { margin: 2, annealing: { minimum: 5 } } }),
  ...[2, 3, 4].map((margin) =>
    recipe(`A-Softmax, m = ${margin}`, 'a-softmax', { lossOptions: { margin, annealing } }),
  ),
  recipe('SphereFace+', 'sphereface-plus', { lossOptions: { annealing } }),
  recipe('SphereFace-R v1', 'sphereface-r-v1', { ...AT_30, lossOptions: { gradient: 'detached' } }),
  recipe('SphereFace-R v2', 'sphereface-r-v2', { ...AT_30, lossOptions: { gradient: 'detached' } }),
  recipe('L2-Softmax, alpha = 16', 'l2-softmax', { ...AT_30, lossOptions: { alpha: 16 } }),
  recipe('NormFace', 'normface'),
  recipe('CoCo, s = 30', 'coco', { lr: 0.02, warmUp: 200, lossOptions: { scale: 30 } }),
  recipe('AM-Softmax, s = 30', 'am-softmax', AT_30),
  recipe('CosFace, s = 64', 'cosface', AT_64),
  recipe('ArcFace, s = 30', 'arcface', { ...AT_30, lossOptions: { scale: 30 } }),
  recipe('ArcFace, easy margin, s = 30', 'arcface', {
    ...AT_30,
    lossOptions: { scale: 30, easyMargin: true },
  }),
  recipe('combined, s = 30', 'combined', { ...AT_30, lossOptions: { scale: 30 } }),
  recipe('contrastive, unit features', 'contrastive', { lossOptions: { normalize: true } }),
  recipe('marginal', 'marginal'),
  recipe('triplet', 'triplet'),
  recipe('TSE', 'tse'),
  recipe('TPE', 'tpe'),
  recipe('softmax + .1 contrastive', 'softmax+contrastive', {
    lossOptions: { weights: { contrastive: 0.1 }, contrastive: { normalize: true } },
  }),
  recipe('softmax + .008 center', 'softmax+center', { lossOptions: { weights: { center: 0.008 } } }),
  recipe('softmax + center + center-invariant', 'softmax+center+center-invariant', {
    lossOptions: { weights: { center: 0.008 } },
  }),
  recipe('softmax + .1 range', 'softmax+range', { lossOptions: { weights: { range: 0.1 } } }),
];
