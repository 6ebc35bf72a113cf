// A model of a training step on p ranks: what a rank computes, fitted to what was measured, and what the ranks
// exchange, by the textbook costs of collectives on a network of a given latency and bandwidth.

/**
 * Coefficients of least squared relative error, none of them negative: `targets[i]` is about the sum of
 * `features[i][j]` times coefficient j. Features whose coefficient would be negative are left out, at 0.
 */
export function fitRelative(
  features: readonly (readonly number[])[],
  targets: readonly number[],
): { coefficients: number[]; relativeError: number } {
  const count = features[0]!.length;
  let used = Array.from({ length: count }, (_, j) => j);
  for (;;) {
    const rows = features.map((row, i) => used.map((j) => row[j]! / targets[i]!));
    const solution = solve(
      used.map((_, a) => used.map((__, b) => rows.reduce((sum, row) => sum + row[a]! * row[b]!, 0))),
      used.map((_, a) => rows.reduce((sum, row) => sum + row[a]!, 0)),
    );
    const lowest = solution.indexOf(Math.min(...solution));
    if (solution[lowest]! < 0 && used.length > 1) {
      used = used.filter((_, at) => at !== lowest);
      continue;
    }
    const coefficients = Array.from({ length: count }, (_, j) => {
      const at = used.indexOf(j);
      return at < 0 ? 0 : solution[at]!;
    });
    const errors = features.map(
      (row, i) => row.reduce((sum, x, j) => sum + x * coefficients[j]!, 0) / targets[i]! - 1,
    );
    return {
      coefficients,
      relativeError: Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length),
    };
  }
}

/** The solution of a symmetric positive system, by elimination. Throws an `Error` when the features are dependent. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const n = rows.length;
  for (let k = 0; k < n; k++) {
    const best = rows.slice(k).reduce((top, row, i) => {
      return Math.abs(row[k]!) > Math.abs(rows[top]![k]!) ? k + i : top;
    }, k);
    [rows[k], rows[best]] = [rows[best]!, rows[k]!];
    const pivot = rows[k]![k]!;
    if (!(Math.abs(pivot) > 1e-12 * Math.abs(matrix[k]![k]!)))
      throw new Error('the features of the fit depend on each other: measure more sizes');
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = rows[i]![k]! / pivot;
      for (let j = k; j <= n; j++) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!);
}

/** What joins the ranks: seconds until the first byte arrives, and bytes a second of one rank each way. */
export interface Link {
  readonly latency: number;
  readonly bandwidth: number;
}

const rounds = (ranks: number): number => Math.ceil(Math.log2(ranks));

/**
 * Seconds of a sum over `ranks` of `bytes` on each: the cheaper of a ring, 2 (p - 1) messages of bytes / p, and of
 * recursive doubling, log2 p messages of all bytes (Thakur, Rabenseifner and Gropp, 2005).
 */
export function allReduceSeconds(bytes: number, ranks: number, { latency, bandwidth }: Link): number {
  if (ranks === 1) return 0;
  const ring = 2 * (ranks - 1) * (latency + bytes / ranks / bandwidth);
  const doubling = rounds(ranks) * (latency + bytes / bandwidth);
  return Math.min(ring, doubling);
}

/** Seconds until every rank has the `bytes` of each, by recursive doubling: (p - 1) bytes arrive in log2 p messages. */
export function allGatherSeconds(bytes: number, ranks: number, { latency, bandwidth }: Link): number {
  if (ranks === 1) return 0;
  return rounds(ranks) * latency + ((ranks - 1) * bytes) / bandwidth;
}

/**
 * Seconds until the last of several exchanges has ended when each follows its part of the computing, one at a time,
 * while the next parts are computed.
 */
export function pipelineSeconds(parts: readonly { computing: number; exchanging: number }[]): number {
  let computed = 0;
  let exchanged = 0;
  for (const { computing, exchanging } of parts) {
    computed += computing;
    exchanged = Math.max(exchanged, computed) + exchanging;
  }
  return Math.max(computed, exchanged);
}

/** What a rank has to do in a step. */
export interface Work {
  /** Images through the network. */
  readonly images: number;
  /** Images and classes that meet in the head: a rank's own images, or the whole batch where classes are shared. */
  readonly headImages: number;
  readonly headClasses: number;
  /** Class vectors brought from memory and back, of sampled classes. */
  readonly moved: number;
}

/** What a step costs a rank, as measured: seconds. */
export interface StepCosts {
  readonly perStep: number;
  readonly perImage: number;
  /** Of each pair of an image and a class. */
  readonly perLogit: number;
  readonly perClass: number;
  readonly perMoved: number;
}

export const computeSeconds = (work: Work, costs: StepCosts): number =>
  costs.perStep +
  costs.perImage * work.images +
  costs.perLogit * work.headImages * work.headClasses +
  costs.perClass * work.headClasses +
  costs.perMoved * work.moved;

/** One exchange of a step, as the graph has it. */
export interface Message {
  readonly kind: 'allReduce' | 'allGather';
  /** Of one rank. */
  readonly bytes: number;
  /** Whether it is a gradient, which only the update waits for; the rest of the step waits for any other. */
  readonly gradient: boolean;
}

const secondsOf = ({ kind, bytes }: Message, ranks: number, link: Link): number =>
  kind === 'allReduce' ? allReduceSeconds(bytes, ranks, link) : allGatherSeconds(bytes, ranks, link);

/** Seconds that a step's exchanges take, one after the other: those the rest waits for, and gradients. */
export function exchangeSeconds(messages: readonly Message[], ranks: number, link: Link) {
  const sum = (gradient: boolean) =>
    messages
      .filter((message) => message.gradient === gradient)
      .reduce((seconds, message) => seconds + secondsOf(message, ranks, link), 0);
  return { waiting: sum(false), gradients: sum(true) };
}

/** Two thirds of a network's work are its backward pass: a gradient each for what comes in and for the weights. */
const BACKWARD = 2 / 3;

/**
 * Seconds of a step. `shares` are the parts into which the backward pass is cut: of each, what share of its
 * computing and of the gradients' bytes; each cut costs `perCut` seconds.
 */
export function stepSeconds(
  computing: number,
  { waiting, gradients }: { waiting: number; gradients: number },
  shares: readonly { computing: number; gradients: number }[] = [{ computing: 1, gradients: 1 }],
  perCut = 0,
): number {
  const backward = BACKWARD * computing;
  const parts = shares.map((share) => ({
    computing: share.computing * backward,
    exchanging: share.gradients * gradients,
  }));
  return computing - backward + waiting + pipelineSeconds(parts) + perCut * (shares.length - 1);
}
