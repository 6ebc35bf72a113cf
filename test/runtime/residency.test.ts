// A training step on WebGPU runs on the GPU as a whole: ONNX Runtime refuses a graph of which a node would fall
// back to the CPU, and here it refuses none. Its state never leaves the GPU, only its outputs are read back, and
// they are the CPU's.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gradients, input, nameOf, sizeOf } from '../../src/graph/index.js';
import { losses, lossNamed } from '../../src/losses/index.js';
import { lowerStep, type StepGraph } from '../../src/lower/index.js';
import { gaussian, initialParameters, Scope } from '../../src/nn/index.js';
import { boundEngine } from '../../src/runtime/bound.js';
import { type CInterface, cInterface } from '../../src/runtime/c-interface.js';
import type { Value } from '../../src/runtime/engine.js';
import { type Device, type Feeds, openDevice } from '../../src/runtime/index.js';
import { toStored } from '../../src/runtime/layout.js';
import { sgdUpdates } from '../../src/train/sgd.js';
import { accuracy, trainingStep } from '../../src/train/step.js';
import { devicesHere } from './devices-here.js';

const here = await devicesHere();
const webgpu = { target: 'webgpu', threads: 1, spin: false } as const;

interface Case {
  step: StepGraph;
  state: ReadonlyMap<string, Float32Array>;
  feeds: Feeds;
}

const people = 5;
const batch = 10;

/** A loss alone, with its gradients, its own parameters' update and the embeddings themselves as a parameter. */
function head(loss: string, options: Record<string, unknown>): Case {
  const scope = new Scope();
  const embedding = scope.parameter('embedding', [batch, 6], gaussian(1));
  const labels = input('labels', [batch], 'int32');
  const rate = input('rate', []);
  const terms = lossNamed(loss).build({ scope, embedding, labels, classes: people }, options);
  const { parameters } = scope;
  const slopes = gradients(
    terms.loss,
    parameters.map(({ tensor }) => tensor),
    rate,
  );
  const { state, velocities } = sgdUpdates(parameters, slopes, { rate, momentum: 0.9, weightDecay: 5e-4 });
  const start = initialParameters(parameters, 1);
  for (const v of velocities) start.set(nameOf(v), new Float32Array(sizeOf(v.shape)));
  return {
    step: {
      inputs: [labels, rate, ...terms.schedule.map((entry) => entry.input)],
      state,
      outputs: {
        ...terms.metrics,
        ...(terms.logits && { accuracy: accuracy(terms.logits, labels) }),
        loss: terms.loss,
      },
    },
    state: start,
    feeds: {
      labels: Int32Array.from({ length: batch }, (_, i) => Math.floor(i / 4)),
      rate: 0.01,
      ...Object.fromEntries(terms.schedule.map((entry) => [nameOf(entry.input), entry.at(500)])),
    },
  };
}

/** Options beside the defaults that make other operations. */
const variants: [string, Record<string, unknown>][] = [
  ['a-softmax', { margin: 3, gradient: 'caffe' }],
  ['arcface', { easyMargin: true }],
  ['triplet', { mining: 'hardest' }],
  ['softmax+center', {}],
  ['modified-softmax+mhe', {}],
];
const alone = Object.keys(losses).filter((name) => name !== 'mhe');

describe.skipIf(!here.includes('webgpu'))('WebGPU', () => {
  let cpu: Device;
  let c: CInterface;
  beforeAll(async () => {
    cpu = await openDevice('cpu', { threads: 1 });
    c = (await cInterface())!;
  });
  afterAll(async () => {
    await cpu.close();
  });

  /** Outputs of `steps` steps on the CPU. */
  const onCpu = async ({ step, state, feeds }: Case, steps: number) => {
    const program = await cpu.compile(step);
    program.setState(state);
    const outputs: Record<string, number>[] = [];
    for (let i = 0; i < steps; i++) {
      const results = await program.run(feeds);
      outputs.push(
        Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data[0] as number])),
      );
    }
    await program.dispose();
    return outputs;
  };

  /** The same on the GPU; throws when a node would run elsewhere, fails when state leaves it. */
  const onGpu = async ({ step, state, feeds }: Case, steps: number) => {
    const lowered = lowerStep(step, { target: 'webgpu' });
    const resident = lowered.state.flatMap(({ output }) => output ?? []);
    const engine = boundEngine(lowered.model, webgpu, c, { resident, strict: true });
    const held: Record<string, Value> = {};
    for (const { name, input, shape, layout, physicalShape } of lowered.state)
      held[input] = engine.keep(toStored(state.get(name)!, shape, layout), physicalShape);
    const outputs: Record<string, number>[] = [];
    let bytesRead = 0;
    for (let i = 0; i < steps; i++) {
      const all = { ...held };
      for (const { name, dtype, shape } of lowered.inputs)
        all[name] = engine.feed(name, dtype, feeds[name]!, shape);
      const wanted = lowered.outputs.map(({ name }) => name);
      const results = await engine.run(all, [...wanted, ...resident]);
      for (const { input, output } of lowered.state) {
        if (output === undefined) continue;
        held[input]!.dispose();
        held[input] = results[output]!;
      }
      for (const { location, dims } of Object.values(results))
        if (location === 'cpu') bytesRead += 4 * sizeOf(dims);
      outputs.push(
        Object.fromEntries(wanted.map((name) => [name, (results[name]!.data as Float32Array)[0]!])),
      );
      for (const name of wanted) results[name]!.dispose();
    }
    for (const value of Object.values(held)) value.dispose();
    await engine.release();
    expect(bytesRead).toBe(steps * 4 * lowered.outputs.length);
    return outputs;
  };

  const expectAgreement = async (each: Case, tolerance: number) => {
    const expected = await onCpu(each, 3);
    const outputs = await onGpu(each, 3);
    expect(expected[2]!.loss).not.toBe(expected[0]!.loss);
    expected.forEach((values, i) => {
      for (const [name, value] of Object.entries(values)) {
        const difference = Math.abs(outputs[i]![name]! - value);
        expect(difference, `${name} of step ${i + 1}`).toBeLessThan(tolerance * Math.max(1, Math.abs(value)));
      }
    });
  };

  test.each([...alone.map((name) => [name, {}] as const), ...variants])(
    "a step of %s %j runs on the GPU alone, and is the CPU's to 1e-4",
    (name, options) => expectAgreement(head(name, options), 1e-4),
  );

  test.each(['digits', 'sphereface-10', 'mobilefacenet'])(
    'no operator of a step of %s is left to the CPU',
    (net) => {
      const { graph } = trainingStep({
        ...{ net, size: [32, 32], embedding: 8, reluAfterFc1: false, classes: people, batch: 2 },
        ...{ loss: 'a-softmax', lossOptions: {}, momentum: 0.9, weightDecay: 5e-4 },
      });
      const { model } = lowerStep(graph, { target: 'webgpu' });
      return boundEngine(model, webgpu, c, { strict: true }).release();
    },
  );

  test('a graph of which a node falls back to the CPU is refused', () => {
    // Lowered for the CPU, where log-softmax is one operator, which WebGPU does not have.
    const { model } = lowerStep(head('softmax', {}).step, { target: 'cpu' });
    expect(() => boundEngine(model, webgpu, c, { strict: true })).toThrow(/fallback/);
  });
});
