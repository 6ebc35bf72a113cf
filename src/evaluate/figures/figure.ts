// What a figure of the papers is to the rest of the program: a name, a source, and a function that computes or
// trains what is to be drawn. The outcome is plain data, so that a figure can be kept as JSON and drawn again
// without training (src/report/figures).
import type { DeviceName } from '../../runtime/index.js';

export interface FigureOptions {
  /** Of everything random. */
  seed: number;
  /** Training steps of each network; default what the figure states. */
  steps?: number;
  device: DeviceName;
  /** Threads on the CPU; default all. */
  threads?: number;
  /** A folder with one folder of aligned faces a person: adds the face version where the paper has one. */
  faces?: string;
  /** Images of each class at most, for a quick look; default all. */
  perClass?: number;
}

/** How far a figure is; `done` and `total` in a unit of its own, mostly steps. */
export interface FigureProgress {
  /** What is being done, such as 'A-Softmax, m = 4: loss 0.213'. */
  text: string;
  done: number;
  total: number;
  secondsLeft?: number;
}

export interface FigureHooks {
  onStep?(progress: FigureProgress): void;
  /** A line for people, such as what the face version is trained on. */
  onNote?(line: string): void;
}

/** A figure whose data are `Data`: plain JSON (no NaN, no typed arrays, undefined only as a missing member). */
export interface Figure<Data = unknown> {
  /** As in file names and after --figure: 'fig-5'. */
  name: string;
  title: string;
  /** Paper and number of the figure. */
  source: string;
  /** True if networks are trained for it: it takes minutes, and the seed has a part in it. */
  trained: boolean;
  collect(options: FigureOptions, hooks?: FigureHooks): Promise<Data>;
}

/** A figure as it is kept in a file. */
export interface FigureFile<Data = unknown> {
  format: 'hypersphere-figure/1';
  name: string;
  /** Of trained figures. */
  seed?: number;
  /** When the figure was finished, ISO 8601, UTC. */
  made: string;
  /** Time it took. */
  seconds: number;
  versions: Record<string, string>;
  /** Names of the SVG files that were drawn of it, beside its own file. */
  plots?: readonly string[];
  data: Data;
}
