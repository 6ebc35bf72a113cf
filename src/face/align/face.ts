// A face of a photograph laid on a template: the paper's step between detection and embedding (SphereFace, section
// 4.1). Landmarks to template points by least squares, then one resampling.
import type { Photograph } from '../../data/index.js';
import type { Landmarks } from '../detect/detection.js';
import { similarity, type Transform } from './similarity.js';
import { type Template, templatePoints } from './template.js';
import { type WarpOptions, warp } from './warp.js';

export interface AlignOptions extends Pick<WarpOptions, 'border' | 'antialias'> {
  /**
   * Lets a face be mirrored when its landmarks fit better so, as cp2tform does (default false: landmarks that fit
   * better mirrored are wrong, and a mirrored face is none that a network has learned from).
   */
  readonly reflection?: boolean;
}

/** The transform from the photograph's pixels to those of the template, both counted from 0. */
export function faceTransform(
  landmarks: Landmarks,
  template: Template,
  { reflection }: Pick<AlignOptions, 'reflection'> = {},
): Transform {
  const error = template.error === 'photograph' ? 'from' : 'to';
  return similarity(landmarks, templatePoints(template), { reflection, error });
}

/**
 * The face with these landmarks (in pixels of `photograph`, the first at 0) as RGB bytes [height, width, 3] of the
 * template. Beyond the photograph it is black. Throws a UserError for landmarks that have no size or are not finite.
 */
export function alignFace(
  photograph: Pick<Photograph, 'width' | 'height' | 'pixels'>,
  landmarks: Landmarks,
  template: Template,
  options: AlignOptions = {},
): Uint8Array {
  const { width, height } = template;
  return warp(photograph, faceTransform(landmarks, template, options), { width, height, ...options });
}
