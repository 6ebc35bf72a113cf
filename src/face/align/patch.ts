// A part of a template as a template of its own, so that a network can look at the eyes or the mouth alone: several
// such networks make the patch ensembles of DeepID (Sun et al., CVPR 2014) and of SphereFace's entry to MegaFace.
// The part is enlarged by moving the template's points, so a photograph is resampled once, whatever the patch.
import { UserError } from '../../common/errors.js';
import type { Landmarks, Point } from '../detect/detection.js';
import type { Template } from './template.js';

/** A rectangle of a template, in fractions of its width and height. It may reach beyond the template. */
export interface Patch {
  /** The name, or the four numbers. */
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The named patches. All have the template's own aspect, so that one network design serves them all. */
export const patches: readonly Patch[] = [
  { name: 'whole', x: 0, y: 0, width: 1, height: 1 },
  // Brows, eyes and the bridge of the nose.
  { name: 'upper', x: 0.2, y: 0.16, width: 0.6, height: 0.6 },
  // Nose, mouth and chin.
  { name: 'lower', x: 0.2, y: 0.4, width: 0.6, height: 0.6 },
  { name: 'left', x: 0.04, y: 0.25, width: 0.6, height: 0.6 },
  { name: 'right', x: 0.36, y: 0.25, width: 0.6, height: 0.6 },
];

/** The patch that `text` means: a name, or x,y,width,height in fractions. Throws a UserError. */
export function patchNamed(text: string): Patch {
  const found = patches.find(({ name }) => name === text.trim().toLowerCase());
  if (found) return found;
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [x, y, width, height] = numbers as [number, number, number, number];
  if (numbers.length !== 4 || !numbers.every(Number.isFinite) || width <= 0 || height <= 0) {
    throw new UserError(
      `'${text}' is no patch: give ${patches.map(({ name }) => name).join(', ')}, or x,y,width,height as fractions of the template`,
    );
  }
  return { name: numbers.join(','), x, y, width, height };
}

/**
 * The patch of the template as a template: the rectangle, enlarged without distortion until it fills `size` (by
 * default the template's own) in one direction; the other side is as long as the rectangle's aspect makes it.
 * Edges count, not pixel centres: a half of 112 pixels is 56, and its outer edges lie where the template's did.
 */
export function patchTemplate(
  template: Template,
  patch: Patch,
  size: { readonly width: number; readonly height: number } = template,
): Template {
  const [width, height] = [patch.width * template.width, patch.height * template.height];
  const scale = Math.min(size.width / width, size.height / height);
  const [toWidth, toHeight] = [Math.round(width * scale), Math.round(height * scale)];
  if (toWidth < 1 || toHeight < 1) {
    throw new UserError(
      `the patch ${patch.name} of ${template.name} is less than a pixel high or wide: give another rectangle`,
    );
  }
  // Centre to centre, so that what rounding adds or takes is shared by both sides.
  const centreX = (patch.x + patch.width / 2) * template.width;
  const centreY = (patch.y + patch.height / 2) * template.height;
  const { origin } = template;
  const half = 0.5 - origin;
  const moved = template.points.map(
    ([x, y]): Point => [
      (x + half - centreX) * scale + toWidth / 2 - half,
      (y + half - centreY) * scale + toHeight / 2 - half,
    ],
  );
  return {
    ...template,
    name: `${template.name}/${patch.name}`,
    width: toWidth,
    height: toHeight,
    points: moved as unknown as Landmarks,
  };
}
