// How the networks of the trained figures are trained; chosen by training curves and pictures of training images,
// never by test images.
import type { Recipe } from './figure-training.js';
import { TOY } from './toy.js';

/** A recipe with the length of its run. */
export interface FigureRecipe extends Recipe {
  /** Steps of a network unless asked otherwise. */
  steps: number;
  /** Images a step, or all there are. */
  batch: number;
  /** The network in words. */
  network: string;
}

const { rate, batch, warmUp, milestones, momentum, weightDecay, shift, stepsPerCall, annealing, annealed } =
  TOY;

/** The toy's. */
export const DIGIT_RECIPE: FigureRecipe = {
  ...{ rate, batch, warmUp, milestones, momentum, weightDecay, shift, stepsPerCall, annealing, annealed },
  steps: TOY.steps,
  network: 'three 3x3 convolutions of stride 2 with PReLU on 28x28 pixels, one fully connected layer',
};

/** The same on faces: a few people's few images are known by heart long before the end. */
export const FACE_RECIPE: FigureRecipe = {
  ...DIGIT_RECIPE,
  steps: 600,
  shift: 3,
  mirror: true,
  network:
    'four 3x3 convolutions of stride 2 with PReLU on 56x48 pixels in colour, one fully connected layer',
};
