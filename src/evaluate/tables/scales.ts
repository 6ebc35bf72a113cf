// The two budgets a table can be run with: `small` ends in about two minutes a run on one core, `paper` is the
// published training run (112 x 96, 512 images a step, 28,000 steps, rate .1 and a tenth of it after 16,000 and 24,000).
// A run's settings are the budget, the recipe of its row, and what the command line overrules.
import { PAPER, type Settings } from '../../train/index.js';
import type { Depth, PaperTable, Scale, TableRow } from './paper-table.js';
import { recipeSettings } from './recipes.js';

export interface Budget {
  /** [height, width] in pixels. */
  size: [number, number];
  /** Images a step. */
  batch: number;
  steps: number;
  /** Seeds of every row. */
  seeds: number;
}

export const BUDGETS: Readonly<Record<Scale, Budget>> = {
  small: { size: [56, 48], batch: 64, steps: 570, seeds: 2 },
  paper: { size: [112, 96], batch: PAPER.batch, steps: PAPER.steps, seeds: 1 },
};

/** The layers of a row's network: the small scale has 4 wherever rows do not differ in depth. */
export const depthOf = ({ depth }: PaperTable, row: TableRow, scale: Scale): Depth =>
  row.depth ?? (scale === 'small' ? 4 : depth);

/** The settings of a row's run, without its seed and folders. The row must have a recipe. */
export function rowSettings(
  table: PaperTable,
  row: TableRow,
  scale: Scale,
  { size, batch, steps }: Omit<Budget, 'seeds'>,
): Settings {
  return {
    ...recipeSettings(row.recipe!, scale, steps),
    net: `sphereface-${depthOf(table, row, scale)}`,
    size,
    batch,
    steps,
  };
}

/** What a multiple of the 4-layer network's work a step costs, by multiply-adds (Table 2): for the time that is left. */
export const COST: Readonly<Record<Depth, number>> = { 4: 1, 10: 4.8, 20: 10.9, 36: 20.9, 64: 38.2 };
