// How a decision threshold is chosen from training trials, and how a trial is then judged: one rule for each
// named mode of the LFW protocol. The modes differ in grid, in ties and in what an equal score means, and
// those differences are worth tenths of a per cent.

/** A chosen threshold, and how many candidates were equally good. */
export interface Choice {
  threshold: number;
  maximisers: number;
}

/** One way to choose and apply a threshold. */
export interface ThresholdRule {
  /** In words, for reports. */
  readonly description: string;
  /** Picks a threshold; both lists are scores of training trials in rising order. */
  choose(same: Float64Array, different: Float64Array): Choice;
  /** Whether a trial with this score is judged rightly. */
  correct(score: number, threshold: number, same: boolean): boolean;
}

/** How many entries of `sorted` (rising) satisfy a test that holds for a prefix, walking on from `from`. */
function advance(sorted: Float64Array, from: number, holds: (value: number) => boolean): number {
  let at = from;
  while (at < sorted.length && holds(sorted[at]!)) at++;
  return at;
}

/** Thresholds with the most correct training trials, among rising `thresholds`. */
function maximisers(thresholds: Iterable<number>, correctAt: (threshold: number) => number): number[] {
  let most = -1;
  let best: number[] = [];
  for (const threshold of thresholds) {
    const correct = correctAt(threshold);
    if (correct > most) {
      most = correct;
      best = [];
    }
    if (correct === most) best.push(threshold);
  }
  return best;
}

/**
 * SphereFace's published evaluation: cosines, 20,001 thresholds i/10,000 from -1 to 1, the mean of all
 * maximisers. Strict on both sides: same if score > t, different if score < t, and a score that equals the
 * threshold is wrong either way.
 */
export const spherefaceRule: ThresholdRule = {
  description: '20,001 thresholds from -1 to 1, mean of all maximisers, strict comparison',
  choose(same, different) {
    const steps = 10_000;
    let notAbove = 0;
    let below = 0;
    const grid = Array.from({ length: 2 * steps + 1 }, (_, i) => (i - steps) / steps);
    const best = maximisers(grid, (threshold) => {
      notAbove = advance(same, notAbove, (score) => score <= threshold);
      below = advance(different, below, (score) => score < threshold);
      return same.length - notAbove + below;
    });
    return { threshold: best.reduce((sum, t) => sum + t, 0) / best.length, maximisers: best.length };
  },
  correct: (score, threshold, same) => (same ? score > threshold : score < threshold),
};

/**
 * InsightFace's evaluation (after FaceNet's code): scores are squared distances, thresholds 0, .01, .. 3.99,
 * the first maximiser; same if distance < t, different otherwise.
 */
export const insightfaceRule: ThresholdRule = {
  description: 'squared distances, thresholds 0:.01:4, first maximiser',
  choose(same, different) {
    let accepted = 0;
    let wronglyAccepted = 0;
    const grid = Array.from({ length: 400 }, (_, i) => i * 0.01);
    const best = maximisers(grid, (threshold) => {
      accepted = advance(same, accepted, (distance) => distance < threshold);
      wronglyAccepted = advance(different, wronglyAccepted, (distance) => distance < threshold);
      return accepted + different.length - wronglyAccepted;
    });
    return { threshold: best[0]!, maximisers: best.length };
  },
  correct: (distance, threshold, same) => distance < threshold === same,
};

/**
 * No grid: a sweep over the sorted scores. Candidates lie halfway between neighbouring distinct scores, and
 * one at each end (accept all, accept none), so equal scores are never split. Of several equally good
 * candidates the middle one is taken (the lower of two). Same if score >= t, different otherwise.
 */
export const exactRule: ThresholdRule = {
  description: 'sweep over the sorted scores, middle one of equally good thresholds',
  choose(same, different) {
    const all = new Float64Array(same.length + different.length);
    all.set(same);
    all.set(different, same.length);
    all.sort();
    const candidates = [all[0]!];
    for (let i = 1; i < all.length; i++) {
      const lower = all[i - 1]!;
      const upper = all[i]!;
      if (lower === upper) continue;
      const middle = lower + (upper - lower) / 2;
      candidates.push(middle > lower ? middle : upper);
    }
    const last = all[all.length - 1]!;
    candidates.push(last + 1e-12 * Math.max(1, Math.abs(last)));
    let rejected = 0;
    let rightlyRejected = 0;
    const best = maximisers(candidates, (threshold) => {
      rejected = advance(same, rejected, (score) => score < threshold);
      rightlyRejected = advance(different, rightlyRejected, (score) => score < threshold);
      return same.length - rejected + rightlyRejected;
    });
    return { threshold: best[Math.floor((best.length - 1) / 2)]!, maximisers: best.length };
  },
  correct: (score, threshold, same) => score >= threshold === same,
};
