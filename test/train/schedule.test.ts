import { describe, expect, it } from 'vitest';
import { lambdaAt, SPHEREFACE_ANNEALING } from '../../src/losses/index.js';
import {
  defaultGamma,
  defaultMilestones,
  defaultRate,
  milestoneSteps,
  rateAt,
} from '../../src/train/schedule.js';

describe('the schedule', () => {
  it("is the paper's at the paper's size", () => {
    expect(defaultRate(512)).toBe(0.1);
    expect(milestoneSteps(defaultMilestones(), 28_000)).toEqual([16_000, 24_000]);
    expect(defaultGamma(28_000)).toBe(0.12);
  });

  it('drops the rate after a milestone, not at it', () => {
    const rates = [1, 16_000, 16_001, 24_000, 24_001, 28_000].map((step) =>
      rateAt(step, 0.1, [16_000, 24_000]),
    );
    expect(rates.map((rate) => Number(rate.toPrecision(6)))).toEqual([0.1, 0.1, 0.01, 0.01, 0.001, 0.001]);
  });

  it('rises to its value over the warm-up, and is divided by ten all the same', () => {
    const rates = [1, 5, 10, 11, 21].map((step) => rateAt(step, 0.1, [20], 10));
    expect(rates.map((rate) => Number(rate.toPrecision(6)))).toEqual([0.01, 0.05, 0.1, 0.1, 0.01]);
  });

  it('leaves gamma alone where lambda cannot fall', () => {
    const still = { ...SPHEREFACE_ANNEALING, power: 0 };
    expect(defaultGamma(100, still)).toBe(still.gamma);
  });

  it('has lambda at its minimum for the second half of a short run, whatever the minimum', () => {
    for (const [steps, minimum] of [
      [1000, 5],
      [1204, 10],
      [3000, 2],
    ] as const) {
      const range = { base: 1000, minimum };
      const annealing = {
        ...SPHEREFACE_ANNEALING,
        ...range,
        gamma: defaultGamma(steps, { ...SPHEREFACE_ANNEALING, ...range }),
      };
      expect(lambdaAt(annealing, steps / 2 + 5)).toBe(minimum);
      expect(lambdaAt(annealing, steps / 4)).toBeGreaterThan(minimum);
    }
  });

  it('anneals as published in a run that is long enough', () => {
    expect(defaultGamma(4000)).toBe(0.12);
    expect(defaultGamma(100_000)).toBe(0.12);
  });

  it('takes milestones up to 1 as fractions and others as steps', () => {
    expect(milestoneSteps([0.85, 0.6], 1000)).toEqual([600, 850]);
    expect(milestoneSteps([300, 500], 1000)).toEqual([300, 500]);
  });
});
