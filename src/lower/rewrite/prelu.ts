// PReLU for ONNX Runtime's CPU provider, which has no fast kernel for it: one thread, and between two convolutions a
// change of memory layout before and after. Written as x + relu((a - 1) x), with the product as a depthwise 1x1
// convolution, it stays in the convolutions' layout. That is exact for slopes a <= 1 up to a rounding of x; for larger
// ones x + (1 - a) relu(-x) is.
import type { OnnxGraph, OnnxNode, OnnxTensor } from '../onnx-model.js';
import { linksOf, namer } from './links.js';

export interface PreluOptions {
  /** Only where the channels are a multiple of this; the provider's blocked layout has blocks of 8 or 16. Default 1. */
  multiple?: number;
}

/**
 * The graph with every PReLU of images [N, C, H, W], one constant slope a channel, as convolutions and a sum. Which
 * PReLU that is, its slopes tell: [C, 1, 1] or [1, C, 1, 1]. The graph's constants must be initialisers.
 */
export function rewritePrelu(graph: OnnxGraph, { multiple = 1 }: PreluOptions = {}): OnnxGraph {
  const { constants } = linksOf(graph);
  const fresh = namer(graph);
  const added: OnnxTensor[] = [];
  const nodes = graph.nodes.flatMap((node): OnnxNode[] => {
    const slopes = node.opType === 'PRelu' ? channelSlopes(constants.get(node.inputs[1]!)) : undefined;
    if (!slopes || slopes.length % multiple !== 0) return [node];
    const [x] = node.inputs as [string];
    const [y] = node.outputs as [string];
    const scaled = (input: string, factors: Float32Array, name: string): OnnxNode => {
      const weight = fresh(`${y}.${name}.weight`);
      added.push({ name: weight, dtype: 'float32', shape: [factors.length, 1, 1, 1], data: factors });
      const attributes = { group: factors.length, kernel_shape: [1, 1] };
      return { opType: 'Conv', inputs: [input, weight], outputs: [fresh(`${y}.${name}`)], attributes };
    };
    const relu = (input: OnnxNode): OnnxNode => ({
      opType: 'Relu',
      inputs: [...input.outputs],
      outputs: [fresh(`${input.outputs[0]!}.relu`)],
    });
    const sum = (part: OnnxNode): OnnxNode => ({
      opType: 'Add',
      inputs: [x, part.outputs[0]!],
      outputs: [y],
    });
    if (slopes.every((a) => a <= 1)) {
      const below = scaled(
        x,
        slopes.map((a) => a - 1),
        'below',
      );
      const part = relu(below);
      return [below, part, sum(part)];
    }
    const turned = scaled(x, new Float32Array(slopes.length).fill(-1), 'turned');
    const negative = relu(turned);
    const part = scaled(
      negative.outputs[0]!,
      slopes.map((a) => 1 - a),
      'below',
    );
    return [turned, negative, part, sum(part)];
  });
  return { ...graph, nodes, initializers: [...graph.initializers, ...added] };
}

/** The slopes [C], if that is what the tensor holds. */
function channelSlopes(tensor: OnnxTensor | undefined): Float32Array | undefined {
  if (tensor?.dtype !== 'float32') return undefined;
  const { shape, data } = tensor;
  const channels =
    shape.length === 3 ? shape[0] : shape.length === 4 && shape[0] === 1 ? shape[1] : undefined;
  return channels === data.length && channels > 1 ? (data as Float32Array) : undefined;
}
