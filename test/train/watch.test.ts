import { describe, expect, it } from 'vitest';
import type { StepRecord } from '../../src/train/run-folder.js';
import { CollapseWatch, collapseIn, isGuessing, WATCH, type Window } from '../../src/train/watch.js';

const K = 70;
const guess = Math.log(K);
const healthy: Window = { step: 40, loss: 3.5, accuracy: 0.4, length: 6 };
const run = { classes: K, start: 2.8, best: healthy };
const three = (window: Partial<Window>): Window[] =>
  [20, 30, 40].map((step) => ({ ...healthy, ...window, step }));

describe('the rule of the watch', () => {
  it('finds embeddings that have shrunk while the loss is that of guessing', () => {
    const found = collapseIn(three({ length: 0.1, loss: 1.01 * guess, accuracy: 0.1 }), run);
    expect(found).toMatchObject({ kind: 'shrunk', now: { step: 40 }, start: 2.8, guess });
  });

  it('says nothing of a start, whose loss is near log K too, with embeddings that grow', () => {
    const start = { loss: guess, accuracy: 1 / K, length: 3.5 };
    expect(collapseIn(three(start), { ...run, best: { ...healthy, ...start } })).toBeUndefined();
  });

  it('says nothing of embeddings that are short and learn, or were short at the start', () => {
    expect(collapseIn(three({ length: 0.1 }), run)).toBeUndefined();
    expect(collapseIn(three({ length: 0.1, loss: guess }), { ...run, start: 0.3 })).toBeUndefined();
  });

  it('says nothing of embeddings that get shorter and stay longer than 1', () => {
    expect(collapseIn(three({ length: 2, loss: guess }), { ...run, start: 11 })).toBeUndefined();
  });

  it('finds an accuracy that has fallen, to that of guessing or not', () => {
    expect(collapseIn(three({ accuracy: 0.09 }), run)).toMatchObject({ kind: 'fell', best: healthy });
    expect(collapseIn(three({ accuracy: 0.11 }), run)).toBeUndefined();
    const low = { ...run, best: { ...healthy, accuracy: 0.19 } };
    expect(collapseIn(three({ accuracy: 0.01 }), low)).toBeUndefined();
  });

  it('finds embeddings that have grown without end in a run that guesses', () => {
    const long = { length: 2000, loss: 60, accuracy: 0.02 };
    const best = { ...healthy, ...long };
    expect(collapseIn(three(long), { ...run, best })).toMatchObject({ kind: 'grown' });
    expect(collapseIn(three({ ...long, accuracy: 0.1 }), { ...run, best })).toBeUndefined();
    expect(collapseIn(three({ ...long, length: 250 }), { ...run, best })).toBeUndefined();
  });

  it('waits for as many windows as must agree', () => {
    const short = three({ length: 0.1, loss: guess });
    expect(collapseIn(short.slice(1), run)).toBeUndefined();
    expect(collapseIn([{ ...short[0]!, length: 1.2 }, ...short.slice(1)], run)).toBeUndefined();
  });
});

describe('guessing', () => {
  it('is an accuracy within four standard deviations of 1 / K', () => {
    expect(isGuessing({ accuracy: 1 / K }, K)).toBe(true);
    expect(isGuessing({ accuracy: 0.03 }, K)).toBe(true);
    expect(isGuessing({ accuracy: 0.05 }, K)).toBe(false);
    // One hit in the 640 images of a window is chance among 10,000 people, two are not.
    expect(isGuessing({ accuracy: 1 / WATCH.images }, 10_000)).toBe(true);
    expect(isGuessing({ accuracy: 2 / WATCH.images }, 10_000)).toBe(false);
  });
});

/** The records of a run that shrinks its embeddings, with other metrics beside. */
function shrinking(steps: number, prefix = ''): StepRecord[] {
  return Array.from({ length: steps }, (_, i) => ({
    step: i + 1,
    epoch: 0,
    loss: guess + (prefix ? 1 : 0.01),
    [`${prefix}loss`]: guess + 0.01,
    [`${prefix}embeddingLength`]: 2.8 * 0.9 ** i,
    accuracy: 0.08,
    rate: 0.05,
    imagesPerSecond: 1,
    seconds: 1,
  }));
}

/** Steps at which a watch finds something in records. */
const findings = (watch: CollapseWatch, records: readonly StepRecord[]): number[] =>
  records.filter((record) => watch.see(record)).map(({ step }) => step);

describe('a watch', () => {
  it('judges at the end of windows of at least ten steps and 640 images', () => {
    expect(findings(new CollapseWatch('a-softmax', K, 64), shrinking(60))).toEqual([40, 50, 60]);
    expect(findings(new CollapseWatch('a-softmax', K, 512), shrinking(60))).toEqual([40, 50, 60]);
    expect(findings(new CollapseWatch('a-softmax', K, 32), shrinking(100))).toEqual([80, 100]);
  });

  it('finds the same after a resume, from what metrics.jsonl has', () => {
    for (const resumedAt of [1, 25, 39, 40]) {
      const watch = new CollapseWatch('a-softmax', K, 64);
      const stored = shrinking(60).map((record) => JSON.parse(JSON.stringify(record)) as StepRecord);
      const found = [
        ...findings(watch, stored.slice(0, resumedAt)),
        ...findings(watch, shrinking(60).slice(resumedAt)),
      ];
      expect(found).toEqual([40, 50, 60]);
    }
  });

  it('goes by the classification of a joint loss', () => {
    const watch = () => new CollapseWatch('softmax+center', K, 64);
    expect(findings(watch(), shrinking(60, 'softmax.'))).toEqual([40, 50, 60]);
    expect(findings(watch(), shrinking(60))).toEqual([]);
  });

  it('has nothing to say of losses without classes', () => {
    for (const loss of ['triplet', 'contrastive', 'marginal', 'tse', 'contrastive+center']) {
      expect(findings(new CollapseWatch(loss, K, 64), shrinking(60))).toEqual([]);
    }
  });
});
