// The page of one evaluation: the summary first, then curves, histograms and the hardest mistakes, and at the end how
// it was made and what its uncertainty means. A part that the evaluation does not have does not appear.
import type { Evaluation } from '../../evaluate/evaluation.js';
import type { SummaryRow } from '../../evaluate/summary.js';
import { html, type Markup, type Piece, trusted } from '../html.js';
import { facts, page, table } from '../page.js';
import { whole } from './axes.js';
import { leadOf } from './lead.js';
import { MISTAKES_STYLE, mistakesSection } from './mistakes.js';
import type { EvaluationPlot, PlotId } from './plot-parts.js';
import { plotsOf } from './plots.js';

/** What the pages of evaluations add to the style of every page. */
export const STYLE = `
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(27rem, 100%), 1fr)); gap: 1rem; margin: 1.1rem 0; }
.two > figure { margin: 0; } .two .wide .plot { min-width: 460px; }
.two > figure:only-child { max-width: 44rem; }
.figures td:last-child { white-space: normal; min-width: 15rem; text-align: left; color: var(--soft); font-size: .92em; }
.figures thead th:last-child { text-align: left; } .figures td:nth-child(2) { font-weight: 600; }
@media (max-width: 560px) { .figures tbody th, .figures td { white-space: normal; text-align: left; padding: .5rem .55rem; } .figures thead th { text-align: left; padding: .5rem .55rem; } .figures td:nth-child(2) { min-width: 6.5rem; } .figures td:nth-child(3) { min-width: 6rem; } }
@media print { .two { grid-template-columns: repeat(2, 1fr); } .two .wide .plot { min-width: 0; } }
`;

const SECTIONS: readonly { title: string; plots: readonly PlotId[] }[] = [
  { title: 'Verification: are two faces one person?', plots: ['roc', 'det'] },
  { title: 'Identification: who of the gallery is it?', plots: ['cmc', 'rank-1'] },
  {
    title: 'Open-set search: is it anyone of the gallery?',
    plots: ['open-set-det', 'open-set-fnir', 'open-set-thresholds'],
  },
  { title: 'How far the two kinds lie apart', plots: ['scores', 'angles'] },
];

/** The page as one HTML text, and its plots. `images` is the folder that the paths of mistakes are relative to. */
export async function evaluationPage(
  evaluation: Evaluation,
  { images }: { images?: string } = {},
): Promise<{ page: string; plots: EvaluationPlot[] }> {
  const plots = plotsOf(evaluation);
  const { summary, notes, mistakes = [] } = evaluation;
  const text = page({
    kicker: 'Hypersphere · evaluation',
    title: capital(evaluation.title),
    lead: leadOf(evaluation),
    body: html`${trusted(`<style>${STYLE}${MISTAKES_STYLE}</style>`)}
${figuresTable(summary)}
${notes.length > 0 && html`<section><h2>Before comparing</h2><ul>${notes.map((note) => html`<li>${note}</li>`)}</ul></section>`}
${plotSections(plots)}
${await mistakesSection(mistakes, images)}
${uncertainty(evaluation)}
${settings(evaluation)}`,
    footer: html`Made from evaluation.json beside this page; every plot is an SVG file there too. ${mistakes.length > 0 && 'Faces are personal data: this page holds faces and names, and nothing of it left the machine it was made on.'}`,
    pictures: true,
  });
  return { page: text, plots };
}

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function figuresTable(summary: readonly SummaryRow[]): Markup {
  const shown = table(
    ['Figure', 'Value', '95 % interval', 'What it rests on'],
    summary.map(({ figure, value, interval, note }) => [figure, value, interval, note]),
  );
  return html`<div class="figures">${shown}</div>`;
}

/** The plots under their headings, two beside each other where there is room. */
export const plotSections = (plots: readonly EvaluationPlot[]): Piece =>
  SECTIONS.map(({ title, plots: ids }) => {
    const own = plots.filter(({ id }) => ids.includes(id));
    return (
      own.length > 0 &&
      html`<section><h2>${title}</h2><div class="two">${own.map(card)}</div></section>
`
    );
  });

const card = ({ title, svg, caption }: EvaluationPlot): Markup =>
  html`<figure class="card"><h3>${title}</h3><div class="wide">${svg}</div><figcaption>${caption}</figcaption></figure>
`;

function uncertainty({ summary, verification, identification, openSet }: Evaluation): Markup {
  const how = summary.find(({ figure }) => figure === 'intervals')?.note;
  const made = verification?.intervals;
  const any =
    made ||
    identification?.some(({ intervals }) => intervals) ||
    openSet?.some(({ points }) => points.some(({ interval }) => interval));
  return html`<section><h2>Uncertainty</h2>
${any && how && html`<p>The intervals: ${how}. 95 % of the figures of the draws lay between the two bounds; a rate of 0 or 1, which draws cannot move, has those of Clopper and Pearson with each person as one trial.${made && verification?.folds && html` ${DRAWN[made.resampled]} Thresholds of folds are held as they were chosen.`}</p>`}
<p>${any ? 'An interval tells how far a figure would move with other people of the same kind. It says nothing about other cameras, other alignment or other populations.' : 'No intervals were computed for this evaluation.'} A rate that would rest on less than one error is not known, whatever the curve looks like beside it; what rests on fewer than ten is drawn dashed.</p>
</section>
`;
}

const DRAWN: Record<string, string> = {
  people: 'A pair of two people counts as often as both of them were drawn.',
  images: 'A pair of two images counts as often as both of them were drawn.',
  pairs: 'Pairs that share a person vary together, which this leaves out: the intervals are too narrow.',
};

function settings({ model, settings: set, seconds }: Evaluation): Markup {
  const about: [string, Piece][] = [
    ['Model', model.name],
    ['File', model.file],
    ['Hash (SHA-256)', model.sha256 && html`<code>${model.sha256}</code>`],
    ['Trained on', model.trainedOn],
    ['Template', model.template],
    ['Numbers of a template', model.length > 0 && model.length],
  ];
  return html`<section><h2>Settings and data</h2>
${facts([
  ...about.filter(([, value]) => value !== undefined && value !== '' && value !== false),
  ...set,
  ['Took', `${seconds < 10 ? seconds.toFixed(1) : whole(seconds)} s`],
])}</section>`;
}
