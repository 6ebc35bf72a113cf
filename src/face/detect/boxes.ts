// Rectangles against each other and against a photograph: area inside, overlap and greedy non-maximum suppression.
import type { Box } from './detection.js';

/** The area of a box that lies inside a photograph of `size` pixels: what is beyond its edges shows nobody. */
export const areaInside = (box: Box, size: { readonly width: number; readonly height: number }): number =>
  intersection(box, { x: 0, y: 0, width: size.width, height: size.height });

/** Shared area of two boxes. */
function intersection(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

/**
 * How much two boxes overlap, 0 to 1: the shared area over that of their union, or over the smaller box's
 * ('min', MTCNN's last stage). Boxes without an area overlap nothing.
 */
export function overlap(a: Box, b: Box, over: 'union' | 'min' = 'union'): number {
  const shared = intersection(a, b);
  if (shared === 0) return 0;
  const [areaA, areaB] = [a.width * a.height, b.width * b.height];
  return shared / (over === 'union' ? areaA + areaB - shared : Math.min(areaA, areaB));
}

/**
 * Greedy non-maximum suppression: of boxes that overlap by more than `threshold`, only the one with the highest
 * score stays. Returns the indices of those that stay, best score first (the earlier first among equals).
 */
export function suppress(
  boxes: readonly Box[],
  scores: ArrayLike<number>,
  threshold: number,
  over: 'union' | 'min' = 'union',
): number[] {
  const order = boxes.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const kept: number[] = [];
  for (const i of order) {
    if (kept.every((k) => overlap(boxes[k]!, boxes[i]!, over) <= threshold)) kept.push(i);
  }
  return kept;
}
