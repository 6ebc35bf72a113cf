// Photographs that are in two sets at once, which a person's mean template can hide: it is made of the other images
// too. The network says which images to look at, the pixels whether they are one photograph; where the pixels cannot
// be had, it is one if the network sees a tenth of the distance between strangers or less.
import type { ImagePair, NearestImages } from './nearest-images.js';
import { FEWEST } from './person-templates.js';
import { type FaceDetail, ONE_PHOTOGRAPH, photographLikeness } from './same-photograph.js';

/** Two images that are one photograph, or two of one moment. */
export interface SharedPhotograph {
  /** Their paths. */
  train: string;
  test: string;
  /** Cosine of the two images. */
  similarity: number;
  /** 1 - similarity over that of strangers; absent for too few training people to tell it. */
  ratio?: number;
  /** Correlation of their pixels (see `photographLikeness`); absent where they could not be compared. */
  correlation?: number;
}

/** The photographs that two people share, the surest first. */
export interface PeopleWithPhotographs {
  train: string;
  test: string;
  photographs: SharedPhotograph[];
}

/** What was looked at, and what was found. */
export interface PhotographScan {
  /** Median distance, 1 - cosine, from a test image to the second training person; absent for too few people. */
  strangers?: number;
  /** Pairs of images whose pixels were compared, and those whose pixels could not be had. */
  compared: number;
  unseen: number;
  found: PeopleWithPhotographs[];
}

/** One of the two sets, by rows of its list of images. */
export interface PhotographSide {
  paths: readonly string[];
  personOf(row: number): string;
  /** The detail of an image (see `faceDetail`); nothing where it cannot be had. */
  detailOf(row: number): Promise<FaceDetail | undefined>;
}

/** Pairs nearer than this share of strangers' distance are looked at. */
const SUSPECT = 0.5;
/** Where no pixels can be compared, pairs up to this share are taken for one photograph. */
const NEAR = 0.1;
/** Pairs of images of the same two people that are looked at: one photograph is enough. */
const EACH = 3;
/** Pairs that are looked at where too few training people leave no strangers to measure by. */
const MOST = 1000;

/** The photographs that are in both sets; `nearest` are the test images in one or several parts. */
export async function sharedPhotographs(
  nearest: readonly NearestImages[],
  train: PhotographSide,
  test: PhotographSide,
  onProgress?: (done: number, total: number) => void,
): Promise<PhotographScan> {
  const distances = nearest.flatMap((part) => part.secondDistances()).sort((a, b) => a - b);
  const enough = nearest.every((part) => part.people >= FEWEST);
  const strangers = enough ? distances[Math.floor(distances.length / 2)] : undefined;
  const suspects = suspected(
    nearest.flatMap((part) => part.pairs()),
    strangers,
    ({ train: row, test: other }) => `${train.personOf(row)}\0${test.personOf(other)}`,
  );
  const scan: PhotographScan = {
    ...(strangers !== undefined && { strangers }),
    ...{ compared: 0, unseen: 0, found: [] },
  };
  const ofPeople = new Map<string, PeopleWithPhotographs>();
  for (const [done, { train: row, test: other, ...pair }] of suspects.entries()) {
    const [a, b] = [await train.detailOf(row), await test.detailOf(other)];
    const correlation = a && b && photographLikeness(a, b);
    if (correlation === undefined) scan.unseen++;
    else scan.compared++;
    onProgress?.(done + 1, suspects.length);
    if (correlation === undefined ? (pair.ratio ?? 1) > NEAR : correlation < ONE_PHOTOGRAPH) continue;
    const people = { train: train.personOf(row), test: test.personOf(other) };
    const key = `${people.train}\0${people.test}`;
    if (!ofPeople.has(key)) ofPeople.set(key, { ...people, photographs: [] });
    ofPeople.get(key)!.photographs.push({
      ...{ train: train.paths[row]!, test: test.paths[other]! },
      ...pair,
      ...(correlation !== undefined && { correlation }),
    });
  }
  const sureness = ({ correlation, similarity }: SharedPhotograph) => correlation ?? similarity;
  for (const { photographs } of ofPeople.values()) photographs.sort((a, b) => sureness(b) - sureness(a));
  return { ...scan, found: [...ofPeople.values()] };
}

/** The pairs to look at, the most alike first, of the same two people (`key`) a few. */
function suspected(
  pairs: readonly ImagePair[],
  strangers: number | undefined,
  key: (pair: ImagePair) => string,
): ImagePair[] {
  const falling = [...pairs].sort((a, b) => b.similarity - a.similarity);
  const near =
    strangers === undefined
      ? falling.slice(0, MOST)
      : falling
          .map((pair) => ({ ...pair, ratio: Math.max(0, 1 - pair.similarity) / strangers }))
          .filter(({ ratio }) => ratio <= SUSPECT);
  const counts = new Map<string, number>();
  return near.filter((pair) => {
    const before = counts.get(key(pair)) ?? 0;
    counts.set(key(pair), before + 1);
    return before < EACH;
  });
}
