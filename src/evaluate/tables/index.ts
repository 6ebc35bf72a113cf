// Tables 3 to 7 of the SphereFace paper: their published figures, and how to come to ours.
export { TABLES, tableNamed } from './definitions.js';
export {
  COLUMNS,
  type ColumnId,
  type PaperTable,
  type RecipeSettings,
  type Scale,
  type TableRow,
} from './paper-table.js';
export type { ReproduceOptions } from './plan.js';
export { type RecipeId, recipeSettings, SMALL_RATE, slowGamma } from './recipes.js';
export { type ReproduceHooks, type ReproduceProgress, reproduceTable } from './reproduce.js';
export { BUDGETS } from './scales.js';
export {
  type ColumnResult,
  type OverSeeds,
  type RowResult,
  TABLE_FORMAT,
  type TableResult,
} from './table-result.js';
