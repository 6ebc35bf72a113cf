// A detector for tests of what comes after detection: it knows the faces of photographs by their width, and notes what
// it was asked.

import { templateNamed, templatePoints } from '../../src/face/align/template.js';
import type { Detection, Detector, Landmarks, Point } from '../../src/face/index.js';

/** A face of the ArcFace template's shape with its corner at (x, y), `size` times as large. */
export function faceAt(x: number, y: number, size = 1, score = 0.9): Detection {
  const landmarks = templatePoints(templateNamed('arcface')).map(
    ([px, py]): Point => [px * size + x, py * size + y],
  ) as unknown as Landmarks;
  return { box: { x, y, width: 112 * size, height: 112 * size }, score, landmarks };
}

export interface KnownPlaces extends Detector {
  /** Photographs of every call. */
  readonly groups: number[];
  closed: boolean;
}

export function knownPlaces(places: Readonly<Record<number, readonly Detection[]>>): KnownPlaces {
  const groups: number[] = [];
  return {
    ...{ name: 'known places', threshold: 0.5, groups, closed: false },
    async detect(photographs) {
      groups.push(photographs.length);
      return photographs.map(({ width }) => [...(places[width] ?? [])]);
    },
    async close() {
      this.closed = true;
    },
  };
}
