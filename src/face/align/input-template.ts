// Where a network expects the five landmarks in its own input: the template that its manifest names, brought to
// the input's size by the window rule of aligned images. So a photograph is resampled once, straight into the input.
import { UserError } from '../../common/errors.js';
import { inputWindow } from '../../data/index.js';
import type { Landmarks, Point } from '../detect/detection.js';
import type { Manifest } from '../models/manifest.js';
import { type Template, templateNamed, templates } from './template.js';

/**
 * The template in pixels of the model's input: scaled so that it just covers the input, about its centre (the rule
 * of `inputWindow`); a 112x112 template for a 112x96 input is its columns 8..103. Throws a UserError when the
 * manifest does not name a template.
 */
export function inputTemplate({
  name,
  template,
  input,
}: Pick<Manifest, 'name' | 'template' | 'input'>): Template {
  let whole: Template;
  try {
    whole = templateNamed(template);
  } catch {
    const known = templates.map((each) => each.name).join(' or ');
    throw new UserError(
      `${name} does not say how its faces are aligned (template: ${template}); say it with --template ${known}`,
    );
  }
  const { width, height } = input;
  const window = inputWindow(whole.width, whole.height, [height, width]);
  const [scaleX, scaleY] = [window.width / whole.width, window.height / whole.height];
  // Edges scale as they are; the centre of the pixel called `origin` lies half a pixel inside of the edge.
  const half = 0.5 - whole.origin;
  const moved = ([x, y]: Point): Point => [
    (x + half) * scaleX - half - window.left,
    (y + half) * scaleY - half - window.top,
  ];
  return { ...whole, width, height, points: whole.points.map(moved) as unknown as Landmarks };
}
