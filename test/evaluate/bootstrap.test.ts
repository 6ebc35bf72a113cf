// The bootstrap over people: its weights, and whether its intervals cover.
import { describe, expect, it } from 'vitest';
import { random } from '../../src/common/random.js';
import { bootstrap, ratesOf, sortTrials, type Units } from '../../src/evaluate/index.js';

describe('weighted rates', () => {
  it('a trial of weight 2 counts as two equal trials, one of weight 0 not at all', () => {
    const sorted = sortTrials([0.9, 0.5, 0.6, 0.1, 0.3], [1, 1, 0, 0, 1]);
    const weightOf = [2, 1, 1, 3, 0];
    const weighted = ratesOf(
      sorted,
      [0.3],
      Float64Array.from(sorted.order, (trial) => weightOf[trial]!),
    );
    const copies = sortTrials([0.9, 0.9, 0.5, 0.6, 0.1, 0.1, 0.1], [1, 1, 1, 0, 0, 0, 0]);
    expect(weighted).toEqual(ratesOf(copies, [0.3]));
  });

  it('no rates when all trials of one kind weigh nothing', () => {
    expect(ratesOf(sortTrials([1, 0], [1, 0]), [], Float64Array.of(1, 0))).toBeUndefined();
  });
});

/** Trials of people who each have their own level of score, so that pairs of one person go together. */
function study(seed: number) {
  const draw = random(seed, 'study');
  const scores: number[] = [];
  const same: number[] = [];
  const units: [number, number][] = [];
  for (let person = 0; person < 40; person++) {
    const level = draw.normal();
    for (let photo = 0; photo < 10; photo++) {
      scores.push(1 + level + 0.3 * draw.normal());
      same.push(1);
      units.push([person, person]);
      scores.push(draw.normal());
      same.push(0);
      units.push([person, (person + 1 + draw.integer(39)) % 40]);
    }
  }
  return { trials: sortTrials(scores, same), units: units as Units };
}

describe('intervals', () => {
  it('over people are wider than over pairs when pairs of one person go together, and cover better', () => {
    // AUC of N(1, 1 + .09) against N(0, 1) = Phi(1 / sqrt 2.09).
    const truth = 0.75543;
    let coveredByPeople = 0;
    let coveredByPairs = 0;
    const studies = 60;
    for (let seed = 0; seed < studies; seed++) {
      const { trials, units } = study(seed);
      const correct = new Uint8Array(trials.order.length).fill(1);
      const options = { fars: [], replicates: 100, seed };
      const people = bootstrap(trials, correct, { ...options, units })!;
      const pairs = bootstrap(trials, correct, options)!;
      coveredByPeople += Number(people.auc[0] <= truth && truth <= people.auc[1]);
      coveredByPairs += Number(pairs.auc[0] <= truth && truth <= pairs.auc[1]);
      expect(people.auc[1] - people.auc[0]).toBeGreaterThan(pairs.auc[1] - pairs.auc[0]);
    }
    expect(coveredByPeople / studies).toBeGreaterThan(0.83);
    expect(coveredByPairs).toBeLessThan(coveredByPeople);
  });
});
