// What a drawing of a figure is: from the figure's data (src/evaluate/figures) to plots with captions. The page
// of figures and the SVG files are both made from it.
import type { Markup, Piece } from '../html.js';

/** One plot of a figure. */
export interface DrawnPlot {
  /** Unique within the figure; part of the file's name, such as 'm-4' in fig-5-m-4.svg. */
  id: string;
  /** A heading above the plot, for plots side by side. */
  title?: string;
  /** One or two plain sentences: what is seen, and what to look at. */
  caption: Piece;
  /** From `renderPlot`, or other SVG that takes its colours from the page's variables. Also written as a file. */
  svg: Markup;
  /** What stands on the page in place of `svg`: a sphere to turn. */
  interactive?: Markup;
  /** Across the whole page. Plots that are not wide stand side by side with their neighbours. */
  wide?: boolean;
}

/** A figure ready for the page. */
export interface DrawnFigure {
  /** What the figure shows, in two or three sentences, with the numbers that came out. */
  lead: Piece;
  plots: readonly DrawnPlot[];
  /** What stands below the plots: a table, a key, a word of caution. */
  after?: Piece;
  /** Steps, rates, classes, number of images, device ... The seed is added by the page. */
  settings: readonly (readonly [name: string, value: Piece])[];
}

/** Draws a figure's data; the same data give the same drawing. */
export interface Drawing<Data = unknown> {
  draw(data: Data): DrawnFigure;
}
