// Every loss with every option at the edges, in double precision: nothing is NaN or infinite, and what has a
// value has the right one.
import { describe, test } from 'vitest';
import { cases } from './cases.js';
import { edgeFor, edges, SHAPE, undefinedAt } from './edges.js';
import { build, evaluateBuilt, expectFinite, expectValues } from './evaluate.js';
import { plain } from './plain/index.js';

describe.each(cases)('$title', (row) => {
  const { name, options } = row;
  const built = build(name, [SHAPE.count, SHAPE.length], SHAPE.classes, options);

  test.each(Object.entries(edges))('%s', (title, edge) => {
    const point = edgeFor(edge, row);
    const actual = evaluateBuilt(built, point);
    expectFinite(actual);
    if (!undefinedAt(name, title)) {
      expectValues(actual, plain(name, point, options));
    }
  });
});
