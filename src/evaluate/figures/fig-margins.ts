// A-Softmax with every margin of the paper, m = 1 to 4, as networks of Figs. 5 and 12.
import type { NetworkSpec } from './trained.js';

/** Four networks with so many features; m = 1 is modified softmax. */
export const margins = (features: number): NetworkSpec[] =>
  [1, 2, 3, 4].map((margin) => ({
    id: `m-${margin}`,
    title: `m = ${margin}`,
    loss: 'a-softmax',
    options: { margin },
    net: { features },
  }));
