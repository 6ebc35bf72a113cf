// A label that names no class is refused by every loss: it would give a finite loss that means nothing.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { input } from '../../src/graph/index.js';
import { lossNamed } from '../../src/losses/index.js';
import { Scope } from '../../src/nn/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { oneEach } from './cases.js';
import { edgeFor, edges } from './edges.js';
import { compileLoss } from './single.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice('cpu', { threads: 1 });
});
afterAll(() => device.close());

const [edge] = Object.values(edges);

describe.each(oneEach)('$title', (row) => {
  test('refuses labels outside [0, K)', async () => {
    const point = edgeFor(edge!, row);
    const program = await compileLoss(device, row.name, point, row.options);
    for (const label of [-1, point.classes, 2 ** 31 - 1]) {
      const labels = point.labels.map((own, i) => (i === 2 ? label : own));
      const refused = await program.run({ ...point, labels }).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(UserError);
      expect((refused as Error).message).toBe(
        `feed 'labels' has ${label} at place 2; it must be a whole number from 0 to ${point.classes - 1}`,
      );
    }
    await program.run(point);
    await program.dispose();
  });
});

test('a joint loss refuses them, in several steps a call too', async () => {
  const scope = new Scope();
  const embedding = input('x', [2, 3]);
  const labels = input('labels', [2], 'int32');
  const { loss } = lossNamed('softmax+contrastive').build({ scope, embedding, labels, classes: 5 }, {});
  const program = await device.compile(
    {
      inputs: [embedding, labels],
      state: scope.parameters.map(({ tensor }) => ({ parameter: tensor })),
      outputs: { loss },
    },
    { stepsPerCall: 2 },
  );
  const x = new Float32Array(12);
  await expect(program.run({ x, labels: Int32Array.of(0, 4, 1, 5) })).rejects.toThrow(
    /'labels' has 5 at place 3/,
  );
  await program.dispose();
});
