import { describe, expect, it } from 'vitest';
import { lambdaAt, SPHEREFACE_ANNEALING } from '../../src/losses/index.js';
import {
  defaultGamma,
  defaultMilestones,
  defaultRate,
  milestoneSteps,
  PAPER,
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

  it('lets lambda reach its minimum at the same fraction of a shorter run', () => {
    const fraction = (steps: number) => {
      const annealing = { ...SPHEREFACE_ANNEALING, gamma: defaultGamma(steps) };
      let step = 1;
      while (lambdaAt(annealing, step) > annealing.minimum) step++;
      return step / steps;
    };
    expect(fraction(2_800)).toBeCloseTo(fraction(PAPER.steps), 3);
  });

  it('takes milestones up to 1 as fractions and others as steps', () => {
    expect(milestoneSteps([0.85, 0.6], 1000)).toEqual([600, 850]);
    expect(milestoneSteps([300, 500], 1000)).toEqual([300, 500]);
  });
});
