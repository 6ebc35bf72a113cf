// What the toy experiment leaves behind: plain data, written as results.json and drawn by `src/report`.

/** Counts of angles over equal bins from 0 to 180 degrees; `counts[i]` covers [i width, (i + 1) width). */
export interface AngleCounts {
  width: number;
  same: number[];
  different: number[];
  /** Mean angles in degrees. */
  meanSame: number;
  meanDifferent: number;
}

/** 2-D features of images of one digit. */
export interface FeaturePoints {
  digit: number;
  x: number[];
  y: number[];
}

/** Everything measured on a network that was trained with one loss. Angles in degrees, shares in [0, 1]. */
export interface ToyFigures {
  /** On all training images, by the largest logit without margin. */
  trainingAccuracy: number;
  /** The same on images of the trained digits that were not trained on. */
  testAccuracy: number;
  /** Angular Fisher score of the training images and of those test images; smaller is better. */
  fisherScore: { training: number; test: number };
  /** Of the trained digits, measured on the test images. */
  separation: {
    /** Mean angle of an image to its digit's mean direction. */
    within: number;
    /** Angle from a digit's mean direction to the nearest other digit's, mean over digits and smallest. */
    nearest: number;
    smallest: number;
  };
  /** Same digit or not, for pairs of images of the digits that were never trained on. */
  openSet: { accuracy: number; standardError: number; eer: number; pairs: number };
  /** Angles between pairs of images: of trained digits (test images), and of digits never seen. */
  angles: { trained: AngleCounts; heldOut: AngleCounts };
  /** Features to draw, and the direction (unit vector) of each trained digit's class weights. */
  features: { trained: FeaturePoints[]; heldOut: FeaturePoints[] };
  directions: { digit: number; x: number; y: number }[];
}

/** One loss of the comparison. */
export interface ToyRun {
  /** Such as 'softmax' or 'a-softmax-4'. */
  id: string;
  loss: string;
  title: string;
  /** The margin m of A-Softmax. */
  margin?: number;
  /** Steps in which the loss was still a number, thinned: means over stretches of the run. */
  curve: { step: number; loss: number; accuracy: number; lambda?: number }[];
  /** The step at which the loss was no longer a finite number; there are no figures then. */
  diverged?: number;
  figures?: ToyFigures;
  seconds: number;
  imagesPerSecond: number;
}

/** The whole comparison. */
export interface ToyResults {
  format: 'hypersphere-toy/1';
  seed: number;
  digits: {
    trained: number[];
    heldOut: number[];
    trainingImages: number;
    testImages: number;
    heldOutImages: number;
  };
  settings: Record<string, string | number>;
  versions: Record<string, string>;
  runs: ToyRun[];
  seconds: number;
}
