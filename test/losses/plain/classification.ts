// The losses that are a softmax cross-entropy over changed logits: each is what its logit is, for any class,
// for the true one, and for the others.
import { others, targets } from './margins.js';
import {
  byClass,
  dot,
  type Evaluation,
  lengthOf,
  mean,
  meanOf,
  type Options,
  type Point,
  type Reference,
  unit,
} from './point.js';

/** One sample before one class vector. */
interface Cell {
  /** x . W */
  product: number;
  theta: number;
  cosine: number;
  xLength: number;
  wLength: number;
  bias: number;
  /** The learned one. */
  scale: number;
  lambda: number;
}

type Logit = (cell: Cell, options: Options, fixed: Cell) => number;

interface Head {
  /** Without margin. */
  logit: Logit;
  /** Of the true class, in training; as any other where it is left out. */
  truth?: Logit;
  /** Of the others, in training. */
  other?: Logit;
}

const scaled: Logit = ({ cosine }, { scale }) => Number(scale) * cosine;
const product: Logit = ({ product, bias }) => product + bias;
const onLength: Logit = ({ cosine, xLength }) => xLength * cosine;
/** (lambda cos + psi) / (1 + lambda) */
const annealed = (name: string, { theta, cosine, lambda }: Cell, options: Options): number =>
  (lambda * cosine + targets[name]!(theta, options)) / (1 + lambda);

const additive = (name: string): Head => ({
  logit: scaled,
  truth: ({ theta }, options) => Number(options.scale) * targets[name]!(theta, options),
});

const aSoftmax: Head = {
  logit: onLength,
  truth: (cell, options) => cell.xLength * annealed('a-softmax', cell, options),
};

/** |x| or the scale, times cos + (changed - cos), whose second part is a constant when it is detached. */
const revived =
  (changed: Record<string, (theta: number, options: Options) => number>, name: string): Logit =>
  (cell, options, fixed) => {
    const size = options.features === 'none' ? cell.xLength : Number(options.scale);
    const at = options.gradient === 'detached' ? fixed : cell;
    return size * (cell.cosine + changed[name]!(at.theta, options) - at.cosine);
  };
const revivedPlain: Logit = (cell, options) =>
  options.features === 'none' ? onLength(cell, options, cell) : scaled(cell, options, cell);

const heads: Readonly<Record<string, Head>> = {
  softmax: { logit: product },
  'modified-softmax': { logit: onLength },
  'a-softmax': aSoftmax,
  'l-softmax': {
    logit: product,
    truth: (cell, options) => cell.wLength * cell.xLength * annealed('l-softmax', cell, options),
  },
  'l2-softmax': {
    logit: ({ product, xLength, bias, scale }, { alpha, learned }) =>
      ((learned ? scale : alpha) * product) / xLength + bias,
  },
  normface: { logit: ({ cosine, scale }) => scale * cosine },
  'am-softmax': additive('am-softmax'),
  cosface: additive('cosface'),
  arcface: additive('arcface'),
  combined: additive('combined'),
  'sphereface-r-v1': { logit: revivedPlain, truth: revived(targets, 'sphereface-r-v1') },
  'sphereface-r-v2': {
    logit: revivedPlain,
    truth: revived(targets, 'sphereface-r-v2'),
    other: revived(others, 'sphereface-r-v2'),
  },
};

/** Mean of -log softmax(z)_y. */
export function crossEntropy(logits: number[][], labels: number[]): number {
  return mean(
    logits.map((row, i) => {
      const largest = Math.max(...row);
      return largest + Math.log(row.reduce((sum, z) => sum + Math.exp(z - largest), 0)) - row[labels[i]!]!;
    }),
  );
}

function cellsOf({ x, state, lambda = 0 }: Point, weights: number[][], { bias }: Options): Cell[][] {
  const classes = weights.map((w) => ({ w, wUnit: unit(w), wLength: lengthOf(w) }));
  return x.map((row) => {
    const [xUnit, xLength] = [unit(row), lengthOf(row)];
    return classes.map(({ w, wUnit, wLength }, j) => {
      const cosine = dot(xUnit, wUnit);
      return {
        product: dot(row, w),
        theta: Math.acos(Math.min(1, Math.max(-1, cosine))),
        cosine,
        xLength,
        wLength,
        bias: bias ? state['fc6.bias']![0]![j]! : 0,
        scale: state.scale?.[0]?.[0] ?? Number.NaN,
        lambda,
      };
    });
  });
}

const weightsOf = (point: Point): number[][] => point.state['fc6.weight']!;

const classification =
  ({ logit, truth = logit, other = logit }: Head): Reference =>
  (point, options, fixed) => {
    const cells = cellsOf(point, weightsOf(point), options);
    const held = options.gradient === 'detached' && point !== fixed;
    const fixedCells = held ? cellsOf(fixed, weightsOf(fixed), options) : cells;
    const trained = cells.map((row, i) =>
      row.map((cell, j) => (j === point.labels[i] ? truth : other)(cell, options, fixedCells[i]![j]!)),
    );
    return {
      value: crossEntropy(trained, point.labels),
      logits: cells.map((row) => row.map((cell) => logit(cell, options, cell))),
      metrics: {
        cosine: mean(cells.map((row, i) => row[point.labels[i]!]!.cosine)),
        embeddingLength: mean(point.x.map(lengthOf)),
      },
    };
  };

/** The logits in training, with margin: what the 'caffe' gradient of A-Softmax starts from. */
export function trainedLogits(name: string, point: Point, options: Options): number[][] {
  const { logit, truth = logit, other = logit } = heads[name]!;
  return cellsOf(point, weightsOf(point), options).map((row, i) =>
    row.map((cell, j) => (j === point.labels[i] ? truth : other)(cell, options, cell)),
  );
}

/** (K-1)/K log((K-1)/(e^eps - 1)): the scale at which the simplex has a loss of eps = .01. */
const cocoScale = (classes: number): number =>
  ((classes - 1) / classes) * Math.log((classes - 1) / Math.expm1(0.01));

/** Class vectors are the batch's mean directions, or those last seen of absent classes. */
function coco(point: Point, { scale }: Options): Evaluation {
  const seen = byClass(point.x.map(unit), point.labels);
  const centroids = point.state.centroids!.map((last, j) => (seen.has(j) ? meanOf(seen.get(j)!) : last));
  const s = scale === 'auto' ? cocoScale(point.classes) : scale;
  const logits = point.x.map((row) => centroids.map((k) => s * dot(unit(row), unit(k))));
  return { value: crossEntropy(logits, point.labels), logits, next: { centroids } };
}

export const classificationLosses: Readonly<Record<string, Reference>> = {
  ...Object.fromEntries(Object.entries(heads).map(([name, head]) => [name, classification(head)])),
  coco,
};
