// Which operators of a float graph have a form in integers here, and what goes through them unchanged.
import type { OnnxAttribute, OnnxNode, OnnxTensor } from '../onnx-model.js';
import type { Links } from '../rewrite/links.js';

/** Operators that only move values about: they do the same to levels. */
export const MOVES = new Set([
  'Reshape',
  'Flatten',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'Identity',
  'Dropout',
]);

/** Operators of graphs that are in integers already. */
const INTEGER =
  /^(QuantizeLinear|DequantizeLinear|DynamicQuantizeLinear|QLinear.*|QGemm|ConvInteger|MatMulInteger.*|QAttention)$/;

/** The first node that shows that a graph is quantised already. */
export const integerNode = (nodes: readonly OnnxNode[]): OnnxNode | undefined =>
  nodes.find(({ opType }) => INTEGER.test(opType));

/** What a node becomes. */
export type Role =
  | { kind: 'conv' | 'gemm'; weight: OnnxTensor; bias: OnnxTensor | undefined }
  | { kind: 'add' }
  | { kind: 'move' }
  | { kind: 'float'; reason: string };

/** What `node` becomes in integers, or why it stays in float. */
export function roleOf(node: OnnxNode, { constants }: Links): Role {
  const { opType, inputs, attributes = {}, domain } = node;
  const float = (reason: string): Role => ({ kind: 'float', reason });
  if (domain) return float(`${domain}.${opType} has no form in integers`);
  if (MOVES.has(opType)) return { kind: 'move' };
  if (opType === 'Add') {
    return inputs.some((name) => constants.has(name)) ? float('a sum with a constant') : { kind: 'add' };
  }
  if (opType !== 'Conv' && opType !== 'Gemm') return float(`${opType} has no form in integers`);
  const weight = constants.get(inputs[1]!);
  if (weight?.dtype !== 'float32') return float('its weights are not constants of 32-bit floats');
  const bias = constants.get(inputs[2] ?? '');
  if (inputs[2] && bias?.dtype !== 'float32') return float('its bias is not a constant of 32-bit floats');
  if (opType === 'Conv') {
    if (weight.shape.length !== 4) return float('a convolution that is not two-dimensional');
    return { kind: 'conv', weight, bias };
  }
  const one = (value: OnnxAttribute | undefined) =>
    value === undefined || (typeof value === 'object' && 'float' in value && value.float === 1);
  if (!one(attributes.alpha) || !one(attributes.beta) || attributes.transA)
    return float('a matrix product with factors or a transposed input');
  if (bias && bias.data.length !== weight.shape[attributes.transB ? 0 : 1])
    return float('a bias that is not a number a column');
  return { kind: 'gemm', weight, bias };
}

/**
 * The node that is alone in reading `node` and only cuts below 0: levels that start at 0 do that by themselves. A
 * clip's upper end needs nothing either, since no value that was seen is above it.
 */
export function cutAfter(node: OnnxNode, links: Links): OnnxNode | undefined {
  const next = links.onlyReader(node.outputs[0]!);
  if (!next || next.domain) return undefined;
  if (next.opType === 'Relu') return next;
  if (next.opType !== 'Clip') return undefined;
  const [, low, high] = next.inputs;
  const { min, max } = next.attributes ?? {};
  if (low === node.outputs[0]! || high === node.outputs[0]!) return undefined;
  const number = (name: string | undefined, attribute: OnnxAttribute | undefined) => {
    if (typeof attribute === 'object' && 'float' in attribute) return attribute.float;
    return name ? Number(links.constants.get(name)?.data[0] ?? Number.NaN) : undefined;
  };
  const upper = number(high, max);
  return number(low, min) === 0 && (upper === undefined || upper > 0) ? next : undefined;
}
