// A second meaning for graphs, to test the first by: every operation in double precision with plain loops
// over indices. It shares no code with the lowering, and knows nothing of gradients.
import { isExchange, nameOf, type Tensor, topological } from '../../src/graph/index.js';

/** Row-major values of a tensor; booleans are 0 and 1. */
export type Values = Float64Array;

type Index = readonly number[];
type Rule = (node: Tensor, inputs: readonly Values[]) => Values;

const sizeOf = (shape: Index): number => shape.reduce((a, b) => a * b, 1);

/** All indices of a shape, in row-major order. */
function* indices(shape: Index): Generator<number[]> {
  for (let flat = 0; flat < sizeOf(shape); flat++) {
    const index: number[] = [];
    let rest = flat;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    yield index;
  }
}

const flatOf = (shape: Index, index: Index): number => shape.reduce((flat, n, i) => flat * n + index[i]!, 0);

/** Value of a tensor of `shape` at an index of a shape it broadcasts to. */
function broadcastAt(values: Values, shape: Index, index: Index): number {
  const lead = index.length - shape.length;
  return values[
    flatOf(
      shape,
      shape.map((n, i) => (n === 1 ? 0 : index[lead + i]!)),
    )
  ]!;
}

/** The result from its value at every index. */
const build = (node: Tensor, at: (index: number[]) => number): Values =>
  Float64Array.from(indices(node.shape), at);

const elementwise =
  (f: (...operands: number[]) => number): Rule =>
  (node, inputs) =>
    build(node, (index) =>
      f(...inputs.map((values, i) => broadcastAt(values, node.inputs[i]!.shape, index))),
    );

const compare = (f: (a: number, b: number) => boolean): Rule => elementwise((a, b) => (f(a!, b!) ? 1 : 0));

/** Folds x over the axes that are left out of the result. */
const reduce =
  (start: number, fold: (a: number, b: number) => number): Rule =>
  (node, [x]) => {
    const axes = node.attributes.axes as Index;
    const shape = node.inputs[0]!.shape;
    const kept = shape.map((n, i) => (axes.includes(i) ? 1 : n));
    const result = new Float64Array(sizeOf(kept)).fill(start);
    let flat = 0;
    for (const index of indices(shape)) {
      const at = flatOf(
        kept,
        index.map((n, i) => (axes.includes(i) ? 0 : n)),
      );
      result[at] = fold(result[at]!, x![flat++]!);
    }
    return result;
  };

/** Visits every product of a convolution: positions in the image, the kernel and the output. */
function convolve(
  image: Index,
  kernel: Index,
  output: Index,
  { stride, padding }: { stride: number; padding: number },
  visit: (image: number, kernel: number, output: number) => void,
): void {
  const [, channels, height, width] = image as [number, number, number, number];
  const [, , kh, kw] = kernel as [number, number, number, number];
  let o = 0;
  for (const [n, k, i, j] of indices(output) as Iterable<[number, number, number, number]>) {
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < kh; p++) {
        for (let q = 0; q < kw; q++) {
          const row = i * stride + p - padding;
          const column = j * stride + q - padding;
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          const at = ((n * channels + c) * height + row) * width + column;
          visit(at, ((k * channels + c) * kh + p) * kw + q, o);
        }
      }
    }
    o++;
  }
}

/** The same where every channel has a kernel [C, 1, kh, kw] of its own. */
function convolveDepthwise(
  image: Index,
  kernel: Index,
  output: Index,
  { stride, padding }: { stride: number; padding: number },
  visit: (image: number, kernel: number, output: number) => void,
): void {
  const [, channels, height, width] = image as [number, number, number, number];
  const [, , kh, kw] = kernel as [number, number, number, number];
  let o = 0;
  for (const [n, c, i, j] of indices(output) as Iterable<[number, number, number, number]>) {
    for (let p = 0; p < kh; p++) {
      for (let q = 0; q < kw; q++) {
        const row = i * stride + p - padding;
        const column = j * stride + q - padding;
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        visit(((n * channels + c) * height + row) * width + column, (c * kh + p) * kw + q, o);
      }
    }
    o++;
  }
}

const geometry = (node: Tensor) => node.attributes as unknown as { stride: number; padding: number };

/** A row along the last axis at a time. */
const alongRows =
  (f: (row: number[]) => number[]): Rule =>
  (node, [x]) => {
    const length = node.shape[node.shape.length - 1]!;
    const result: number[] = [];
    for (let start = 0; start < x!.length; start += length)
      result.push(...f([...x!.slice(start, start + length)]));
    return Float64Array.from(result);
  };

const logSumExp = (row: number[]): number => {
  const largest = Math.max(...row);
  return largest + Math.log(row.reduce((total, v) => total + Math.exp(v - largest), 0));
};

/** How each operation computes. `input` and `parameter` are given their values. */
const rules: Record<string, Rule> = {
  constant: (node) => Float64Array.from(node.attributes.data as Float32Array),
  add: elementwise((a, b) => a! + b!),
  sub: elementwise((a, b) => a! - b!),
  mul: elementwise((a, b) => a! * b!),
  div: elementwise((a, b) => a! / b!),
  maximum: elementwise((a, b) => Math.max(a!, b!)),
  minimum: elementwise((a, b) => Math.min(a!, b!)),
  neg: elementwise((x) => -x!),
  exp: elementwise((x) => Math.exp(x!)),
  log: elementwise((x) => Math.log(x!)),
  sqrt: elementwise((x) => Math.sqrt(x!)),
  cos: elementwise((x) => Math.cos(x!)),
  sin: elementwise((x) => Math.sin(x!)),
  acos: elementwise((x) => Math.acos(x!)),
  abs: elementwise((x) => Math.abs(x!)),
  sign: elementwise((x) => Math.sign(x!)),
  less: compare((a, b) => a < b),
  lessEqual: compare((a, b) => a <= b),
  greater: compare((a, b) => a > b),
  greaterEqual: compare((a, b) => a >= b),
  equal: compare((a, b) => a === b),
  where: elementwise((condition, a, b) => (condition !== 0 ? a! : b!)),
  cast: (node, [x]) => {
    const to = node.attributes.to;
    return x!.map((v) => (to === 'bool' ? Number(v !== 0) : to === 'int32' ? Math.trunc(v) : v));
  },
  stopGradient: (_, [x]) => x!,
  below: (_, [x]) => x!,
  // Of one rank alone; `interpretRanks` knows several.
  allReduce: (_, [x]) => x!,
  allGather: (_, [x]) => x!,
  eachRank: (_, [x]) => x!,
  sum: reduce(0, (a, b) => a + b),
  max: reduce(Number.NEGATIVE_INFINITY, Math.max),
  argMax: (node, [x]) => {
    const axis = node.attributes.axis as number;
    const shape = node.inputs[0]!.shape;
    return build(node, (index) => {
      let best = 0;
      const at = (i: number) => x![flatOf(shape, [...index.slice(0, axis), i, ...index.slice(axis)])]!;
      for (let i = 1; i < shape[axis]!; i++) if (at(i) > at(best)) best = i;
      return best;
    });
  },
  reshape: (_, [x]) => x!,
  broadcastTo: (node, [x]) => build(node, (index) => broadcastAt(x!, node.inputs[0]!.shape, index)),
  transpose: (node, [x]) => {
    const perm = node.attributes.perm as Index;
    return build(node, (index) => {
      const source: number[] = [];
      perm.forEach((axis, i) => {
        source[axis] = index[i]!;
      });
      return x![flatOf(node.inputs[0]!.shape, source)]!;
    });
  },
  concat: (node, inputs) => {
    const axis = node.attributes.axis as number;
    return build(node, (index) => {
      let which = 0;
      let offset = index[axis]!;
      while (offset >= node.inputs[which]!.shape[axis]!) offset -= node.inputs[which++]!.shape[axis]!;
      const source = index.map((n, i) => (i === axis ? offset : n));
      return inputs[which]![flatOf(node.inputs[which]!.shape, source)]!;
    });
  },
  slice: (node, [x]) => {
    const starts = node.attributes.starts as Index;
    return build(
      node,
      (index) =>
        x![
          flatOf(
            node.inputs[0]!.shape,
            index.map((n, i) => n + starts[i]!),
          )
        ]!,
    );
  },
  pad: (node, [x]) => {
    const before = node.attributes.before as Index;
    const shape = node.inputs[0]!.shape;
    return build(node, (index) => {
      const source = index.map((n, i) => n - before[i]!);
      return source.every((n, i) => n >= 0 && n < shape[i]!) ? x![flatOf(shape, source)]! : 0;
    });
  },
  gather: (node, [x, picks]) => {
    const axis = node.attributes.axis as number;
    const [from, by] = node.inputs as readonly [Tensor, Tensor];
    return build(node, (index) => {
      const pick = picks![flatOf(by.shape, index.slice(axis, axis + by.shape.length))]!;
      const source = [...index.slice(0, axis), pick, ...index.slice(axis + by.shape.length)];
      return x![flatOf(from.shape, source)]!;
    });
  },
  matmul: (node, [a, b]) => {
    const [left, right] = node.inputs as readonly [Tensor, Tensor];
    const length = left.shape[left.shape.length - 1]!;
    return build(node, (index) => {
      const lead = index.slice(0, -2);
      const [i, j] = index.slice(-2) as [number, number];
      let total = 0;
      for (let k = 0; k < length; k++) {
        total += a![flatOf(left.shape, [...lead, i, k])]! * b![flatOf(right.shape, [...lead, k, j])]!;
      }
      return total;
    });
  },
  softmax: alongRows((row) => {
    const all = logSumExp(row);
    return row.map((v) => Math.exp(v - all));
  }),
  logSoftmax: alongRows((row) => {
    const all = logSumExp(row);
    return row.map((v) => v - all);
  }),
  conv2d: (node, [x, w]) => {
    const result = new Float64Array(sizeOf(node.shape));
    const [image, kernel] = node.inputs as readonly [Tensor, Tensor];
    convolve(image.shape, kernel.shape, node.shape, geometry(node), (i, k, o) => {
      result[o]! += x![i]! * w![k]!;
    });
    return result;
  },
  conv2dInputGradient: (node, [g, w]) => {
    const result = new Float64Array(sizeOf(node.shape));
    const [output, kernel] = node.inputs as readonly [Tensor, Tensor];
    convolve(node.shape, kernel.shape, output.shape, geometry(node), (i, k, o) => {
      result[i]! += g![o]! * w![k]!;
    });
    return result;
  },
  conv2dKernelGradient: (node, [x, g]) => {
    const result = new Float64Array(sizeOf(node.shape));
    const [image, output] = node.inputs as readonly [Tensor, Tensor];
    convolve(image.shape, node.shape, output.shape, geometry(node), (i, k, o) => {
      result[k]! += x![i]! * g![o]!;
    });
    return result;
  },
  depthwiseConv2d: (node, [x, w]) => {
    const result = new Float64Array(sizeOf(node.shape));
    const [image, kernel] = node.inputs as readonly [Tensor, Tensor];
    convolveDepthwise(image.shape, kernel.shape, node.shape, geometry(node), (i, k, o) => {
      result[o]! += x![i]! * w![k]!;
    });
    return result;
  },
  depthwiseConv2dInputGradient: (node, [g, w]) => {
    const result = new Float64Array(sizeOf(node.shape));
    const [output, kernel] = node.inputs as readonly [Tensor, Tensor];
    convolveDepthwise(node.shape, kernel.shape, output.shape, geometry(node), (i, k, o) => {
      result[i]! += g![o]! * w![k]!;
    });
    return result;
  },
  depthwiseConv2dKernelGradient: (node, [x, g]) => {
    const result = new Float64Array(sizeOf(node.shape));
    const [image, output] = node.inputs as readonly [Tensor, Tensor];
    convolveDepthwise(image.shape, node.shape, output.shape, geometry(node), (i, k, o) => {
      result[k]! += x![i]! * g![o]!;
    });
    return result;
  },
  maxPool2d: (node, [x]) => {
    const { kernel, stride } = node.attributes as unknown as { kernel: number; stride: number };
    const shape = node.inputs[0]!.shape;
    return build(node, ([n, c, i, j]) => {
      let largest = Number.NEGATIVE_INFINITY;
      for (let row = i! * stride; row < Math.min(i! * stride + kernel, shape[2]!); row++) {
        for (let column = j! * stride; column < Math.min(j! * stride + kernel, shape[3]!); column++) {
          largest = Math.max(largest, x![flatOf(shape, [n!, c!, row, column])]!);
        }
      }
      return largest;
    });
  },
  prelu: (node, [x, slope]) => {
    let i = 0;
    return build(node, (index) => (x![i]! < 0 ? slope![index[1]!]! : 1) * x![i++]!);
  },
  preluInputGradient: (node, [g, x, slope]) => {
    let i = 0;
    return build(node, (index) => (x![i]! < 0 ? slope![index[1]!]! : 1) * g![i++]!);
  },
  preluSlopeGradient: (node, [g, x]) => {
    const result = new Float64Array(sizeOf(node.shape));
    let i = 0;
    for (const index of indices(node.inputs[0]!.shape)) result[index[1]!]! += g![i]! * Math.min(x![i++]!, 0);
    return result;
  },
};

/** Names of the operations that can be interpreted. */
export const interpreted = ['input', 'parameter', ...Object.keys(rules)].sort();

/** Values of `outputs`, given the values of inputs and parameters by name. */
export function interpret(
  outputs: readonly Tensor[],
  given: Readonly<Record<string, ArrayLike<number>>>,
): Values[] {
  return interpretRanks([outputs], [given])[0]!;
}

/** What the ranks of a run exchange: the values that each has before, to those that each has after. */
function exchanged(node: Tensor, values: readonly Values[]): Values {
  if (node.op === 'allGather') return Float64Array.from(values.flatMap((own) => [...own]));
  const fold = node.attributes.reduction === 'sum' ? (a: number, b: number) => a + b : Math.max;
  return values[0]!.map((_, i) => values.map((own) => own[i]!).reduce((a, b) => fold(a, b)));
}

/** The same for the graphs of several ranks, which are built alike: node by node, exchanging where they do. */
export function interpretRanks(
  outputs: readonly (readonly Tensor[])[],
  given: readonly Readonly<Record<string, ArrayLike<number>>>[],
): Values[][] {
  const orders = outputs.map((own) => topological(own));
  const values = orders.map(() => new Map<Tensor, Values>());
  orders[0]!.forEach((first, at) => {
    const nodes = orders.map((order) => order[at]!);
    if (nodes.some((node) => node.op !== first.op)) throw new Error('the ranks build unlike graphs');
    const inputs = nodes.map((node, r) => node.inputs.map((t) => values[r]!.get(t)!));
    nodes.forEach((node, r) => {
      const result =
        isExchange(node) && nodes.length > 1
          ? exchanged(
              node,
              inputs.map(([own]) => own!),
            )
          : valueAt(node, inputs[r]!, given[r]!);
      if (result.length !== sizeOf(node.shape)) throw new Error(`${node.op}: the shape rule is wrong`);
      values[r]!.set(node, result);
    });
  });
  return outputs.map((own, r) => own.map((t) => values[r]!.get(t)!));
}

function valueAt(
  node: Tensor,
  inputs: readonly Values[],
  given: Readonly<Record<string, ArrayLike<number>>>,
): Values {
  if (node.op === 'input' || node.op === 'parameter') {
    const value = given[nameOf(node)];
    if (value?.length !== sizeOf(node.shape)) {
      throw new Error(`'${nameOf(node)}' needs ${sizeOf(node.shape)} values, not ${value?.length}`);
    }
    return Float64Array.from(value);
  }
  const rule = rules[node.op];
  if (!rule) throw new Error(`the interpreter has no rule for '${node.op}'`);
  return rule(node, inputs);
}
