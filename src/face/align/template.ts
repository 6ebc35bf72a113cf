// Where the five landmarks of an aligned face lie: the published templates, and in which convention their numbers
// count. SphereFace (Liu et al., CVPR 2017) published its numbers with Matlab code, where the first pixel is 1; most
// ports use the same numbers where it is 0, and so does ArcFace (Deng et al., CVPR 2019), whose 112x112 template is
// SphereFace's moved 8 pixels to the right. A face laid by one convention is a pixel off by the other.
import { UserError } from '../../common/errors.js';
import type { Landmarks, Point } from '../detect/detection.js';
import { patchNamed, patchTemplate } from './patch.js';

/** A size of image and where the landmarks of a face lie in it. */
export interface Template {
  /** As in 'arcface-112', or 'arcface-112/eyes' for a patch of it. */
  readonly name: string;
  /** Pixels of the aligned face. */
  readonly width: number;
  readonly height: number;
  /** In the order of {@link Landmarks}, as published: the first pixel is `origin`. */
  readonly points: Landmarks;
  /** What the numbers call the first pixel. */
  readonly origin: 0 | 1;
  /**
   * Where the least-squares transform measures its error: in pixels of the template (Umeyama 1991, as the ports in
   * Python do), or in pixels of the photograph (Matlab's cp2tform, which fits the way back and inverts it). The
   * latter makes a face whose landmarks fit badly, such as one in profile, larger.
   */
  readonly error: 'template' | 'photograph';
  /** Where the numbers come from. */
  readonly source: string;
}

const sphereface: Landmarks = [
  [30.2946, 51.6963],
  [65.5318, 51.5014],
  [48.0252, 71.7366],
  [33.5493, 92.3655],
  [62.7299, 92.2041],
];

/**
 * The published templates. The origin of each is the one its authors' own code has, since that is how the faces were
 * made that their networks have seen: cp2tform and imtransform with XData [1 96] for SphereFace, OpenCV for ArcFace.
 */
export const templates: readonly Template[] = [
  {
    name: 'sphereface-112x96',
    width: 96,
    height: 112,
    points: sphereface,
    origin: 1,
    error: 'photograph',
    source: 'SphereFace, CVPR 2017 (preprocess/code/face_align_demo.m)',
  },
  {
    name: 'arcface-112',
    width: 112,
    height: 112,
    points: sphereface.map(([x, y]) => [x + 8, y]) as unknown as Landmarks,
    origin: 0,
    error: 'template',
    source: 'ArcFace, CVPR 2019 (insightface, face_align.py)',
  },
  {
    // dlib's mean face of 68 points with a quarter of its size around it: an eye is the mean of its six points, the
    // nose point 30, the mouth's corners points 48 and 54. 150 (m + .25) / 1.5 - .5, because dlib lays the middle
    // of its unit square, at 75 of 150, on the middle of the pixels, at 74.5.
    name: 'dlib-150',
    width: 150,
    height: 150,
    points: [
      [47.0492, 46.099],
      [99.9761, 46.099],
      [73.5127, 76.0625],
      [49.9149, 102.5233],
      [97.1104, 102.5233],
    ],
    origin: 0,
    error: 'photograph',
    source: 'dlib, get_face_chip_details(shape, 150, .25) (dlib/image_transforms/interpolation.h)',
  },
];

/**
 * The template that `name` means: its name or the part before the dash ('sphereface', 'arcface'), then perhaps
 * '/' and a patch of it, then perhaps '@' and the origin, as in 'arcface-112/upper@0' ({@link templateLabel} writes
 * that). An `origin` given apart overrules both. Throws a UserError that lists what there is.
 */
export function templateNamed(name: string, origin?: 0 | 1): Template {
  const [, base, patch, at] = /^([^/@]*)(?:\/([^@]*))?(?:@([01]))?$/.exec(name.trim().toLowerCase()) ?? [];
  const found = templates.find((template) => [template.name, template.name.split('-')[0]].includes(base));
  if (!found) {
    throw new UserError(
      `'${name}' is no template: there are ${templates.map((template) => template.name).join(' and ')}`,
    );
  }
  const stated = origin ?? (at === undefined ? found.origin : at === '1' ? 1 : 0);
  const whole = { ...found, origin: stated };
  return patch === undefined ? whole : patchTemplate(whole, patchNamed(patch));
}

/** Name and origin in one word, as a model's manifest records them: 'sphereface-112x96@1'. */
export function templateLabel({ name, origin }: Template): string {
  return `${name}@${origin}`;
}

/** The template's landmarks with the first pixel at 0, as everything here counts. */
export function templatePoints({ points, origin }: Template): Landmarks {
  return points.map(([x, y]): Point => [x - origin, y - origin]) as unknown as Landmarks;
}
