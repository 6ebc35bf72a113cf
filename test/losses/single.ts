// Losses as they are really run: compiled for ONNX Runtime, in single precision, and read back by name.
import { gradients, nameOf, type Tensor } from '../../src/graph/index.js';
import type { LossOptions } from '../../src/losses/index.js';
import type { Device } from '../../src/runtime/index.js';
import { build, learned } from './evaluate.js';
import type { Point } from './plain/point.js';

/** Everything a loss gives, as numbers. */
export interface Result {
  value: number;
  logits: number[];
  gradient: Record<string, number[]>;
  metrics: Record<string, number>;
  next: Record<string, number[]>;
}

/** A loss for batches of the size and the number of classes of `like`, to run at any point of that kind. */
export async function compileLoss(
  device: Device,
  name: string,
  like: Point,
  options: LossOptions,
  settings: { formulations?: 'plain' | 'fast' } = {},
) {
  const built = build(name, [like.x.length, like.x[0]!.length], like.classes, options);
  const { terms, parameters, embedding, labels } = built;
  const leaves = [embedding, ...learned(parameters).map((p) => p.tensor)];
  const derived = gradients(terms.loss, leaves);
  const outputs: Record<string, Tensor> = { loss: terms.loss };
  if (terms.logits) outputs.logits = terms.logits;
  leaves.forEach((leaf, i) => {
    outputs[`d ${nameOf(leaf)}`] = derived[i]!;
  });
  for (const [metric, tensor] of Object.entries(terms.metrics)) outputs[`metric ${metric}`] = tensor;
  for (const { name: kept, next } of parameters) if (next) outputs[`next ${kept}`] = next;
  const scheduled = terms.schedule.map((entry) => entry.input);
  const program = await device.compile(
    {
      inputs: [embedding, labels, ...scheduled],
      state: parameters.map(({ tensor }) => ({ parameter: tensor })),
      outputs,
    },
    settings,
  );
  return {
    async run({ x, labels: y, state, lambda = 0 }: Point): Promise<Result> {
      await program.setState(
        Object.fromEntries(parameters.map((p) => [p.name, Float32Array.from(state[p.name]!.flat())])),
      );
      const results = await program.run({
        x: Float32Array.from(x.flat()),
        labels: Int32Array.from(y),
        ...Object.fromEntries(scheduled.map((tensor) => [nameOf(tensor), lambda])),
      });
      const numbers = (key: string) => [...(results[key]!.data as Float32Array)];
      const group = (prefix: string) =>
        Object.fromEntries(
          Object.keys(results)
            .filter((key) => key.startsWith(`${prefix} `))
            .map((key) => [key.slice(prefix.length + 1), numbers(key)]),
        );
      const metrics = Object.entries(group('metric')).map(([key, values]) => [key, values[0]!] as const);
      return {
        value: numbers('loss')[0]!,
        logits: results.logits ? numbers('logits') : [],
        gradient: group('d'),
        metrics: Object.fromEntries(metrics),
        next: group('next'),
      };
    },
    dispose: () => program.dispose(),
  };
}
