// The sets of images that most trained figures use, as a figure's description names them.
import { digitSet, type FigureSet, faceSet } from '../../train/figure-data.js';
import type { Subject } from '../../train/figure-net.js';
import type { FigureOptions } from './figure.js';

/** Share of a person's images that is kept for testing: with some thirty of each, fewer would be no picture. */
const FACES_TESTED = 0.3;

/**
 * One set: these digits, or as many people of the folder as `people` says, those with most images. A fifth of a
 * digit's images and three tenths of a person's are kept for testing.
 */
export const oneSet =
  (classes: readonly number[], people: number) =>
  async (subject: Subject, { seed, perClass, faces }: FigureOptions): Promise<FigureSet[]> => [
    subject === 'digits'
      ? digitSet({ seed, classes, perClass })
      : await faceSet(faces!, { seed, people, perClass, testShare: FACES_TESTED }),
  ];

/** All ten digits. */
export const ALL_DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
