// Ten thousand classes of which a batch sees two: values and gradients in double precision, and everything
// finite in single precision.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { oneEach } from './cases.js';
import { evaluate, expectClose, expectFinite, expectValues } from './evaluate.js';
import { plain } from './plain/index.js';
import { differences } from './plain/point.js';
import { pointOf } from './points.js';
import { compileLoss } from './single.js';

const CLASSES = 10_000;

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

describe.each(oneEach)('$title', ({ name, options, spread, lambda }) => {
  const batch = { labels: [5000, 9999, 9999], classes: CLASSES };
  const point = pointOf(61, batch, { ...spread, length: 3, projected: 3 }, lambda);

  test('value, logits and gradient', () => {
    const actual = evaluate(name, point, options);
    expectFinite(actual);
    expectValues(actual, plain(name, point, options));
    // Differences for the first sample; for class vectors in the rows of the batch and one of an absent class.
    const [first, ...rest] = point.x;
    const dx = differences(
      [first!],
      ([row]) => plain(name, { ...point, x: [row!, ...rest] }, options, point).value,
    );
    expectClose(actual.gradient.x!.slice(0, 3), dx.flat(), 1e-4, 'dx');
    const weights = point.state['fc6.weight']!;
    if (!actual.gradient['fc6.weight']) return;
    for (const j of [9999, 1234]) {
      const dw = differences([weights[j]!], ([row]) => {
        const changed = weights.map((w, i) => (i === j ? row! : w));
        return plain(name, { ...point, state: { ...point.state, 'fc6.weight': changed } }, options, point)
          .value;
      });
      expectClose(actual.gradient['fc6.weight'].slice(3 * j, 3 * j + 3), dw.flat(), 1e-4, `dW of ${j}`);
    }
  });

  test('single precision', async () => {
    const program = await compileLoss(device, name, point, options);
    const actual = await program.run(point);
    await program.dispose();
    expectFinite(actual);
    const { value } = plain(name, point, options);
    expect(Math.abs(actual.value - value) / Math.max(1, Math.abs(value))).toBeLessThan(1e-4);
  });
});
