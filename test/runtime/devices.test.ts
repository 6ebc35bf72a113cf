// Devices: what is there opens and computes; what is not there is an error that says what to install.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import {
  cast,
  constant,
  equal,
  gradients,
  input,
  matmul,
  mean,
  mul,
  nameOf,
  parameter,
  square,
  sub,
} from '../../src/graph/index.js';
import { encodeModel, lowerInference } from '../../src/lower/index.js';
import { type DeviceName, openDevice } from '../../src/runtime/index.js';
import { devicesHere } from './devices-here.js';

/** Linear regression: loss = mean((x w - y)^2), w' = w - rate * gradient. */
function regression() {
  const x = input('x', [4, 2]);
  const y = input('y', [4, 1]);
  const rate = input('rate', []);
  const w = parameter('w', [2, 1]);
  const loss = mean(square(sub(matmul(x, w), y)));
  const [gradient] = gradients(loss, [w], rate);
  return { inputs: [x, y, rate], state: [{ parameter: w, next: sub(w, gradient!) }], outputs: { loss } };
}
const x = Float32Array.of(1, 0, 0, 1, 1, 1, 2, -1);
const y = Float32Array.of(2, -1, 1, 5);

describe.each(await devicesHere())('%s', (name) => {
  test('several steps in one call are the same as single steps', async () => {
    const device = await openDevice(name, { threads: 1 });
    const single = await device.compile(regression());
    single.setState({ w: new Float32Array(2) });
    const losses: number[] = [];
    for (let i = 0; i < 4; i++) losses.push((await single.run({ x, y, rate: 0.1 })).loss!.data[0]!);
    expect(losses[3]).toBeLessThan(losses[0]! / 4);

    const looped = await device.compile(regression(), { stepsPerCall: 4 });
    expect(looped.inputs.map(({ shape }) => shape)).toEqual([[4, 4, 2], [4, 4, 1], [4]]);
    looped.setState({ w: new Float32Array(2) });
    const four = (array: Float32Array) =>
      Float32Array.from({ length: array.length * 4 }, (_, i) => array[i % array.length]!);
    const { loss } = await looped.run({ x: four(x), y: four(y), rate: 0.1 });
    expect(loss!.shape).toEqual([4]);
    loss!.data.forEach((value, i) => {
      expect(value).toBeCloseTo(losses[i]!, 5);
    });
    const [a, b] = await Promise.all([single.getState(), looped.getState()]);
    b.get('w')!.forEach((value, i) => {
      expect(value).toBeCloseTo(a.get('w')![i]!, 5);
    });
    await expect(looped.run({ x, y, rate: 0.1 })).rejects.toThrow(/'x' has shape \[4, 4, 2\]/);
    await device.close();
    await expect(single.run({ x, y, rate: 0.1 })).rejects.toThrow(/disposed/);
  });

  test('a number that is fed to a whole-number scalar keeps all its digits', async () => {
    const label = input('label', [], 'int32');
    const wanted = constant(Int32Array.of(2 ** 24 + 1), []);
    const device = await openDevice(name, { threads: 1 });
    const program = await device.compile({
      inputs: [label],
      state: [],
      outputs: { same: cast(equal(label, wanted), 'float32') },
    });
    expect((await program.run({ label: 2 ** 24 + 1 })).same!.data[0]).toBe(1);
    await device.close();
  });

  test('an exported model takes any batch and gives its metadata back', async () => {
    const image = input('image', [1, 2]);
    const w = parameter('w', [2, 1]);
    const model = lowerInference({
      inputs: [image],
      outputs: { embedding: mul(matmul(image, w), constant(2)) },
      weights: new Map([[nameOf(w), Float32Array.of(1, 10)]]),
      metadata: { hypersphere: '{}' },
    });
    const device = await openDevice(name, { threads: 1 });
    const opened = await device.load(model);
    expect(opened.metadata).toEqual({ hypersphere: '{}' });
    expect(opened.inputs).toEqual([{ name: 'image', dtype: 'float32', shape: ['N', 2] }]);
    for (const images of [
      [1, 2],
      [1, 2, 3, 4, 5, 6],
    ]) {
      const { embedding } = await opened.run({ image: Float32Array.from(images) });
      expect(embedding!.shape).toEqual([images.length / 2, 1]);
      expect(embedding!.data[0]).toBeCloseTo(42, 4);
    }
    await expect(opened.run({ image: Float32Array.of(1, 2, 3) })).rejects.toThrow(
      /'image' has shape \[N, 2\]/,
    );
    await expect(opened.run({ picture: 1 })).rejects.toThrow(/'picture'.*inputs: image/);
    await expect(opened.run({})).rejects.toThrow(/'image' \[N, 2\] is missing/);

    const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
    const file = join(folder, 'model.onnx');
    writeFileSync(file, model);
    expect((await device.load(file)).inputs[0]!.name).toBe('image');
    writeFileSync(file, 'no model');
    await expect(device.load(file)).rejects.toThrow(/model\.onnx: not an ONNX model/);
    writeFileSync(file, model.subarray(0, model.length / 2));
    await expect(device.load(file)).rejects.toThrow(UserError);
    rmSync(folder, { recursive: true });
    await expect(device.load(file)).rejects.toThrow(/model\.onnx: no such file/);
    await device.close();
  });
});

test('a model whose input cannot be fed is refused with the mend', async () => {
  const value = (name: string) => ({ name, dtype: 'float64' as const, shape: [1] });
  const nodes = [{ opType: 'Neg', inputs: ['x'], outputs: ['y'] }];
  const doubles = { name: 'doubles', inputs: [value('x')], outputs: [value('y')], initializers: [], nodes };
  const device = await openDevice('cpu', { threads: 1 });
  const model = await device.load(encodeModel({ opset: 17, graph: doubles }));
  await expect(model.run({ x: Float32Array.of(1) })).rejects.toThrow(UserError);
  await expect(model.run({ x: Float32Array.of(1) })).rejects.toThrow(
    /float64 cannot be fed; export.*float32/,
  );
  await device.close();
});

test('a device that is not there is refused, with what to install', async () => {
  const absent = process.platform === 'darwin' ? 'dml' : 'coreml';
  await expect(openDevice(absent)).rejects.toThrow(UserError);
  await expect(openDevice(absent)).rejects.toThrow(
    /is not available here: it exists on (macOS|Windows) only/,
  );
  await expect(openDevice('tpu' as DeviceName)).rejects.toThrow(
    /'tpu' is unknown; choose one of cpu, webgpu/,
  );
  await expect(openDevice('cpu', { threads: 0 })).rejects.toThrow(/threads/);
});

test('auto always finds a device, and never one slower than the CPU', async () => {
  const device = await openDevice('auto', { threads: 1 });
  expect(['cpu', 'webgpu', 'cuda', 'coreml', 'dml']).toContain(device.name);
  const program = await device.compile(regression());
  program.setState({ w: new Float32Array(2) });
  expect((await program.run({ x, y, rate: 0.1 })).loss!.data[0]).toBeGreaterThan(0);
  await device.close();
});
