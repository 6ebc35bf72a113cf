import { describe, expect, it } from 'vitest';
import { add, gradients, input, mul, reshape, slice, sum } from '../../src/graph/index.js';
import { constantInitializer, Scope } from '../../src/nn/index.js';
import { openDevice } from '../../src/runtime/index.js';
import { sgdUpdates } from '../../src/train/sgd.js';

describe('the SGD update', () => {
  it("is Caffe's, with a rate that changes and multipliers of each parameter's own", async () => {
    const scope = new Scope();
    const options = { a: {}, b: { rate: 2, decay: 0 }, c: { rate: 0 }, d: { decay: 3 } };
    const start = constantInitializer(1);
    const weights = Object.entries(options).map(([name, option]) =>
      scope.parameter(name, [2], start, option),
    );
    const rate = input('rate', []);
    const slopes = input('slopes', [4, 2]);
    // The gradient of each parameter is its row of `slopes`.
    const row = (i: number) => reshape(slice(slopes, [i, 0], [i + 1, 2]), [2]);
    const loss = weights.map((weight, i) => sum(mul(weight, row(i)))).reduce((a, b) => add(a, b));
    const { state, velocities } = sgdUpdates(scope.parameters, gradients(loss, weights, rate), {
      rate,
      momentum: 0.9,
      weightDecay: 0.01,
    });
    expect(velocities.length).toBe(3);
    const device = await openDevice('cpu', { threads: 1 });
    const program = await device.compile({ inputs: [slopes, rate], state, outputs: { loss } });
    const values = { a: 1, b: 2, c: 3, d: 4 };
    const now = new Map<string, Float32Array>();
    for (const [name, value] of Object.entries(values)) now.set(name, Float32Array.of(value, -value));
    for (const name of ['a', 'b', 'd']) now.set(`${name}.velocity`, new Float32Array(2));
    program.setState(now);

    const truth = Object.entries(values).map(([name, value]) => ({ name, p: [value, -value], v: [0, 0] }));
    for (const [step, learningRate] of [0.1, 0.1, 0.01, 0.01].entries()) {
      const g = Float32Array.from({ length: 8 }, (_, i) => Math.sin(i + step));
      await program.run({ slopes: g, rate: learningRate });
      for (const [i, { name, p, v }] of truth.entries()) {
        const multipliers = { rate: 1, decay: 1, ...options[name as 'a'] };
        for (const k of [0, 1]) {
          const local = learningRate * multipliers.rate;
          v[k] = 0.9 * v[k]! + local * (g[2 * i + k]! + 0.01 * multipliers.decay * p[k]!);
          p[k]! -= v[k]!;
        }
      }
    }
    const end = await program.getState();
    for (const { name, p } of truth) {
      for (const k of [0, 1]) expect(end.get(name)![k]).toBeCloseTo(p[k]!, 5);
    }
    await device.close();
  });
});
