// A figure of a table as dots, row by row: the paper's in one panel and ours in another, each on an axis of its own,
// because a small run and a large one share the order of their rows at best, never the level.
import type { ColumnResult, RowResult } from '../evaluate/tables/index.js';
import type { Markup } from './html.js';
import { colours, Plot, renderPlot } from './plot.js';
import { sideBySide } from './side-by-side.js';
import { columnTitle } from './table-text.js';

interface Dot {
  row: string;
  value: number;
  low: number;
  high: number;
  title: string;
}

const HEIGHT_OF_A_ROW = 24;
const LETTERS = 35;

/** Rows that were run and have a figure of this column, in the table's order. */
const withFigures = (column: ColumnResult, rows: readonly RowResult[]): RowResult[] =>
  rows.filter((row) => row.ours[column.id] !== undefined);

/** The two panels, or nothing where nothing was measured. */
export function tablePlot(column: ColumnResult, rows: readonly RowResult[]): Markup | undefined {
  const shown = withFigures(column, rows);
  if (shown.length === 0) return undefined;
  const names = new Map(shown.map((row) => [row.id, clipped(row.title)]));
  const format = (value: number) => `${value.toFixed(column.digits)}${column.unit && ` ${column.unit}`}`;
  const paper = shown.flatMap((row): Dot[] => {
    const value = row.published[column.id];
    if (value === undefined) return [];
    return [
      { row: row.id, value, low: value, high: value, title: `${row.title}, the paper's: ${format(value)}` },
    ];
  });
  const ours = shown.map((row): Dot => {
    const { mean, deviation, runs } = row.ours[column.id]!;
    const spread = deviation ?? 0;
    const seeds = deviation === null ? 'one run' : `± ${deviation.toFixed(column.digits)} over ${runs} runs`;
    return {
      row: row.id,
      value: mean,
      low: mean - spread,
      high: mean + spread,
      title: `${row.title}, here: ${format(mean)}, ${seeds}`,
    };
  });
  const [width, height] = [470, shown.length * HEIGHT_OF_A_ROW + 60];
  const panel = (dots: readonly Dot[], colour: string, label: string) =>
    renderPlot({
      label,
      ...{ width, height, marginLeft: 222, marginRight: 22, marginTop: 8, marginBottom: 40 },
      x: {
        domain: domainOf(dots),
        ticks: 5,
        label: columnTitle(column),
        labelAnchor: 'center',
        labelArrow: 'none',
        labelOffset: 36,
      },
      y: { type: 'point', domain: shown.map(({ id }) => id), label: null, padding: 0.6 },
      marks: [
        Plot.gridX({ ticks: 5, stroke: 'var(--line)', strokeOpacity: 1 }),
        Plot.axisY({ tickFormat: (id: string) => names.get(id)!, tickSize: 0 }),
        Plot.ruleY(dots, {
          x1: 'low',
          x2: 'high',
          y: 'row',
          stroke: colour,
          strokeWidth: 5,
          strokeOpacity: 0.3,
        }),
        Plot.dot(dots, { x: 'value', y: 'row', r: 4.5, fill: colour, title: 'title' }),
      ],
    });
  const panels = [
    ...(paper.length > 0
      ? [{ title: 'the paper', svg: panel(paper, colours.different, `${column.title}: the paper's figures`) }]
      : []),
    { title: 'here', svg: panel(ours, colours.same, `${column.title}: measured here`) },
  ];
  return sideBySide(panels, {
    label: `${column.title}, row by row: the paper's figures and ours`,
    ...{ columns: panels.length, width, height },
  });
}

const clipped = (name: string): string => (name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name);

/** The range of the dots and their spread, with room on both sides. */
function domainOf(dots: readonly Dot[]): [number, number] {
  const low = Math.min(...dots.map((dot) => dot.low));
  const high = Math.max(...dots.map((dot) => dot.high));
  const room = 0.08 * (high - low) || 0.05 * Math.abs(high) || 1;
  return [low - room, high + room];
}
