// Every loss with every option against plain double-precision loops: value, logits, metrics, gradient with
// respect to the embeddings and everything learned, and the next value of what is kept.
import { describe, expect, test } from 'vitest';
import { losses } from '../../src/losses/index.js';
import { cases } from './cases.js';
import { evaluate, expectGradients, expectValues, learned } from './evaluate.js';
import { defaults, plain, references } from './plain/index.js';
import { batches, pointOf } from './points.js';

test('every loss is in the table, with the defaults of the reference', () => {
  expect(Object.keys(losses).sort()).toEqual(Object.keys(defaults).sort());
  for (const [name, { defaults: actual }] of Object.entries(losses)) {
    expect(actual, name).toEqual(defaults[name]);
  }
  const alone = Object.keys(references).sort();
  expect([...new Set(cases.map(({ name }) => name))].sort()).toEqual(alone);
});

describe.each(cases)('$title', (row) => {
  const { name, options, spread, lambda } = row;

  test.each(Object.entries(batches))('%s', (title, batch) => {
    for (const seed of title === 'mixed' || title === 'P x K' ? [1, 2] : [3]) {
      const point = pointOf(seed, batch, spread, lambda);
      const actual = evaluate(name, point, options);
      expectValues(actual, plain(name, point, options));
      expectGradients(actual, point, (at, fixed) => plain(name, at, options, fixed));
      const { parameters } = actual.built;
      expect(learned(parameters).map((p) => p.name)).toEqual(row.learned);
      expect(parameters.filter((p) => p.rate === 0).map((p) => p.name)).toEqual(row.kept);
    }
  });
});
