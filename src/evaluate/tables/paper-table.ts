// What a table of a paper is, as data: rows that are recipes with the figures that were published for them, and columns
// that are figures of a protocol. Everything else (training, measuring, drawing) reads these.
import type { Settings } from '../../train/index.js';
import type { RecipeId } from './recipes.js';

/** A figure of a table. */
export type ColumnId = 'lfw' | 'ytf' | 'rank-1' | 'tar' | 'fisher-training' | 'fisher-lfw';

/** How a figure comes about: one pass over one set of faces gives one or several of them. */
export type ProtocolId = 'lfw' | 'ytf' | 'megaface' | 'training';

export interface Column {
  id: ColumnId;
  title: string;
  /** '%' for rates, which are kept and shown in per cent as the paper prints them; '' for plain numbers. */
  unit: '%' | '';
  /** Digits behind the point, of the paper's figures and of ours. */
  digits: number;
  better: 'higher' | 'lower';
  protocol: ProtocolId;
}

export const COLUMNS: Readonly<Record<ColumnId, Column>> = Object.fromEntries(
  (
    [
      ['lfw', 'LFW accuracy', '%', 2, 'higher', 'lfw'],
      ['ytf', 'YTF accuracy', '%', 1, 'higher', 'ytf'],
      ['rank-1', 'rank-1 among distractors', '%', 2, 'higher', 'megaface'],
      ['tar', 'TAR at FAR 1e-6', '%', 2, 'higher', 'megaface'],
      ['fisher-training', 'angular Fisher score, training faces', '', 4, 'lower', 'training'],
      ['fisher-lfw', 'angular Fisher score, LFW', '', 4, 'lower', 'lfw'],
    ] as const
  ).map(([id, title, unit, digits, better, protocol]) => [
    id,
    { id, title, unit, digits, better, protocol } satisfies Column,
  ]),
) as Record<ColumnId, Column>;

/** The depths of the SphereFace networks. */
export type Depth = 4 | 10 | 20 | 36 | 64;

/** What the paper prints, in the column's unit. */
export type Published = Readonly<Partial<Record<ColumnId, number>>>;

export interface TableRow {
  id: string;
  title: string;
  published: Published;
  /** How it is trained; rows of other people's systems have none and are only shown. */
  recipe?: RecipeId;
  /** Why a row without a recipe is not run. */
  shown?: string;
  /** Its own depth, where rows differ in it; else the table's. */
  depth?: Depth;
  /** Too deep for the small scale: run when it is asked for by name. */
  deep?: boolean;
}

export interface PaperTable {
  /** As the command line names it. */
  id: string;
  title: string;
  source: string;
  columns: readonly ColumnId[];
  /** Of the networks that the paper trained. */
  depth: Depth;
  rows: readonly TableRow[];
  /** What a reader of the published figures must know. */
  remarks: readonly string[];
}

/** How large: `small` ends in minutes a run on two cores, `paper` is what was published. */
export type Scale = 'small' | 'paper';

/** What a recipe says beside the common budget. */
export type RecipeSettings = Pick<
  Settings,
  'loss' | 'lossOptions' | 'lr' | 'warmUp' | 'perPerson' | 'reluAfterFc1'
>;
