// A reproduced table in words and as Markdown: the paper's figures beside ours, and below them everything that keeps a
// reader from taking the two for comparable.
import type { ColumnResult, RowResult, TableResult } from '../evaluate/tables/index.js';

/** A figure in the column's digits; a dash for none. */
export const inDigits = (value: number | undefined, { digits }: Pick<ColumnResult, 'digits'>): string =>
  value === undefined ? '–' : value.toFixed(digits);

/** Ours in a cell: mean, standard deviation over seeds, how many runs if not all; or why there is no figure. */
export function oursText(column: ColumnResult, row: RowResult): string {
  if (row.notRun !== undefined) return row.notRun;
  const failed = row.runs.filter(({ state }) => state === 'diverged').length;
  const diverged = failed > 0 ? `${failed} of ${row.runs.length} diverged` : '';
  const ours = row.ours[column.id];
  if (column.noData !== undefined && !ours) return diverged || column.noData;
  if (!ours) {
    if (row.runs.every(({ state }) => state === 'waiting' || state === 'stopped')) return 'not yet run';
    return diverged || row.reasons[column.id] || 'not measured yet';
  }
  const spread = ours.deviation === null ? '' : ` ± ${ours.deviation.toFixed(column.digits)}`;
  const part =
    ours.runs < row.runs.length ? ` (${diverged || `${ours.runs} of ${row.runs.length} runs`})` : '';
  return `${ours.mean.toFixed(column.digits)}${spread}${part}`;
}

/** 'LFW accuracy, %' */
export const columnTitle = ({ title, unit }: ColumnResult): string =>
  unit === '' ? title : `${title}, ${unit}`;

/** What the table is, in one or two sentences. */
export function leadText({ finished, rows, scale }: TableResult): string {
  const runs = rows.flatMap((row) => row.runs);
  const done = runs.filter(({ state }) => state === 'done' || state === 'diverged').length;
  const seeds = Math.max(0, ...rows.map((row) => row.runs.length));
  const which =
    scale === 'small'
      ? 'Trained at a small scale: compare the rows of a column with each other, not the paper with us'
      : "Trained with the paper's settings, but for what the list of differences names";
  const spread = seeds > 1 ? `mean ± standard deviation over ${seeds} seeds` : 'one seed, without a spread';
  const state = finished ? '' : ` Not finished: ${done} of ${runs.length} runs are done.`;
  return `${which}. Ours: ${spread}.${state}`;
}

/** What to mind about figures, each once. */
export function notesOf({ columns, rows }: TableResult): string[] {
  const reasons = columns.flatMap((column) =>
    rows.flatMap((row) => {
      const reason = row.reasons[column.id];
      return reason === undefined ? [] : [`${column.title}: ${reason}`];
    }),
  );
  const diverged = rows.flatMap(({ title, runs }) =>
    runs.flatMap((run) =>
      run.diverged === undefined ? [] : [`${title}, seed ${run.seed}: diverged at ${run.diverged}`],
    ),
  );
  return [...new Set([...reasons, ...diverged])];
}

/** One line of a Markdown table. */
const line = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

const markdownTable = (headings: readonly string[], rows: readonly (readonly string[])[]): string =>
  [line(headings), `|${'---|'.repeat(headings.length)}`, ...rows.map(line)].join('\n');

/** The figures alone. */
export function figuresMarkdown({ columns, rows }: TableResult): string {
  return markdownTable(
    ['', ...columns.flatMap((column) => [`${columnTitle(column)}: paper`, 'here'])],
    rows.map((row) => [
      row.title,
      ...columns.flatMap((column) => [inDigits(row.published[column.id], column), oursText(column, row)]),
    ]),
  );
}

/** The whole of table.md. */
export function tableMarkdown(result: TableResult): string {
  const { table, title, source, columns, rows, differences, settings, remarks } = result;
  const measured = columns.flatMap(({ title: name, ours, noData }) =>
    (ours ?? noData) ? [`${name}: ${ours ?? noData}`] : [],
  );
  const bullets = (lines: readonly string[]) => lines.map((text) => `- ${text}`).join('\n');
  const told = rows.flatMap((row) => (row.recipe === undefined ? [] : [[row.title, row.recipe]]));
  return `# ${table.replace('table', 'Table ')}: ${title}

${leadText(result)}

${figuresMarkdown(result)}

Paper: ${source}.

${bullets([...measured, ...notesOf(result), ...remarks])}

## Where this differs from the paper

${markdownTable(['', 'paper', 'here'], differences)}

## How it was trained

${bullets(settings.map(([name, value]) => `${name}: ${value}`))}

${markdownTable(['row', 'network, loss and rate'], told)}
`;
}
