// A-Softmax as it is really run, in single precision: finite value and gradients for features exactly on
// and opposite to their class, at every k pi/m, of every length from none to very long.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gradients, input, nameOf } from '../../src/graph/index.js';
import { losses } from '../../src/losses/index.js';
import { Scope } from '../../src/nn/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { aSoftmaxLogits, crossEntropy } from './plain.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

const WEIGHTS = [
  [1, 0],
  [0, 1],
  [-0.6, -0.8],
];
const LENGTHS = [1e-3, 1, 30, 1000];

test.each([2, 3, 4].flatMap((margin) => [[margin, 'exact'] as const, [margin, 'caffe'] as const]))(
  "margin %i, gradient '%s'",
  async (margin, gradient) => {
    const angles = [0, 1, 2, 3, 4].filter((k) => k <= margin).map((k) => (k * Math.PI) / margin);
    const features = [...angles, Math.PI / 2].flatMap((theta) =>
      LENGTHS.map((length) => [length * Math.cos(theta), length * Math.sin(theta)]),
    );
    const x = [...features, [0, 0]];
    const labels = x.map(() => 0);
    const scope = new Scope();
    const embedding = input('x', [x.length, 2]);
    const picks = input('labels', [x.length], 'int32');
    const terms = losses['a-softmax']!.build(
      { scope, embedding, labels: picks, classes: 3 },
      { margin, gradient },
    );
    const [weight] = scope.parameters;
    const [dx, dw] = gradients(terms.loss, [embedding, weight!.tensor]);
    const program = await device.compile({
      inputs: [embedding, picks, terms.schedule[0]!.input],
      state: [{ parameter: weight!.tensor }],
      outputs: { loss: terms.loss, dx: dx!, dw: dw!, ...terms.metrics },
    });
    await program.setState({ [nameOf(weight!.tensor)]: Float32Array.from(WEIGHTS.flat()) });
    for (const lambda of [0, 5]) {
      const feeds = { x: Float32Array.from(x.flat()), labels: Int32Array.from(labels), lambda };
      const results = await program.run(feeds);
      for (const [name, { data }] of Object.entries(results)) {
        expect([...data].every(Number.isFinite), `${name} at lambda ${lambda}`).toBe(true);
      }
      // The zero embedding's angle is undefined in the plain loops; all its logits are zero.
      const sample = { x: features, labels: features.map(() => 0), weights: WEIGHTS };
      const plain = crossEntropy(aSoftmaxLogits(sample, margin, lambda), sample.labels);
      const expected = (plain * features.length + Math.log(3)) / x.length;
      expect(Math.abs(results.loss!.data[0]! / expected - 1)).toBeLessThan(1e-4);
    }
    await program.dispose();
  },
);
