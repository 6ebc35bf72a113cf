// What is compared: every loss of the survey, alone or beside softmax as its paper trains it, at one budget. The
// rates were chosen on people held out of the training faces, not on LFW; docs/results.md says what was not.
import {
  type RecipeId,
  type RecipeSettings,
  recipeSettings,
  SMALL_RATE,
  slowGamma,
} from '../../src/evaluate/tables/index.js';
import { SPHEREFACE_ANNEALING } from '../../src/losses/index.js';

/** A loss and what it is trained with beside the common budget. */
export interface Recipe {
  id: string;
  settings: RecipeSettings;
}

/** Steps of a run: lambda reaches its minimum at their end. */
const STEPS = 570;

const recipe = (id: string, loss: string, settings: Omit<RecipeSettings, 'loss'> = {}): Recipe => ({
  id,
  settings: { loss, lr: SMALL_RATE, ...settings },
});

/** As the tables of the paper train it. */
const ofTables = (id: string, name: RecipeId): Recipe => ({
  id,
  settings: recipeSettings(name, 'small', STEPS),
});

/**
 * The rate of losses with a fixed scale of about 30 and of those of 64: in proportion, the gradient is as large. They
 * start with a warm-up, because their first gradients are the largest.
 */
const AT_30 = { lr: 0.02, warmUp: 100 };
const AT_64 = { lr: 0.008, warmUp: 100 };

const annealing = { gamma: slowGamma(STEPS, SPHEREFACE_ANNEALING) };

export const RECIPES: readonly Recipe[] = [
  ofTables('softmax', 'softmax'),
  ofTables('modified softmax', 'modified-softmax'),
  // The published annealing ends at 0, which shrinks the embeddings to nothing in a run this short.
  recipe('L-Softmax, m = 2', 'l-softmax', {
    lossOptions: { margin: 2, annealing: { minimum: 5, wait: false } },
  }),
  ...([2, 3, 4] as const).map((margin) => ofTables(`A-Softmax, m = ${margin}`, `a-softmax-m${margin}`)),
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
  ofTables('triplet', 'triplet'),
  recipe('TSE', 'tse'),
  recipe('TPE', 'tpe'),
  ofTables('softmax + .1 contrastive', 'softmax-contrastive'),
  ofTables('softmax + .008 center', 'softmax-center'),
  recipe('softmax + center + center-invariant', 'softmax+center+center-invariant', {
    lossOptions: { weights: { center: 0.008 } },
  }),
  recipe('softmax + .1 range', 'softmax+range', { lossOptions: { weights: { range: 0.1 } } }),
];
