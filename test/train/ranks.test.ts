// Every loss on several ranks against the same loss on one, in double precision: value, gradients of the network's
// weights and of what the loss learns, and what it keeps.
import { describe, expect, test } from 'vitest';
import { gradients, input, matmul, nameOf, reshape, square, type Tensor } from '../../src/graph/index.js';
import { type LossOptions, type LossTerms, losses, lossNamed } from '../../src/losses/index.js';
import { convolution, initialParameters, type Parameter, Scope, xavier } from '../../src/nn/index.js';
import {
  meanOverRanks,
  ofWholeBatch,
  onOwnRows,
  type Parallel,
  SHARD_NAMES,
  shardInputs,
} from '../../src/train/parallel.js';
import { interpretRanks, type Values } from '../support/interpreter.js';

const BATCH = 8;
const PIXELS = 5;
const LENGTH = 4;
// Two for every rank: what has one column is broadcast by another graph, which the interpreter cannot follow.
const CLASSES = 9;
const LABELS = Int32Array.of(0, 3, 3, 8, 1, 0, 8, 5);
const IMAGES = Float64Array.from({ length: BATCH * PIXELS }, (_, i) => Math.sin(1 + 1.7 * i));

interface Built {
  outputs: Record<string, Tensor>;
  parameters: readonly Parameter[];
  schedule: LossTerms['schedule'];
}

/** A network of one product with its loss, as `trainingStep` puts them together. */
function build(name: string, parallel: Parallel, options: LossOptions = {}): Built {
  const scope = new Scope();
  const loss = lossNamed(name);
  const images = input('images', [BATCH / parallel.ranks, PIXELS]);
  const own = onOwnRows(scope, parallel);
  const weight = own.parameter('network', [PIXELS, LENGTH], xavier);
  const features = matmul(images, weight);
  const whole = loss.needs.wholeBatch === true || parallel.shard !== undefined;
  const labels = input('labels', [whole ? BATCH : BATCH / parallel.ranks], 'int32');
  const shard = shardInputs(BATCH, parallel);
  const terms = whole
    ? loss.build(
        { scope, embedding: ofWholeBatch(features, parallel), labels, classes: CLASSES, shard },
        options,
      )
    : loss.build({ scope: own, embedding: features, labels, classes: CLASSES }, options);
  const value = whole ? terms.loss : meanOverRanks(terms.loss, parallel);
  const tensors = scope.parameters.map(({ tensor }) => tensor);
  const slopes = gradients(value, tensors);
  const outputs: Record<string, Tensor> = { loss: value };
  scope.parameters.forEach((parameter, i) => {
    outputs[parameter.name] = parameter.next ?? slopes[i]!;
  });
  return { outputs, parameters: scope.parameters, schedule: terms.schedule };
}

/** The classes of a rank: as even as they go. */
const bounds = (rank: number, ranks: number): [number, number] => [
  Math.floor((rank * CLASSES) / ranks),
  Math.floor(((rank + 1) * CLASSES) / ranks),
];

function run(name: string, ranks: number, shared: boolean, options?: LossOptions): Record<string, Values> {
  const initial = initialParameters(build(name, { rank: 0, ranks: 1 }, options).parameters, 3);
  // As after some steps, so that a waiting lambda is more than that of the schedule.
  initial.get('annealing.cosine')?.fill(0.2);
  initial.get('annealing.target')?.fill(-2);
  const all = Array.from({ length: ranks }, (_, rank) => {
    const [from, to] = bounds(rank, ranks);
    const shard = shared ? { classes: to - from, total: CLASSES } : undefined;
    const built = build(name, { rank, ranks, ...(shard && { shard }) }, options);
    const rows = BATCH / ranks;
    const whole = lossNamed(name).needs.wholeBatch === true || shared;
    const given: Record<string, ArrayLike<number>> = {
      images: IMAGES.subarray(rank * rows * PIXELS, (rank + 1) * rows * PIXELS),
      labels: whole ? LABELS : LABELS.subarray(rank * rows, (rank + 1) * rows),
      [SHARD_NAMES.places]: LABELS.map((label) => (label >= from && label < to ? label - from : 0)),
      [SHARD_NAMES.here]: Float64Array.from(LABELS, (label) => (label >= from && label < to ? 1 : 0)),
    };
    for (const { input: scheduled } of built.schedule) given[nameOf(scheduled)] = [0.7];
    for (const { name: key, perClass, shape } of built.parameters) {
      const start = initial.get(key)!;
      const length = shape.slice(1).reduce((a, b) => a * b, 1);
      given[key] = shared && perClass ? start.subarray(from * length, to * length) : start;
    }
    return { ...built, given };
  });
  const values = interpretRanks(
    all.map(({ outputs }) => Object.values(outputs)),
    all.map(({ given }) => given),
  );
  const names = Object.keys(all[0]!.outputs);
  return Object.fromEntries(
    names.map((key, i) => {
      const ofRanks = values.map((own) => own[i]!);
      const perClass = all[0]!.parameters.find((parameter) => parameter.name === key)?.perClass;
      if (shared && perClass) return [key, Float64Array.from(ofRanks.flatMap((own) => [...own]))];
      // What is shared is the same everywhere, bit for bit.
      for (const own of ofRanks) expect(own).toEqual(ofRanks[0]);
      return [key, ofRanks[0]!];
    }),
  );
}

function expectEqual(actual: Record<string, Values>, expected: Record<string, Values>) {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    const size = Math.max(1e-3, ...values.map(Math.abs));
    expect(actual[name]!.length, name).toBe(values.length);
    values.forEach((value, i) => {
      expect(Math.abs(actual[name]![i]! - value) / size, `${name}[${i}]`).toBeLessThan(1e-11);
    });
  }
}

const WAITING = { annealing: { wait: true } };

const alone = Object.keys(losses).filter((name) => name !== 'mhe');
const joint = ['softmax+center', 'a-softmax+mhe', 'softmax+triplet', 'cosface+center+center-invariant'];

describe('data parallel: a batch over several ranks', () => {
  describe.each([...alone, ...joint])('%s', (name) => {
    test.each([2, 4])('on %i ranks', (ranks) => {
      expectEqual(run(name, ranks, false), run(name, 1, false));
    });
  });

  test.each([2, 4])('a lambda that waits is the same on %i ranks', (ranks) => {
    expectEqual(run('a-softmax', ranks, false, WAITING), run('a-softmax', 1, false, WAITING));
  });
});

describe('class parallel: the class vectors over several ranks', () => {
  const heads = alone.filter((name) => lossNamed(name).kind === 'classification');
  describe.each([...heads, 'a-softmax+mhe', 'softmax+center', 'cosface+triplet'])('%s', (name) => {
    test.each([1, 2, 4])('on %i ranks', (ranks) => {
      expectEqual(run(name, ranks, true), run(name, 1, false));
    });
  });

  test.each([
    ['a-softmax', { gradient: 'caffe' }],
    ['a-softmax', { margin: 2 }],
    ['a-softmax', WAITING],
  ])('%s with %j', (name, options) => {
    const known = Object.keys(options).every((key) => key in lossNamed(name).options);
    expect(known).toBe(true);
    expectEqual(run(name, 2, true, options), run(name, 1, false, options));
  });
});

describe('batch normalisation by the whole batch', () => {
  // Of counts that are powers of two a mean has no rounded factor, which graphs hold in single precision.
  const [channels, height, width] = [2, 2, 2] as const;
  const pixels = channels * height * width;
  const faces = Float64Array.from({ length: BATCH * pixels }, (_, i) => Math.sin(1 + 2.3 * i) + (i % 7) / 3);
  const all = (parallel: Parallel) => {
    const scope = new Scope();
    const rows = BATCH / parallel.ranks;
    const images = input('images', [rows, channels, height, width]);
    const labels = input('labels', [rows], 'int32');
    const own = onOwnRows(scope, parallel);
    let x = images;
    for (const name of ['one', 'two'])
      x = square(convolution(own, name, x, { channels: 2, kernel: 1, padding: 0, norm: 'batch' }));
    const embedding = reshape(x, [rows, pixels]);
    const terms = lossNamed('softmax').build({ scope: own, embedding, labels, classes: CLASSES }, {});
    const loss = meanOverRanks(terms.loss, parallel);
    const slopes = gradients(
      loss,
      scope.parameters.map(({ tensor }) => tensor),
    );
    const values = scope.parameters.map(({ next }, i) => next ?? slopes[i]!);
    return { parameters: scope.parameters, outputs: [loss, ...values] };
  };
  const valuesOn = (ranks: number, syncBatchNorm = true): Values[][] => {
    const built = Array.from({ length: ranks }, (_, rank) => all({ rank, ranks, syncBatchNorm }));
    const initial = Object.fromEntries(initialParameters(built[0]!.parameters, 3));
    const rows = BATCH / ranks;
    return interpretRanks(
      built.map(({ outputs }) => outputs),
      built.map((_, rank) => ({
        ...initial,
        images: faces.subarray(rank * rows * pixels, (rank + 1) * rows * pixels),
        labels: LABELS.subarray(rank * rows, (rank + 1) * rows),
      })),
    );
  };
  const furthest = (values: Values[], others: Values[]) =>
    Math.max(
      ...values.flatMap((own, i) => {
        const size = Math.max(1e-3, ...others[i]!.map(Math.abs));
        return [...own].map((value, k) => Math.abs(value - others[i]![k]!) / size);
      }),
    );
  const [alone] = valuesOn(1);

  test.each([2, 4, 8])('on %i ranks: loss, gradients and running statistics', (ranks) => {
    // On eight, each rank has one image.
    for (const own of valuesOn(ranks)) expect(furthest(own, alone!)).toBeLessThan(1e-11);
  });

  test("is not normalisation by each rank's rows", () => {
    expect(furthest(valuesOn(2, false)[0]!, alone!)).toBeGreaterThan(0.01);
  });
});

test('a gradient that is not summed over the ranks is seen', () => {
  const wrong = run('softmax', 2, false);
  wrong.network = wrong.network!.map((value) => value / 2);
  expect(() => expectEqual(wrong, run('softmax', 1, false))).toThrow();
});
