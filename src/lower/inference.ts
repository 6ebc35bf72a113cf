// A network without its loss as a plain ONNX model that any runtime can load: weights baked in, images
// [N, C, H, W] with a free batch axis, standard operators only, and a note of how to prepare its input in
// the model's metadata.
import { nameOf, poolingOf, sizeOf, type Tensor, topological } from '../graph/index.js';
import { LoweringContext } from './context.js';
import { formOf } from './forms/index.js';
import { hasCeilMode } from './forms/pooling.js';
import { encodeModel, type OnnxValue } from './onnx.js';
import { simplify } from './simplify.js';
import { OPSET, writeAll } from './step.js';
import { OnnxWriter } from './writer.js';

export interface InferenceGraph {
  /** What is fed; the leading axis (size 1 in the graph) becomes free. */
  readonly inputs: readonly Tensor[];
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Values of all parameters by name, in their logical layout. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * Whether height and width, axes 2 and 3 of the images and of all that depends on them, are free as well: for
   * fully convolutional networks, built at any size. Default false.
   */
  readonly freeSize?: boolean;
}

/** Whether a node that depends on the images mixes them, by operation; all others keep them apart. */
const mixes: Record<string, (node: Tensor, context: LoweringContext) => boolean> = {
  sum: ({ attributes }) => (attributes.axes as number[]).includes(0),
  max: ({ attributes }) => (attributes.axes as number[]).includes(0),
  argMax: ({ attributes }) => attributes.axis === 0,
  concat: ({ attributes }) => attributes.axis === 0,
  gather: ({ attributes, inputs }, context) => attributes.axis === 0 && context.hasFreeBatch(inputs[0]!),
  transpose: ({ attributes }) => (attributes.perm as number[])[0] !== 0,
  matmul: ({ shape, inputs }, context) => shape.length === 2 && context.hasFreeBatch(inputs[1]!),
};

/** Throws for a node that would give an image another value when there are others beside it. */
function checkBatch(node: Tensor, context: LoweringContext): void {
  if (!context.hasFreeBatch(node)) return;
  if (node.shape[0] !== 1 || mixes[node.op]?.(node, context)) {
    throw new Error(`'${node.op}' does not keep the images of a batch apart, so the batch cannot be free`);
  }
}

/** Operations that do the same at every place of an image of any size. */
const EVERYWHERE = ['input', 'conv2d', 'depthwiseConv2d', 'prelu', 'pad', 'stopGradient'];
/** Operations that do, if what comes beside the image is the same at every place. */
const EACH = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'neg', 'exp', 'log', 'sqrt', 'abs'];

/** Throws for a node whose ONNX form holds the height or width that the graph was built with. */
function checkSize(node: Tensor, context: LoweringContext): void {
  if (!context.hasFreeBatch(node)) return;
  const flat = (t: Tensor) => context.hasFreeBatch(t) || t.shape.slice(-2).every((n) => n === 1);
  const fits =
    EVERYWHERE.includes(node.op) ||
    (EACH.includes(node.op) && node.inputs.every(flat)) ||
    (node.op === 'maxPool2d' && (!poolingOf(node).ceil || hasCeilMode(node))) ||
    (node.op === 'concat' && node.attributes.axis === 1);
  if (node.shape.length !== 4 || !fits) {
    throw new Error(`'${node.op}' depends on the size of the images, so their size cannot be free`);
  }
}

/**
 * ONNX bytes of `graph`. Throws an Error that names a missing or misshaped weight, or an operation that mixes
 * the images of a batch or, with `freeSize`, depends on their size.
 */
export function lowerInference(graph: InferenceGraph): Uint8Array {
  const { inputs, outputs, weights, metadata, freeSize = false } = graph;
  const names = Object.keys(outputs);
  const tidy = simplify(names.map((name) => outputs[name]!));
  const order = topological(tidy);
  const parameters = order.filter((node) => node.op === 'parameter');
  const writer = new OnnxWriter([...names, ...[...inputs, ...parameters].map(nameOf)]);
  const options = { target: 'cpu', formulations: 'plain', freeBatch: true } as const;
  const context = new LoweringContext(writer, options, order, tidy, formOf);
  for (const t of [...inputs, ...tidy]) {
    if (t.shape[0] !== 1) throw new Error('a graph with a free batch is built with a batch of 1');
  }
  for (const t of order) {
    checkBatch(t, context);
    if (freeSize) checkSize(t, context);
  }
  for (const t of inputs) context.define(t, nameOf(t));
  for (const t of parameters) {
    const name = nameOf(t);
    const data = weights.get(name);
    if (data?.length !== sizeOf(t.shape)) {
      throw new Error(
        `weight '${name}' should have ${sizeOf(t.shape)} numbers and has ${data?.length ?? 'none'}`,
      );
    }
    writer.initializers.push({ name, dtype: 'float32', shape: [...t.shape], data });
    context.define(t, name);
  }
  writeAll(context, order);
  writer.export(new Map(tidy.map((t, i) => [names[i]!, context.value(t)])));
  const free = (name: string, t: Tensor): OnnxValue => ({
    name,
    dtype: t.dtype,
    shape: ['N', ...t.shape.slice(1).map((n, i) => (freeSize && i > 0 ? `${name}:${'HW'[i - 1]}` : n))],
  });
  const network = {
    name: 'network',
    nodes: writer.nodes,
    initializers: writer.initializers,
    inputs: inputs.map((t) => free(nameOf(t), t)),
    outputs: tidy.map((t, i) => free(names[i]!, t)),
  };
  return encodeModel({ graph: network, opset: OPSET, ...(metadata && { metadata: { ...metadata } }) });
}
