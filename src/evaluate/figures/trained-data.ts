// What a trained figure leaves behind: plain data about every network it trained, drawn by src/report/figures.
import type { Subject } from '../../train/figure-net.js';
import type { AngleCounts } from '../toy-results.js';

/** Features of images of one class, rows of D numbers, thinned for drawing. */
export type Cloud = number[][];

/** One trained network. Angles in degrees, shares in [0, 1]. */
export interface TrainedNetwork {
  /** Unique in its part, such as 'a-softmax-4'. */
  id: string;
  title: string;
  loss: string;
  /** The margin m of A-Softmax. */
  margin?: number;
  /** Whether a ReLU follows the last layer. */
  relu?: boolean;
  /** Loss and accuracy of the last steps of training (mean over a twentieth of the run). */
  end: { loss: number; accuracy: number; lambda?: number };
  /** The step at which the loss was no longer a finite number; there is nothing to draw then. */
  diverged?: number;
  measured?: Measured;
  seconds: number;
}

/** What was measured on a network that did not diverge. */
export interface Measured {
  /** By the largest logit without margin; `test` where images were kept for testing. */
  accuracy: { training: number; test?: number };
  /** [K][D], as learned. */
  classVectors: number[][];
  /** [K], where there are biases. */
  biases?: number[];
  /** Images that each class was trained on. */
  counts: number[];
  /** Features, where they are drawn; a cloud a class. */
  features?: { training: Cloud[]; test: Cloud[] };
  /** Of the drawn features' sets. */
  spread?: { training: Spread; test: Spread };
  /** Angles between pairs of training images, where they are drawn. */
  angles?: AngleCounts;
  /** Of the training images: the largest logit minus the second, W x without bias; for the size of biases. */
  logitGap?: number;
}

/** How narrow classes are in angle, and how far apart. */
export interface Spread {
  /** Mean angle of a feature to its class's mean direction. */
  within: number;
  /** Mean over classes of the angle to the nearest other class's mean direction. */
  nearest: number;
  /** Share of features whose length is zero, and which have no direction. */
  zero: number;
}

/** Networks trained on one kind of images. */
export interface TrainedPart {
  subject: Subject;
  /** Digits, or people's folders, by label. */
  classes: string[];
  trainingImages: number;
  testImages: number;
  settings: [name: string, value: string | number][];
  networks: TrainedNetwork[];
}

/** All that a trained figure collects: its digit part, and its face part where a folder of faces was given. */
export interface TrainedData {
  parts: TrainedPart[];
}
