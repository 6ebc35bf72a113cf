// The drawings of the figures, by the names of src/evaluate/figures.
import { boundaries } from './boundaries.js';
import type { Drawing } from './drawing.js';
import { fig2 } from './fig-2.js';
import { fig3 } from './fig-3.js';
import { fig5 } from './fig-5.js';
import { fig8 } from './fig-8.js';
import { fig9 } from './fig-9.js';
import { fig10 } from './fig-10.js';
import { fig11 } from './fig-11.js';
import { fig12 } from './fig-12.js';
import { targetLogits } from './target-logits.js';

export type { Drawing, DrawnFigure, DrawnPlot } from './drawing.js';

/** The drawing of every figure. */
export const drawings: Readonly<Record<string, Drawing>> = {
  'fig-2': fig2,
  'fig-3': fig3,
  'fig-5': fig5,
  'fig-8': fig8,
  'fig-9': fig9,
  'fig-10': fig10,
  'fig-11': fig11,
  'fig-12': fig12,
  'target-logits': targetLogits,
  boundaries,
};
