// Operations that move or repeat values without changing them.
import { defineOp, type Shape, sameShape, shapeError, showShape, sizeOf, type Tensor } from '../tensor.js';
import { broadcastShape, cast, equal, sumTo } from './elementwise.js';
import { constant } from './leaves.js';
import { matmul } from './matmul.js';
import { normalizeAxes } from './reduce.js';

const reshapeNode = defineOp({
  name: 'reshape',
  result: (inputs, { shape }) => {
    if (sizeOf(inputs[0]!.shape) !== sizeOf(shape as Shape)) {
      shapeError('reshape', `${showShape(shape as Shape)} has another number of elements`, inputs);
    }
    return { shape: shape as Shape, dtype: inputs[0]!.dtype };
  },
  gradient: (node, g) => [reshape(g, node.inputs[0]!.shape)],
});
/** The same elements in row-major order under another shape. */
export const reshape = (x: Tensor, shape: Shape): Tensor =>
  sameShape(x.shape, shape) ? x : reshapeNode([x], { shape: [...shape] });

const transposeNode = defineOp({
  name: 'transpose',
  result: (inputs, { perm }) => {
    const axes = perm as readonly number[];
    const x = inputs[0]!;
    if (axes.length !== x.shape.length || x.shape.some((_, i) => !axes.includes(i))) {
      shapeError('transpose', `[${axes}] is not an order of the axes`, inputs);
    }
    return { shape: axes.map((axis) => x.shape[axis]!), dtype: x.dtype };
  },
  gradient: (node, g) => {
    const perm = node.attributes.perm as readonly number[];
    return [
      transpose(
        g,
        perm.map((_, i) => perm.indexOf(i)),
      ),
    ];
  },
});
/** Axes in another order: axis i of the result is axis `perm[i]` of x. */
export const transpose = (x: Tensor, perm: readonly number[]): Tensor =>
  transposeNode([x], { perm: [...perm] });

const concatNode = defineOp({
  name: 'concat',
  result: (inputs, { axis }) => {
    const first = inputs[0]!;
    const fits = inputs.every(
      (t) =>
        t.dtype === first.dtype &&
        t.shape.length === first.shape.length &&
        t.shape.every((n, i) => i === axis || n === first.shape[i]),
    );
    if (!fits) shapeError('concat', `shapes differ outside axis ${axis}`, inputs);
    const total = inputs.reduce((n, t) => n + t.shape[axis as number]!, 0);
    return { shape: first.shape.map((n, i) => (i === axis ? total : n)), dtype: first.dtype };
  },
  gradient: (node, g) => {
    const axis = node.attributes.axis as number;
    let start = 0;
    return node.inputs.map((t) => {
      const from = t.shape.map((_, i) => (i === axis ? start : 0));
      start += t.shape[axis]!;
      return slice(
        g,
        from,
        t.shape.map((n, i) => from[i]! + n),
      );
    });
  },
});
/** Tensors side by side along `axis`. */
export const concat = (xs: readonly Tensor[], axis: number): Tensor =>
  concatNode(xs, { axis: normalizeAxes('concat', xs[0]!, [axis])[0]! });

const sliceNode = defineOp({
  name: 'slice',
  result: (inputs, attributes) => {
    const starts = attributes.starts as readonly number[];
    const ends = attributes.ends as readonly number[];
    const { shape, dtype } = inputs[0]!;
    const fits =
      starts.length === shape.length &&
      shape.every((n, i) => starts[i]! >= 0 && starts[i]! < ends[i]! && ends[i]! <= n);
    if (!fits) shapeError('slice', `from [${starts}] to [${ends}] does not fit`, inputs);
    return { shape: starts.map((from, i) => ends[i]! - from), dtype };
  },
  gradient: (node, g) => {
    const shape = node.inputs[0]!.shape;
    const before = node.attributes.starts as readonly number[];
    const ends = node.attributes.ends as readonly number[];
    return [
      pad(
        g,
        before,
        shape.map((n, i) => n - ends[i]!),
      ),
    ];
  },
});
/** The box from `starts` (inside) to `ends` (outside), given for every axis. */
export const slice = (x: Tensor, starts: readonly number[], ends: readonly number[]): Tensor =>
  sliceNode([x], { starts: [...starts], ends: [...ends] });

const padNode = defineOp({
  name: 'pad',
  result: (inputs, attributes) => {
    const before = attributes.before as readonly number[];
    const after = attributes.after as readonly number[];
    const { shape, dtype } = inputs[0]!;
    if (
      before.length !== shape.length ||
      after.length !== shape.length ||
      [...before, ...after].some((n) => n < 0)
    ) {
      shapeError('pad', `[${before}] before and [${after}] after do not fit`, inputs);
    }
    return { shape: shape.map((n, i) => before[i]! + n + after[i]!), dtype };
  },
  gradient: (node, g) => {
    const before = node.attributes.before as readonly number[];
    return [
      slice(
        g,
        before,
        node.inputs[0]!.shape.map((n, i) => before[i]! + n),
      ),
    ];
  },
});
/** Zeros around x: `before` and `after` for every axis. */
export const pad = (x: Tensor, before: readonly number[], after: readonly number[]): Tensor =>
  padNode([x], { before: [...before], after: [...after] });

const broadcastNode = defineOp({
  name: 'broadcastTo',
  result: (inputs, { shape }) => {
    const target = constantShape(shape as Shape);
    if (!sameShape(broadcastShape('broadcastTo', [inputs[0]!, target]), target.shape)) {
      shapeError('broadcastTo', `cannot become ${showShape(target.shape)}`, inputs);
    }
    return { shape: target.shape, dtype: inputs[0]!.dtype };
  },
  gradient: (node, g) => [sumTo(g, node.inputs[0]!.shape)],
});
const constantShape = (shape: Shape): Tensor => ({
  id: 0,
  op: 'shape',
  inputs: [],
  attributes: {},
  shape,
  dtype: 'float32',
});
/** x repeated along its axes of size one (and new leading axes) until it has `shape`. */
export const broadcastTo = (x: Tensor, shape: Shape): Tensor =>
  sameShape(x.shape, shape) ? x : broadcastNode([x], { shape: [...shape] });

const gatherNode = defineOp({
  name: 'gather',
  result: (inputs, attributes) => {
    const [x, indices] = inputs as readonly [Tensor, Tensor];
    const axis = attributes.axis as number;
    if (indices.dtype !== 'int32') shapeError('gather', 'indices must be int32', inputs);
    return {
      shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)],
      dtype: x.dtype,
    };
  },
  gradient: (node, g) => {
    // The transpose of picking rows: every picked row's gradient is added to the row it came from.
    const [x, indices] = node.inputs as readonly [Tensor, Tensor];
    const axis = node.attributes.axis as number;
    const rank = x.shape.length;
    const picks = sizeOf(indices.shape);
    const outer = x.shape.slice(0, axis);
    const inner = x.shape.slice(axis + 1);
    const rows = reshape(transpose(reshape(g, [sizeOf(outer), picks, sizeOf(inner)]), [1, 0, 2]), [
      picks,
      sizeOf(outer) * sizeOf(inner),
    ]);
    const chosen = transpose(oneHot(reshape(indices, [picks]), x.shape[axis]!), [1, 0]);
    const back = reshape(matmul(chosen, rows), [x.shape[axis]!, ...outer, ...inner]);
    const perm = Array.from({ length: rank }, (_, i) => (i < axis ? i + 1 : i === axis ? 0 : i));
    return [axis === 0 ? back : transpose(back, perm), undefined];
  },
});
/** Picks entries of x along `axis` by int32 indices of any shape. */
export const gather = (x: Tensor, indices: Tensor, axis = 0): Tensor =>
  gatherNode([x, indices], { axis: normalizeAxes('gather', x, [axis])[0]! });

/** One-hot rows, float32: labels [...] int32 become [..., depth]. A label outside [0, depth) is a row of zeros. */
export function oneHot(labels: Tensor, depth: number): Tensor {
  if (labels.dtype !== 'int32') shapeError('oneHot', 'labels must be int32', [labels]);
  const iota = constant(Int32Array.from({ length: depth }, (_, i) => i));
  return cast(equal(reshape(labels, [...labels.shape, 1]), iota), 'float32');
}
