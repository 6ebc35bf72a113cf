// Sizes and costs of the networks, against the known ones and against a count on paper.
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { describeNetwork } from '../../src/nn/index.js';

describe('describeNetwork', () => {
  test.each([
    ['sphereface-4', 12.6, 0.16],
    ['sphereface-10', 15.2, 0.76],
    ['sphereface-20', 22.7, 1.75],
    ['sphereface-36', 32.8, 3.34],
    ['sphereface-64', 48.2, 6.11],
  ])('%s has %d M parameters and %d G multiply-adds', (name, millions, giga) => {
    const network = describeNetwork(name);
    expect(Math.round(network.parameters / 1e5) / 10).toBe(millions);
    expect(Math.round(network.multiplyAdds / 1e7) / 100).toBe(giga);
    expect(network.input).toEqual([3, 112, 96]);
    expect(network.embedding).toBe(512);
  });

  test('SphereFace-20 has 22.67 M parameters', () => {
    expect(describeNetwork('sphereface-20').parameters).toBe(22_666_944);
  });

  test('the 4-layer network, layer by layer', () => {
    const { layers } = describeNetwork('sphereface-4');
    expect(layers.map((layer) => layer.name)).toEqual([
      ...[1, 2, 3, 4].flatMap((stage) => [`conv${stage}_1`, `relu${stage}_1`]),
      'fc5',
    ]);
    expect(layers[2]).toEqual({
      name: 'conv2_1',
      output: [128, 28, 24],
      parameters: 128 * 64 * 9 + 128,
      multiplyAdds: 128 * 28 * 24 * 64 * 9,
    });
    expect(layers[8]).toEqual({
      name: 'fc5',
      output: [512],
      parameters: 512 * 7 * 6 * 512 + 512,
      multiplyAdds: 512 * 7 * 6 * 512,
    });
  });

  test('the totals are the sums of the layers', () => {
    const { layers, parameters, multiplyAdds } = describeNetwork('sphereface-10');
    expect(layers.reduce((n, layer) => n + layer.parameters, 0)).toBe(parameters);
    expect(layers.reduce((n, layer) => n + layer.multiplyAdds, 0)).toBe(multiplyAdds);
  });

  test('any input size goes: each stage halves it, rounded up', () => {
    const outputs = describeNetwork('sphereface-4', { size: [61, 47] }).layers.map((layer) => layer.output);
    expect(outputs.filter((_, i) => i % 2 === 0)).toEqual([
      [64, 31, 24],
      [128, 16, 12],
      [256, 8, 6],
      [512, 4, 3],
      [512],
    ]);
  });

  test('the embedding can have another length', () => {
    const network = describeNetwork('sphereface-4', { embedding: 128 });
    expect(network.embedding).toBe(128);
    expect(network.layers.at(-1)!.parameters).toBe(128 * 7 * 6 * 512 + 128);
  });

  test('MobileFaceNet has .99 M parameters and 221 M multiply-adds, as in Table 2 of its paper', () => {
    const { parameters, multiplyAdds, embedding, input, layers } = describeNetwork('mobilefacenet');
    expect(Math.round(parameters / 1e4) / 100).toBe(0.99);
    expect(Math.round(multiplyAdds / 1e6)).toBe(221);
    expect([embedding, ...input]).toEqual([128, 3, 112, 112]);
    expect(layers.find(({ name }) => name === 'block4_1.depthwise')).toEqual({
      name: 'block4_1.depthwise',
      output: [512, 7, 7],
      parameters: 512 * 9 + 512,
      multiplyAdds: 512 * 7 * 7 * 9,
    });
  });

  test('its global kernel has the size of what remains of an image', () => {
    const globalOf = (size: [number, number]) =>
      describeNetwork('mobilefacenet', { size }).layers.find(({ name }) => name === 'global')!;
    expect(globalOf([112, 96]).parameters).toBe(512 * 7 * 6 + 512);
    expect(globalOf([32, 40]).parameters).toBe(512 * 2 * 3 + 512);
    expect(globalOf([112, 96]).output).toEqual([512, 1, 1]);
  });

  test('the digit network is small', () => {
    const network = describeNetwork('digits');
    expect(network.input).toEqual([1, 28, 28]);
    expect(network.embedding).toBe(2);
    expect(network.multiplyAdds).toBeLessThan(2e6);
  });

  test('an unknown network or size is refused', () => {
    expect(() => describeNetwork('resnet')).toThrow(UserError);
    expect(() => describeNetwork('resnet')).toThrow(
      /'resnet'; choose sphereface-4, .*sphereface-64, mobilefacenet, digits/,
    );
    expect(() => describeNetwork('toString')).toThrow(UserError);
    expect(() => describeNetwork('digits', { size: [0, 28] })).toThrow(/size 0x28/);
  });
});
