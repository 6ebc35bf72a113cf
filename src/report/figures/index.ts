// The drawings of the figures, by the names of src/evaluate/figures.
import type { Drawing } from './drawing.js';

export type { Drawing, DrawnFigure, DrawnPlot } from './drawing.js';

/** The drawing of every figure. */
export const drawings: Readonly<Record<string, Drawing>> = {};
