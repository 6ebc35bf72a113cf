// The drawings of the figures, by the names of src/evaluate/figures.
import { boundaries } from './boundaries.js';
import type { Drawing } from './drawing.js';
import { fig3 } from './fig-3.js';
import { targetLogits } from './target-logits.js';

export type { Drawing, DrawnFigure, DrawnPlot } from './drawing.js';

/** The drawing of every figure. */
export const drawings: Readonly<Record<string, Drawing>> = {
  'fig-3': fig3,
  'target-logits': targetLogits,
  boundaries,
};
