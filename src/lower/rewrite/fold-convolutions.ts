// What follows a convolution or a matrix product and only scales and shifts its channels, put into its weights and
// bias: a sum or product with constants, and a batch normalisation of a trained network.
import type { OnnxGraph, OnnxNode, OnnxTensor } from '../onnx-model.js';
import { used } from './constants.js';
import { linksOf, namer } from './links.js';

/** y = x factor + shift, an entry a channel, in double precision. */
interface Affine {
  factor: Float64Array;
  shift: Float64Array;
}

/** The graph with such nodes folded. Its constants must be initialisers. */
export function foldConvolutions(graph: OnnxGraph): OnnxGraph {
  let current = graph;
  for (;;) {
    const next = foldOne(current);
    if (!next) return used(current);
    current = next;
  }
}

/** Folds every layer's next node, or gives undefined when there is none left. */
function foldOne(graph: OnnxGraph): OnnxGraph | undefined {
  const links = linksOf(graph);
  const fresh = namer(graph);
  const folded = new Map<OnnxNode, OnnxNode>();
  const gone = new Set<OnnxNode>();
  const added: OnnxTensor[] = [];
  for (const layer of graph.nodes) {
    const weight = layerWeight(layer, links.constants);
    const next = weight && links.onlyReader(layer.outputs[0]!);
    const affine = next && affineOf(next, layer, weight, links.constants);
    if (!weight || !affine) continue;
    const bias = links.constants.get(layer.inputs[2] ?? '')?.data as Float32Array | undefined;
    const biased = affine.shift.map((s, c) => s + (bias?.[c] ?? 0) * affine.factor[c]!);
    const names = [layer.inputs[1]!, fresh(`${layer.outputs[0]!}.bias`)] as [string, string];
    if (affine.factor.some((f) => f !== 1)) {
      names[0] = fresh(`${layer.inputs[1]!}.folded`);
      added.push({ ...weight, name: names[0], data: scaled(layer, weight, affine.factor) });
    }
    added.push({
      name: names[1],
      dtype: 'float32',
      shape: [biased.length],
      data: Float32Array.from(biased),
    });
    folded.set(layer, { ...layer, inputs: [layer.inputs[0]!, ...names], outputs: [next.outputs[0]!] });
    gone.add(next);
  }
  if (folded.size === 0) return undefined;
  return {
    ...graph,
    nodes: graph.nodes.filter((node) => !gone.has(node)).map((node) => folded.get(node) ?? node),
    initializers: [...graph.initializers, ...added],
  };
}

/** The weights of a layer into which can be folded. */
function layerWeight(
  { opType, inputs, attributes = {} }: OnnxNode,
  constants: ReadonlyMap<string, OnnxTensor>,
): OnnxTensor | undefined {
  const weight = constants.get(inputs[1] ?? '');
  if (weight?.dtype !== 'float32') return undefined;
  if (inputs[2]) {
    const bias = constants.get(inputs[2]);
    if (bias?.dtype !== 'float32' || bias.data.length !== weight.shape[channelAxis({ opType, attributes })])
      return undefined;
  }
  if (opType === 'Conv') return weight;
  const plain = [attributes.alpha, attributes.beta].every(
    (value) => value === undefined || (typeof value === 'object' && 'float' in value && value.float === 1),
  );
  return opType === 'Gemm' && plain && !attributes.transA && weight.shape.length === 2 ? weight : undefined;
}

/** The axis of a layer's weights that its output channels are. */
export const channelAxis = ({ opType, attributes = {} }: Pick<OnnxNode, 'opType' | 'attributes'>): 0 | 1 =>
  opType === 'Conv' || attributes.transB ? 0 : 1;

/** What `node` does to the channels of the layer that it follows, if that is all it does. */
function affineOf(
  node: OnnxNode,
  layer: OnnxNode,
  weight: OnnxTensor,
  constants: ReadonlyMap<string, OnnxTensor>,
): Affine | undefined {
  const channels = weight.shape[channelAxis(layer)]!;
  const spatial = layer.opType === 'Conv' ? weight.shape.length - 2 : 0;
  const [x] = layer.outputs as [string];
  const ones = () => new Float64Array(channels).fill(1);
  const zeros = () => new Float64Array(channels);
  const perChannel = (name: string) => broadcast(constants.get(name), channels, spatial);
  if (node.opType === 'Add' || node.opType === 'Mul' || (node.opType === 'Sub' && node.inputs[0] === x)) {
    const values = perChannel(node.inputs.find((name) => name !== x) ?? '');
    if (!values) return undefined;
    if (node.opType === 'Mul') return { factor: values, shift: zeros() };
    return { factor: ones(), shift: node.opType === 'Add' ? values : values.map((v) => -v) };
  }
  if (node.opType !== 'BatchNormalization' || node.inputs[0] !== x || node.attributes?.training_mode)
    return undefined;
  const [gamma, beta, mean, variance] = node.inputs
    .slice(1)
    .map((name) => broadcast(constants.get(name), channels, 0));
  if (!gamma || !beta || !mean || !variance) return undefined;
  const given = node.attributes?.epsilon;
  const epsilon = typeof given === 'object' && 'float' in given ? given.float : 1e-5;
  const factor = gamma.map((g, c) => g / Math.sqrt(variance[c]! + epsilon));
  return { factor, shift: beta.map((b, c) => b - mean[c]! * factor[c]!) };
}

/** A constant whose one axis longer than 1 is followed by as many as a channel's, or of one number, as a number a channel. */
function broadcast(
  tensor: OnnxTensor | undefined,
  channels: number,
  spatial: number,
): Float64Array | undefined {
  if (tensor?.dtype !== 'float32') return undefined;
  const data = tensor.data as Float32Array;
  if (data.length === 1) return new Float64Array(channels).fill(data[0]!);
  const rest = tensor.shape.filter((n) => n !== 1);
  const at = tensor.shape.lastIndexOf(channels);
  const trailing = tensor.shape.length - 1 - at;
  const fits = rest.length === 1 && rest[0] === channels && trailing === spatial;
  return fits ? Float64Array.from(data) : undefined;
}

function scaled(layer: OnnxNode, { shape, data }: OnnxTensor, factor: Float64Array): Float32Array {
  const inner = channelAxis(layer) === 1 ? 1 : data.length / shape[0]!;
  return (data as Float32Array).map((w, i) => w * factor[Math.floor(i / inner) % factor.length]!);
}
