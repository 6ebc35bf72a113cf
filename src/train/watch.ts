// The watch on a run: whether its embeddings have collapsed, by what metrics.jsonl records of each step. A loss whose
// logits carry the length of the embedding can be lowered by shrinking all embeddings: the loss then settles at log K,
// that of guessing, and nothing is learned any more. Where features are brought to one length, only the gradient across
// the embedding is left, which lengthens it at every step: with too high a rate to so much that no step turns it any
// more. A healthy start has a loss near log K too, so that alone says nothing; docs/training.md has the runs that the
// limits were chosen by.
import { lossNamed } from '../losses/index.js';
import type { StepRecord } from './run-folder.js';

/** Means over a window of steps. */
export interface Window {
  /** Last step of the window. */
  step: number;
  /** Cross-entropy. */
  loss: number;
  /** Share of images given to the right person. */
  accuracy: number;
  /** Mean length of the embeddings. */
  length: number;
}

/** What is known of a run beside its last windows. */
export interface WatchedRun {
  /** Number of people, K. */
  classes: number;
  /** Mean length of the embeddings before the first update. */
  start: number;
  /** The window of the highest accuracy so far. */
  best: Window;
}

/** What the watch finds; `start` is the length before the first update, `guess` is log K. */
export type Collapse =
  /** The embeddings shrank to nothing, and the loss is that of guessing. */
  | { kind: 'shrunk'; now: Window; start: number; guess: number }
  /** They grew so long that a step no longer turns them, before anything was learned. */
  | { kind: 'grown'; now: Window; start: number }
  /** The accuracy fell back. */
  | { kind: 'fell'; now: Window; best: Window };

/** The limits; docs/training.md says by which runs they were chosen. */
export const WATCH = {
  /** Images of a window at least, and steps. */
  images: 640,
  steps: 10,
  /** Windows in a row that must agree. */
  windows: 3,
  /** A length below this share of that at the start, and below `shortest`, is that of a collapse ... */
  shrunk: 1 / 4,
  /** ... where no logit can differ from another by more than twice this, class vectors having a length of about 1. */
  shortest: 1,
  /** ... if the loss is at least this share of log K. */
  guessing: 0.95,
  /** Embeddings so many times as long as at the start, of a run that guesses. */
  grown: 100,
  /** An accuracy that was at least `risen` and is below the share `fallen` of its best. */
  risen: 0.2,
  fallen: 1 / 4,
} as const;

/** The collapse that the `last` windows of a run show, in order; undefined for a healthy run. */
export function collapseIn(
  last: readonly Window[],
  { classes, start, best }: WatchedRun,
): Collapse | undefined {
  if (last.length < WATCH.windows) return undefined;
  const now = last.at(-1)!;
  const shortest = Math.min(WATCH.shortest, WATCH.shrunk * start);
  const guess = Math.log(classes);
  const shrunk = last.every(({ length, loss }) => length < shortest && loss >= WATCH.guessing * guess);
  if (shrunk) return { kind: 'shrunk', now, start, guess };
  const grown = last.every((window) => window.length > WATCH.grown * start && isGuessing(window, classes));
  if (grown) return { kind: 'grown', now, start };
  const fell = last.every(({ accuracy }) => accuracy < WATCH.fallen * best.accuracy);
  return fell && best.accuracy >= WATCH.risen ? { kind: 'fell', now, best } : undefined;
}

/** Whether a window's accuracy cannot be told from guessing: at most four standard deviations above it. */
export function isGuessing({ accuracy }: Pick<Window, 'accuracy'>, classes: number): boolean {
  const chance = 1 / classes;
  return accuracy <= chance + 4 * Math.sqrt((chance * (1 - chance)) / WATCH.images);
}

/** Where a loss's metrics are found: those of its classification, whose log K says what guessing costs. */
function metricsOf(loss: string): { prefix: string; loss: string } | undefined {
  const parts = loss.split('+');
  const part = parts.find((name) => lossNamed(name).kind === 'classification');
  if (part === undefined) return undefined;
  const prefix = parts.length > 1 ? `${part}.` : '';
  return { prefix, loss: `${prefix}loss` };
}

/**
 * Sees every step of a run, in order, and judges it at the end of every window. All that it goes by are the records of
 * metrics.jsonl, so a resumed run, which shows it those of the steps before, comes to the same findings.
 */
export class CollapseWatch {
  readonly #metrics: { prefix: string; loss: string } | undefined;
  /** Steps of a window. */
  readonly #perWindow: number;
  #start: number | undefined;
  #best: Window | undefined;
  /** The last windows, in order. */
  #last: Window[] = [];
  /** The steps of the window that is not full yet. */
  #steps: Window[] = [];

  constructor(
    loss: string,
    private readonly classes: number,
    batch: number,
  ) {
    this.#metrics = metricsOf(loss);
    this.#perWindow = Math.max(WATCH.steps, Math.ceil(WATCH.images / batch));
  }

  /** What the windows show after a step that ends one; always undefined where the loss has no classes. */
  see(record: StepRecord): Collapse | undefined {
    const step = this.#metrics && measuresOf(record, this.#metrics);
    if (!step) return undefined;
    this.#start ??= step.length;
    this.#steps.push(step);
    if (this.#steps.length < this.#perWindow) return undefined;
    const window = meanOf(this.#steps);
    this.#steps = [];
    this.#last = [...this.#last, window].slice(-WATCH.windows);
    if (!this.#best || window.accuracy > this.#best.accuracy) this.#best = window;
    return collapseIn(this.#last, { classes: this.classes, start: this.#start, best: this.#best });
  }

  /** The last window, where its accuracy cannot be told from guessing. */
  get guessing(): Window | undefined {
    const last = this.#last.at(-1);
    return last && isGuessing(last, this.classes) ? last : undefined;
  }
}

/** What a step's record says of the classification of its loss. */
function measuresOf(
  record: StepRecord,
  { prefix, loss }: { prefix: string; loss: string },
): Window | undefined {
  const { step, accuracy } = record;
  const entropy = record[`${prefix}crossEntropy`] ?? record[loss];
  const length = record[`${prefix}embeddingLength`];
  if (entropy === undefined || length === undefined || accuracy === undefined) return undefined;
  return { step, loss: entropy, accuracy, length };
}

function meanOf(steps: readonly Window[]): Window {
  const mean = (pick: (window: Window) => number) =>
    steps.reduce((sum, window) => sum + pick(window), 0) / steps.length;
  return {
    step: steps.at(-1)!.step,
    loss: mean(({ loss }) => loss),
    accuracy: mean(({ accuracy }) => accuracy),
    length: mean(({ length }) => length),
  };
}
