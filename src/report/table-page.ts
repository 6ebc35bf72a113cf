// The page of a reproduced table: the figures of the paper beside ours, the same as dots, and below them what differs
// between the paper's runs and these. Beside the page stand table.json, which has it all, and table.md.
import { join } from 'node:path';
import { writeWhole } from '../common/files.js';
import type { ColumnResult, RowResult, TableResult } from '../evaluate/tables/index.js';
import { html, type Markup, type Piece } from './html.js';
import { facts, figure, page, table } from './page.js';
import { tablePlot } from './table-plot.js';
import { columnTitle, inDigits, leadText, notesOf, oursText, tableMarkdown } from './table-text.js';

/** The page as the text of one HTML file. */
export function tablePage(result: TableResult): string {
  const { table: id, title, source, columns, rows, differences, settings, remarks } = result;
  const notes = [...notesOf(result), ...remarks];
  const spent = rows.flatMap(({ runs }) => runs.flatMap(({ seconds }) => seconds ?? []));
  return page({
    title: `${id.replace('table', 'Table ')}: ${title}`,
    kicker: 'SphereFace, reproduced',
    lead: leadText(result),
    body: html`<h2>The paper's figures and ours</h2>
${table(
  ['', ...columns.flatMap((column): Piece[] => [html`${columnTitle(column)}<br>paper`, html`<br>here`])],
  rows.map((row) => [
    row.title,
    ...columns.flatMap((column) => [inDigits(row.published[column.id], column), cell(column, row)]),
  ]),
)}
${columns.map((column) => html`<p class="note"><b>${column.title}</b> ${column.better === 'higher' ? '(higher is better)' : '(lower is better)'}: ${column.ours ?? column.noData ?? 'not measured yet'}.</p>`)}
${notes.map((note) => html`<p class="note">${note}</p>`)}
${columns.map((column) => drawn(column, rows))}
<h2>Where this differs from the paper</h2>
<p>A figure of this table stands for the runs described here, and for no others.</p>
${table(['', 'paper', 'here'], differences)}
<h2>How it was trained</h2>
${facts(settings)}
<h3>Each row</h3>
${facts(rows.flatMap((row) => (row.recipe === undefined ? [] : [[row.title, `${row.recipe}; seeds ${seedsOf(row)}`] as const])))}
${spent.length > 0 && html`<p class="note">Trained for ${(spent.reduce((sum, seconds) => sum + seconds, 0) / 60).toFixed(0)} minutes in all.</p>`}`,
    footer: html`Published figures: ${source}.`,
  });
}

/** A figure stands in ink, the reason for none is small. */
function cell(column: ColumnResult, row: RowResult): Piece {
  const text = oursText(column, row);
  return row.ours[column.id] ? text : html`<small>${text}</small>`;
}

function drawn(column: ColumnResult, rows: readonly RowResult[]): Markup | false {
  const plot = tablePlot(column, rows);
  if (!plot) return false;
  return html`<h2>${columnTitle(column)}</h2>
${figure(plot, 'Each panel has its own axis: compare the order of the rows and their distances, not the level. Bars: one standard deviation over seeds to each side.', { wide: true })}`;
}

const seedsOf = ({ runs }: RowResult): string =>
  runs.map(({ seed, state }) => (state === 'done' ? String(seed) : `${seed} (${state})`)).join(', ');

/** The files of a table's folder. */
export const TABLE_FILES = { json: 'table.json', markdown: 'table.md', page: 'index.html' } as const;

/** Writes table.json, table.md and the page; returns the path of the page. */
export async function writeTable(folder: string, result: TableResult): Promise<string> {
  await writeWhole(join(folder, TABLE_FILES.json), `${JSON.stringify(result, null, 2)}\n`);
  await writeWhole(join(folder, TABLE_FILES.markdown), tableMarkdown(result));
  const file = join(folder, TABLE_FILES.page);
  await writeWhole(file, tablePage(result));
  return file;
}
