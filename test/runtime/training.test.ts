// Real training steps: the same losses on every device, and memory that does not grow.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { input, mean, mul, nameOf, parameter, sizeOf, square } from '../../src/graph/index.js';
import { initialParameters } from '../../src/nn/index.js';
import { openDevice } from '../../src/runtime/index.js';
import { trainingStep } from '../../src/train/step.js';
import { devicesHere } from './devices-here.js';

const devices = await devicesHere();

interface Case {
  net: string;
  size: [number, number];
  channels: number;
  loss: string;
  lossOptions: Record<string, unknown>;
}
const batch = 4;
const classes = 5;
const cases: Case[] = [
  { net: 'digits', size: [28, 28], channels: 1, loss: 'softmax', lossOptions: {} },
  { net: 'sphereface-4', size: [32, 32], channels: 3, loss: 'a-softmax', lossOptions: { margin: 4 } },
];

/** The losses of `steps` training steps on random images, from the same start on every device. */
async function trained(
  name: 'cpu' | 'webgpu',
  { channels, ...options }: Case,
  steps: number,
): Promise<number[]> {
  const step = trainingStep({
    ...options,
    embedding: 16,
    reluAfterFc1: false,
    classes,
    batch,
    momentum: 0.9,
    weightDecay: 5e-4,
  });
  const device = await openDevice(name, { threads: 1 });
  const program = await device.compile(step.graph);
  program.setState(initialParameters(step.parameters, 1));
  program.setState(new Map(step.velocities.map((v) => [nameOf(v), new Float32Array(sizeOf(v.shape))])));
  const { normal } = random(1, 'images');
  const images = Float32Array.from({ length: batch * channels * options.size[0] * options.size[1] }, normal);
  const labels = Int32Array.of(0, 1, 2, 3);
  const losses: number[] = [];
  for (let i = 1; i <= steps; i++) {
    const schedule = step.schedule.map((entry) => [nameOf(entry.input), entry.at(i)]);
    const { loss } = await program.run({ images, labels, rate: 0.01, ...Object.fromEntries(schedule) });
    losses.push(loss!.data[0]!);
  }
  await device.close();
  return losses;
}

describe.skipIf(!devices.includes('webgpu'))('WebGPU trains as the CPU does', () => {
  test.each(cases)('$net with $loss: the same losses to 1e-3', async (each) => {
    const here = await trained('cpu', each, 4);
    const there = await trained('webgpu', each, 4);
    expect(here[3]).toBeLessThan(here[0]!);
    there.forEach((loss, i) => {
      expect(Math.abs(loss - here[i]!)).toBeLessThan(1e-3);
    });
  });
});

test.each(devices)(
  'memory does not grow while %s runs steps with a state of four megabytes',
  async (name) => {
    const w = parameter('w', [1024, 1024]);
    const rate = input('rate', []);
    const loss = mean(square(w));
    const device = await openDevice(name, { threads: 1 });
    const program = await device.compile({
      inputs: [rate],
      state: [{ parameter: w, next: mul(w, rate) }],
      outputs: { loss },
    });
    program.setState({ w: new Float32Array(1024 * 1024).fill(1) });
    const megabytesAfter = async (steps: number) => {
      for (let i = 0; i < steps; i++) await program.run({ rate: 0.999 });
      return process.memoryUsage().rss / 2 ** 20;
    };
    const warm = await megabytesAfter(40);
    // Every step makes four new megabytes of state: if all stayed, they would be 400.
    expect((await megabytesAfter(100)) - warm).toBeLessThan(100);
    await device.close();
  },
);

test('memory does not grow over training steps of a network', async () => {
  const step = trainingStep({
    net: 'sphereface-4',
    size: [16, 16],
    embedding: 8,
    reluAfterFc1: false,
    loss: 'softmax',
    lossOptions: {},
    classes: 3,
    batch: 1,
    momentum: 0.9,
    weightDecay: 0,
  });
  const device = await openDevice('cpu', { threads: 1 });
  const program = await device.compile(step.graph);
  program.setState(initialParameters(step.parameters, 1));
  program.setState(new Map(step.velocities.map((v) => [nameOf(v), new Float32Array(sizeOf(v.shape))])));
  const images = new Float32Array(3 * 16 * 16).fill(0.1);
  const megabytesAfter = async (steps: number) => {
    for (let i = 0; i < steps; i++) await program.run({ images, labels: Int32Array.of(1), rate: 1e-4 });
    return process.memoryUsage().rss / 2 ** 20;
  };
  const warm = await megabytesAfter(30);
  // The state is 13 megabytes: if those of 80 steps stayed, they would be a gigabyte.
  expect((await megabytesAfter(80)) - warm).toBeLessThan(250);
  await device.close();
});
