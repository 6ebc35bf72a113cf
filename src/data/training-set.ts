// A data set to train on as the loop sees it, whatever it is kept in: people, labelled pixels, and who stays out.
// Sets have millions of images, so nothing here is a list with an object an image.
import type { ImageSet } from './image-set.js';

/** An image that cannot be used, and why. */
export interface UnreadableImage {
  /** Where it is, for people: the file's path, or the record file's with '#' and the record's key. */
  path: string;
  reason: string;
}

/** People to train on and their images, and the people who are kept out. */
export interface TrainingSet {
  /** Training people in natural order; an image's label is its person's place here. */
  people: string[];
  /** Training images, person by person. */
  pixels: ImageSet;
  /** What names training image i in its set: 'person/image.jpg' in a folder, its record's key in a record file. */
  keyOf(image: number): string;
  /** People kept out of training, with the keys of their readable images. */
  heldOut: { person: string; images: string[] }[];
  /** Unreadable images, of training and held-out people, as far as they are known before training. */
  skipped: UnreadableImage[];
  /** People left out because they had fewer than `minImages` usable images (or none). */
  tooFew: string[];
  /** People of the set who were left out by name, in natural order. */
  excluded: string[];
  /** Whether the pixels are decoded at every read instead of kept. */
  streamed: boolean;
  /** Ends the decoding threads, if any. */
  close(): Promise<void>;
}
