// The SphereFace losses against double-precision references made without the TypeScript: values and exact gradients
// from PyTorch's autograd with psi written by arccos, and the gradient of the original Caffe layer from plain loops.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gradients, input, nameOf, parameter, type Tensor } from '../../src/graph/index.js';
import { losses } from '../../src/losses/index.js';
import { Scope } from '../../src/nn/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { arranged, expectClose, floats, readFixture, type StoredArray } from '../support/fixtures.js';

interface LossCase {
  loss: 'softmax' | 'modified-softmax' | 'a-softmax';
  gradient: 'exact' | 'caffe';
  bias?: boolean;
  margin?: number;
  annealing?: number;
  value: number;
  dx: StoredArray;
  dweight: StoredArray;
  dbias?: StoredArray;
}
const fixture = readFixture<{
  classes: number;
  labels: number[];
  x: StoredArray;
  weight: StoredArray;
  unitWeight: StoredArray;
  bias: StoredArray;
  cases: LossCase[];
}>('losses');

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

function optionsOf({ loss, margin, gradient, bias }: LossCase): Record<string, unknown> {
  if (loss === 'softmax') return { bias };
  return loss === 'a-softmax' ? { margin, gradient } : {};
}

describe.each(['plain', 'fast'] as const)('%s formulation', (formulations) => {
  test.each(fixture.cases)(
    '$loss (margin $margin, lambda $annealing, bias $bias), $gradient gradient',
    async (reference) => {
      const { labels, classes, x } = fixture;
      const embedding = parameter('embedding', x.shape);
      const labelInput = input('labels', [labels.length], 'int32');
      const scope = new Scope();
      const definition = losses[reference.loss]!;
      const options = optionsOf(reference);
      const terms = definition.build(
        { scope, embedding, labels: labelInput, classes },
        { ...definition.defaults, ...options },
      );
      const heads = scope.parameters;
      const derived = gradients(terms.loss, [embedding, ...heads.map((head) => head.tensor)]);
      const outputs: Record<string, Tensor> = { loss: terms.loss, dx: derived[0]! };
      heads.forEach((head, i) => {
        outputs[`d.${head.name}`] = derived[i + 1]!;
      });
      const program = await device.compile(
        {
          inputs: [labelInput, ...terms.schedule.map((entry) => entry.input)],
          state: [embedding, ...heads.map((head) => head.tensor)].map((tensor) => ({ parameter: tensor })),
          outputs,
        },
        { formulations },
      );
      // The original layer brings its weights to unit rows before anything else.
      const stored = reference.gradient === 'caffe' ? fixture.unitWeight : fixture.weight;
      const state: Record<string, Float32Array> = { embedding: floats(x) };
      for (const head of heads) {
        state[head.name] = head.shape.length === 1 ? floats(fixture.bias) : arranged(stored, head.shape);
      }
      await program.setState(state);
      const feeds: Record<string, Int32Array | number> = { labels: Int32Array.from(labels) };
      for (const { input: scheduled } of terms.schedule) feeds[nameOf(scheduled)] = reference.annealing!;
      const result = await program.run(feeds);
      await program.dispose();

      expectClose(result.loss!.data, [reference.value], 2e-6, 'loss');
      expectClose(result.dx!.data, reference.dx.data, 1e-5, 'gradient of the embedding');
      for (const head of heads) {
        const expected =
          head.shape.length === 1 ? reference.dbias!.data : arranged(reference.dweight, head.shape);
        expectClose(result[`d.${head.name}`]!.data, expected, 1e-5, `gradient of ${head.name}`);
      }
      expect(heads.some((head) => head.shape.length === 1)).toBe(reference.dbias !== undefined);
    },
  );
});
