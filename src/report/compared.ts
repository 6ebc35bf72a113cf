// A photograph and its faces made ready for the comparison page: pictures as data, shrunk to what a page shows.
import type { Photograph } from '../data/index.js';
import { type Detection, scaled } from '../face/index.js';
import type { ComparedPhotograph } from './compare-page.js';
import { imageData } from './draw-faces.js';

/** A face as it was read. */
export interface FaceToShow {
  readonly number: number;
  /** In pixels of the photograph. */
  readonly detection: Detection;
  readonly aligned: { readonly pixels: Uint8Array; readonly width: number; readonly height: number };
  readonly quality: number;
  readonly reasons: readonly string[];
}

/** Pixels of the longer side of a photograph on a page. */
const LONGEST = 900;

export async function comparedPhotograph(
  name: string,
  photograph: Photograph,
  faces: readonly FaceToShow[],
): Promise<ComparedPhotograph> {
  const shrink = Math.min(1, LONGEST / Math.max(photograph.width, photograph.height));
  return {
    name,
    width: Math.round(photograph.width * shrink),
    height: Math.round(photograph.height * shrink),
    image: await imageData(photograph, LONGEST),
    faces: await Promise.all(
      faces.map(async ({ aligned, detection, ...face }) => ({
        ...face,
        detection: scaled(detection, shrink),
        aligned: await imageData(aligned),
      })),
    ),
  };
}
