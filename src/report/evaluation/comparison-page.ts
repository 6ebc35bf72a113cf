// The page of several evaluations beside each other: first whether they may be compared at all, then the figures with
// their intervals, curves on top of each other, and what was set, with the differences marked.
import { UserError } from '../../common/errors.js';
import { html, type Markup, type Piece, trusted } from '../html.js';
import { page } from '../page.js';
import { differences, named, type Run, type SettingRow, settingRows } from './comparable.js';
import { capital, plotSections, STYLE } from './evaluation-page.js';
import { clearlyBest, type Figure, figuresOf, RULE } from './figures.js';
import { colourOf, type EvaluationPlot } from './plot-parts.js';
import { comparedPlots } from './plots.js';
import { readEvaluation } from './read.js';
import { type WrittenEvaluation, writePage } from './write.js';

const COMPARISON_STYLE = `
.beside td, .beside th { text-align: left; vertical-align: top; } .beside td { white-space: normal; min-width: 9rem; max-width: 22rem; overflow-wrap: anywhere; }
.beside thead th i { display: inline-block; width: .75em; height: .75em; border-radius: 50%; margin-right: .4em; vertical-align: -.03em; }
.beside thead th { color: var(--ink); font-size: .85rem; overflow-wrap: anywhere; min-width: 9rem; }
.beside td small { display: block; }
.beside .best { font-weight: 700; background: color-mix(in srgb, var(--accent) 14%, var(--card)); }
.beside .best small { font-weight: 400; }
.beside .differs { background: color-mix(in srgb, var(--class-1) 13%, var(--card)); }
.beside .matters th::after { content: ' ≠'; color: var(--different); font-weight: 700; }
.warning { border: 2px solid var(--different); border-radius: 10px; background: var(--card); padding: .9rem 1.1rem; margin: 1.2rem 0; }
.warning p:last-child, .warning ul { margin-bottom: 0; }
`;

/** Writes the comparison of evaluations (report folders or evaluation.json files) into `folder`, with its plots. */
export async function writeComparison(
  folder: string,
  places: readonly string[],
): Promise<WrittenEvaluation & { comparable: boolean; runs: string[] }> {
  if (places.length < 2)
    throw new UserError('a comparison needs two evaluations or more; name their report folders');
  const runs = named(await Promise.all(places.map(readEvaluation)));
  const { page: text, plots, comparable } = evaluationsPage(runs);
  const written = await writePage(folder, text, plots, 'Comparison');
  return { ...written, comparable, runs: runs.map(({ name }) => name) };
}

/** The page as one HTML text, and its plots. */
export function evaluationsPage(runs: readonly Run[]): {
  page: string;
  plots: EvaluationPlot[];
  comparable: boolean;
} {
  const rows = settingRows(runs);
  const apart = differences(rows);
  const comparable = apart.length === 0;
  const plots = comparedPlots(runs);
  const titles = [...new Set(runs.map(({ evaluation }) => evaluation.title))];
  const text = page({
    kicker: 'Hypersphere · comparison',
    title: titles.length === 1 ? capital(titles[0]!) : `${runs.length} evaluations`,
    lead: lead(runs, comparable),
    body: html`${trusted(`<style>${STYLE}${COMPARISON_STYLE}</style>`)}
${!comparable && warning(apart)}
${figuresTable(runs, comparable)}
${plotSections(plots)}
${notes(runs)}
<section><h2>Settings side by side</h2>
<p>Marked: what differs.${!comparable && ' A sign ≠ stands where the difference means that figures are not of one thing.'}</p>
${settingsTable(runs, rows)}</section>`,
    footer: 'Every plot is an SVG file beside this page.',
  });
  return { page: text, plots, comparable };
}

function lead(runs: readonly Run[], comparable: boolean): Markup {
  const list = runs.map(({ evaluation }) => figuresOf(evaluation));
  const main = list[0]![0];
  const same = main ? list.map((figures) => figures.find(({ name }) => name === main.name)) : [];
  const values =
    runs.length <= 4
      ? same.map((figure, i) => html`${i > 0 && ', '}${runs[i]!.name} ${valueText(figure)}`)
      : [html`${runs.length} runs`];
  const best = comparable ? clearlyBest(same) : undefined;
  const verdict =
    best === undefined
      ? 'their intervals do not tell which is the best'
      : `${runs[best]!.name} is the best beyond its interval`;
  return html`${main && html`${main.name}: ${values}.`} ${comparable ? html`All ${runs.length} were measured in the same way; ${verdict}.` : 'They were not measured in the same way, so these figures must not be compared with each other.'}`;
}

const valueText = (figure: Figure | undefined): string =>
  figure === undefined ? '–' : figure.value === null ? 'not known' : figure.print(figure.value);

const warning = (apart: readonly SettingRow[]): Markup =>
  html`<div class="warning" role="alert"><p><b>Not comparable as they stand.</b> A figure holds for its protocol, mode, pairs and alignment. These evaluations differ in:</p>
<ul>${apart.map(({ name, values }) => html`<li>${name}: ${[...new Set(values)].map((value, i) => html`${i > 0 && ' / '}${value || 'not stated'}`)}</li>`)}</ul></div>`;

const heads = (runs: readonly Run[]): Piece =>
  runs.map(({ name }, i) => html`<th scope="col"><i style="background:${colourOf(i)}"></i>${name}</th>`);

function figuresTable(runs: readonly Run[], comparable: boolean): Markup {
  const list = runs.map(({ evaluation }) => figuresOf(evaluation));
  const names = [...new Set(list.flatMap((figures) => figures.map(({ name }) => name)))];
  const rows = names.map((name) => {
    const own = list.map((figures) => figures.find((figure) => figure.name === name));
    const best = comparable ? clearlyBest(own) : undefined;
    const better = own.find((figure) => figure !== undefined)!.better;
    return html`<tr><th scope="row">${name} ${better === 'higher' ? '↑' : '↓'}</th>${own.map(
      (figure, i) =>
        html`<td${i === best && trusted(' class="best"')}>${valueText(figure)}${i === best && ' ✓'}${figure?.interval && html`<small>${figure.print(figure.interval[0])} .. ${figure.print(figure.interval[1])}</small>`}${figure?.reason && html`<small>${figure.reason}</small>`}</td>`,
    )}</tr>
`;
  });
  return html`<section><div class="scroll beside"><table>
<thead><tr><th scope="col">Figure, 95 % interval</th>${heads(runs)}</tr></thead>
<tbody>${rows}</tbody></table></div>
<p class="note">${comparable ? `${RULE} Marked: bold, with ✓.` : 'None is marked as the best, as the evaluations are not comparable.'}</p></section>`;
}

function notes(runs: readonly Run[]): Piece {
  const own = runs.filter(({ evaluation }) => evaluation.notes.length > 0);
  return (
    own.length > 0 &&
    html`<section><h2>Before comparing</h2><ul>${own.flatMap(({ name, evaluation }) =>
      evaluation.notes.map((note) => html`<li><b>${name}</b>: ${note}</li>`),
    )}</ul></section>`
  );
}

const settingsTable = (runs: readonly Run[], rows: readonly SettingRow[]): Markup =>
  html`<div class="scroll beside"><table><thead><tr><th scope="col">Setting</th>${heads(runs)}</tr></thead>
<tbody>${rows.map(
    ({ name, values, differs, matters }) =>
      html`<tr class="${[differs && 'differs', matters && 'matters'].filter(Boolean).join(' ')}"><th scope="row">${name}</th>${values.map((value) => html`<td>${value || '–'}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
