// How the networks are declared: names, multipliers, initialisers and the order of their operations.
import { describe, expect, test } from 'vitest';
import { random } from '../../src/common/random.js';
import { input, relu, type Tensor, topological } from '../../src/graph/index.js';
import {
  constantInitializer,
  digitNet,
  fullyConnected,
  gaussian,
  initialParameters,
  mobileFaceNet,
  type Normalization,
  type Parameter,
  Scope,
  type SphereFaceDepth,
  sphereface,
  xavier,
} from '../../src/nn/index.js';
import { interpret } from '../support/interpreter.js';

function network(
  depth: SphereFaceDepth,
  options = {},
): { embedding: Tensor; parameters: readonly Parameter[] } {
  const scope = new Scope();
  const embedding = sphereface(scope, input('images', [1, 3, 32, 32]), { depth, embedding: 16, ...options });
  return { embedding, parameters: scope.parameters };
}

const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: Float32Array): number => {
  const centre = mean(values);
  return Math.sqrt(values.reduce((total, v) => total + (v - centre) ** 2, 0) / values.length);
};

describe('SphereFace as published', () => {
  test('stage convolutions have a bias, residual convolutions have none', () => {
    expect(network(10).parameters.map((p) => p.name)).toEqual([
      ...['conv1_1.weight', 'conv1_1.bias', 'relu1_1.slope'],
      ...['conv2_1.weight', 'conv2_1.bias', 'relu2_1.slope'],
      ...['conv2_2.weight', 'relu2_2.slope', 'conv2_3.weight', 'relu2_3.slope'],
      ...['conv3_1.weight', 'conv3_1.bias', 'relu3_1.slope'],
      ...['conv3_2.weight', 'relu3_2.slope', 'conv3_3.weight', 'relu3_3.slope'],
      ...['conv3_4.weight', 'relu3_4.slope', 'conv3_5.weight', 'relu3_5.slope'],
      ...['conv4_1.weight', 'conv4_1.bias', 'relu4_1.slope'],
      ...['fc5.weight', 'fc5.bias'],
    ]);
  });

  test('biases learn at twice the rate without decay, all else plainly', () => {
    for (const { name, rate, decay } of network(20).parameters) {
      expect([rate, decay], name).toEqual(name.endsWith('.bias') ? [2, 0] : [1, 1]);
    }
  });

  test('stage convolutions and FC1 start by Xavier, residual ones by Gaussian .01, slopes at .25, biases at 0', () => {
    const { parameters } = network(10);
    const start = initialParameters(parameters, 1);
    for (const { name, shape } of parameters) {
      const values = start.get(name)!;
      const largest = values.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
      if (name.endsWith('.slope')) expect(new Set(values)).toEqual(new Set([0.25]));
      else if (name.endsWith('.bias')) expect(new Set(values)).toEqual(new Set([0]));
      else if (/_1\.weight|fc5/.test(name)) {
        const bound = Math.sqrt(3 / shape.slice(1).reduce((a, b) => a * b));
        expect(largest, name).toBeLessThanOrEqual(bound * (1 + 1e-6));
        expect(largest, name).toBeGreaterThan(0.99 * bound);
        expect(deviation(values) / (bound / Math.sqrt(3)), name).toBeCloseTo(1, 1);
      } else {
        expect(deviation(values), name).toBeCloseTo(0.01, 3);
        expect(Math.abs(mean(values)), name).toBeLessThan(1e-4);
        expect(largest, name).toBeGreaterThan(0.035);
      }
    }
  });

  test.each([4, 10, 20, 36, 64] as const)(
    '%i layers: that many convolutions, each followed by PReLU',
    (depth) => {
      const { embedding } = network(depth);
      const order = topological([embedding]).map((t) => t.op);
      const count = (op: string) => order.filter((name) => name === op).length;
      expect(count('conv2d')).toBe(depth);
      expect(count('prelu')).toBe(depth);
    },
  );

  test('the residual sum stands after the second PReLU, and FC1 has no activation', () => {
    const { embedding } = network(20);
    const nodes = topological([embedding]);
    const sums = nodes.filter(
      (t) => t.op === 'add' && t.inputs.some((i) => i.op === 'prelu' && t.shape.length === 4),
    );
    expect(sums.length).toBe(1 + 2 + 4 + 1);
    expect(embedding.op).toBe('add');
    expect(embedding.inputs[0]!.op).toBe('matmul');
    expect(nodes.some((t) => t.op === 'maximum')).toBe(false);
  });

  test('reluAfterFc1 puts a ReLU behind FC1', () => {
    expect(network(4, { reluAfterFc1: true }).embedding.op).toBe(relu(input('x', [1])).op);
  });
});

describe('MobileFaceNet', () => {
  const declared = (norm: Normalization): readonly Parameter[] => {
    const scope = new Scope();
    const embedding = mobileFaceNet(scope, input('images', [2, 3, 32, 32]), { norm, embedding: 16 });
    expect(embedding.shape).toEqual([2, 16]);
    return scope.parameters;
  };
  const norm = ['weight', 'bias', 'running_mean', 'running_var'].map((part) => `norm.${part}`);

  test('declares its parameters in the order of its layers, to train and to evaluate', () => {
    const blocks = [5, 1, 6, 1, 2].flatMap((n, row) =>
      Array.from({ length: n }, (_, k) => `block${row + 1}_${k + 1}`),
    );
    const layers = [
      ...['conv1', 'depthwise1'],
      ...blocks.flatMap((block) => ['expand', 'depthwise', 'project'].map((part) => `${block}.${part}`)),
      ...['conv2', 'global', 'embedding'],
    ];
    const linear = /project|global|embedding/;
    const names = layers.flatMap((layer) =>
      ['weight', ...norm, ...(linear.test(layer) ? [] : ['prelu.slope'])].map((part) => `${layer}.${part}`),
    );
    expect(declared('batch').map((p) => p.name)).toEqual(names);
    expect(declared('running').map((p) => p.name)).toEqual(names);
    expect(declared('folded').map((p) => p.name)).toEqual(
      layers.flatMap((layer) =>
        ['weight', 'bias', ...(linear.test(layer) ? [] : ['prelu.slope'])].map((part) => `${layer}.${part}`),
      ),
    );
  });

  test('neither slopes nor gamma and beta decay, and the last convolution decays ten times as much', () => {
    for (const { name, decay, rate, next } of declared('batch')) {
      const expected = name === 'embedding.weight' ? 10 : /norm|slope/.test(name) ? 0 : 1;
      expect(decay, name).toBe(expected);
      expect([rate, next !== undefined], name).toEqual(name.includes('running') ? [0, true] : [1, false]);
    }
  });

  test('a residual sum stands where a bottleneck keeps size and channels', () => {
    const x = input('images', [1, 3, 112, 112]);
    const nodes = topological([mobileFaceNet(new Scope(), x, { norm: 'folded' })]);
    const bias = (t: Tensor) => t.op === 'reshape';
    const sums = nodes.filter((t) => t.op === 'add' && !t.inputs.some(bias)).map((t) => t.shape);
    expect(sums).toEqual([
      ...new Array(4).fill([1, 64, 28, 28]),
      ...new Array(6).fill([1, 128, 14, 14]),
      ...new Array(2).fill([1, 128, 7, 7]),
    ]);
    expect(nodes.filter((t) => t.op === 'prelu').length).toBe(2 + 2 * 15 + 1);
  });
});

describe('the digit network', () => {
  test('ends in features without activation', () => {
    const scope = new Scope();
    const features = digitNet(scope, input('images', [5, 1, 28, 28]));
    expect(features.shape).toEqual([5, 2]);
    expect(features.inputs[0]!.op).toBe('matmul');
    expect(digitNet(new Scope(), input('images', [5, 1, 28, 28]), { features: 3 }).shape).toEqual([5, 3]);
  });
});

describe('layers', () => {
  test('a fully connected layer is x W^T + b over everything but the batch', () => {
    const scope = new Scope();
    const y = fullyConnected(scope, 'fc', input('x', [2, 1, 3]), { length: 2 });
    const given = { x: [1, 2, 3, 4, 5, 6], 'fc.weight': [1, 0, 0, 0, 1, -1], 'fc.bias': [10, 20] };
    expect([...interpret([y], given)[0]!]).toEqual([11, 19, 14, 19]);
  });
});

describe('scopes', () => {
  test('children share one list and put their name in front', () => {
    const scope = new Scope();
    scope.parameter('a', [1], constantInitializer(0));
    scope.child('b').child('c').parameter('d', [2], constantInitializer(3), { rate: 0 });
    expect(scope.parameters.map((p) => [p.name, p.rate, p.decay])).toEqual([
      ['a', 1, 1],
      ['b.c.d', 0, 1],
    ]);
  });

  test('a name is used once', () => {
    const scope = new Scope();
    scope.child('x').parameter('w', [1], xavier);
    expect(() => scope.parameter('x.w', [1], xavier)).toThrow(/'x.w' is declared twice/);
  });
});

describe('start values', () => {
  const declare = (...names: string[]): Scope => {
    const scope = new Scope();
    for (const name of names) scope.parameter(name, [4, 3], gaussian(1));
    return scope;
  };

  test('depend on the seed and the name, not on what else is there', () => {
    const alone = initialParameters(declare('b').parameters, 1);
    const together = initialParameters(declare('a', 'b').parameters, 1);
    expect(together.get('b')).toEqual(alone.get('b'));
    expect(together.get('a')).not.toEqual(together.get('b'));
    expect(initialParameters(declare('b').parameters, 2).get('b')).not.toEqual(alone.get('b'));
  });

  test('Xavier is uniform between -sqrt(3/fanIn) and sqrt(3/fanIn)', () => {
    const values = xavier([100, 3, 5, 5], random(1));
    const bound = Math.sqrt(3 / 75);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-bound - 1e-6);
    const quarters = [0, 0, 0, 0];
    for (const v of values) quarters[Math.min(3, Math.floor((2 * (v + bound)) / bound))]!++;
    for (const count of quarters) expect(count / values.length).toBeCloseTo(0.25, 1);
  });
});
