// What a model file holds, ours or another's: inputs and outputs, parameters, and the multiply-adds of every
// layer for one image. Shapes come from running the model once on zeros, so any model that runs can be read.

import { UserError } from '../../common/errors.js';
import { readWhole } from '../../common/files.js';
import {
  decodeModel,
  encodeModel,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '../../lower/onnx.js';
import { openDevice, tryModel, type ValueInfo } from '../../runtime/index.js';

/** One node that holds parameters. */
export interface ModelLayer {
  /** The name of its weights without the last part, as in 'conv1_1'. */
  name: string;
  /** ONNX operator. */
  op: string;
  /** Shape of its value for one image, without the batch axis. */
  output: number[];
  parameters: number;
  multiplyAdds: number;
}

/** A model file's size and cost for one image. */
export interface ModelDescription {
  bytes: number;
  opset: number;
  inputs: ValueInfo[];
  outputs: ValueInfo[];
  /** Length of the first output's last axis: of the embedding, if the model is an embedder. */
  embedding: number | undefined;
  parameters: number;
  /** Products that convolutions and matrix products with weights sum; undefined when the model cannot be run on zeros. */
  multiplyAdds: number | undefined;
  layers: ModelLayer[];
  metadata: Record<string, string>;
}

/** Operators that may hold parameters. */
const LAYERS = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'PRelu', 'BatchNormalization']);
/** Operators that only carry weights to the node that uses them. */
const CARRIERS = new Set(['Transpose', 'Reshape', 'Identity', 'Unsqueeze', 'Squeeze', 'Cast']);

const product = (shape: readonly number[]): number => shape.reduce((n, length) => n * length, 1);

/** Describes an ONNX file, or the bytes of one under a name. Throws a `UserError` when it cannot be read. */
export async function describeModel(
  model: string | { name: string; bytes: Uint8Array },
): Promise<ModelDescription> {
  const file = typeof model === 'string' ? model : model.name;
  const bytes = typeof model === 'string' ? await readWhole(model) : model.bytes;
  if (typeof model === 'string') await tryModel(bytes, file);
  let decoded: OnnxModel;
  try {
    decoded = decodeModel(bytes);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${file}: ${error.message}`, { cause: error }) : error;
  }
  const { graph } = decoded;
  const weights = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const inputs = graph.inputs.filter(({ name }) => !weights.has(name));
  const layers = layerNodes(graph.nodes, weights);
  const shapes = await shapesOf({ ...decoded, graph: { ...graph, inputs } }, [
    ...layers.map(({ node }) => node.outputs[0]!),
    ...graph.outputs.map(({ name }) => name),
  ]);
  const described = layers.map(({ node, tensors }): ModelLayer => {
    const shape = shapes?.get(node.outputs[0]!);
    return {
      name: tensors[0]!.name.replace(/\.[^.]*$/, ''),
      op: node.opType,
      output: shape?.slice(1) ?? [],
      parameters: tensors.reduce((sum, { shape }) => sum + product(shape), 0),
      multiplyAdds: shape ? multiplyAdds(node, shape, tensors[0]!) : 0,
    };
  });
  return {
    bytes: bytes.length,
    opset: decoded.opset,
    inputs,
    outputs: graph.outputs,
    embedding: shapes?.get(graph.outputs[0]?.name ?? '')?.at(-1),
    parameters: graph.initializers
      .filter(({ dtype }) => dtype.startsWith('float'))
      .reduce((sum, { shape }) => sum + product(shape), 0),
    multiplyAdds: shapes && described.reduce((sum, layer) => sum + layer.multiplyAdds, 0),
    layers: described,
    metadata: decoded.metadata ?? {},
  };
}

/** Nodes that hold parameters, with the float tensors they take, weights first. */
function layerNodes(nodes: readonly OnnxNode[], weights: ReadonlyMap<string, OnnxTensor>) {
  const maker = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const origin = (name: string): OnnxTensor | undefined => {
    const found = weights.get(name);
    if (found) return found.dtype.startsWith('float') ? found : undefined;
    const node = maker.get(name);
    return node && CARRIERS.has(node.opType) ? origin(node.inputs[0]!) : undefined;
  };
  return nodes
    .filter(({ opType }) => LAYERS.has(opType))
    .map((node) => ({ node, tensors: node.inputs.map(origin).filter((tensor) => tensor !== undefined) }))
    .filter(({ tensors }) => tensors.length > 0);
}

/** Every output sums size(weights) / channels products. */
function multiplyAdds({ opType }: OnnxNode, output: readonly number[], weights: OnnxTensor): number {
  const size = product(output.slice(1));
  if (opType === 'Conv') return (size * product(weights.shape)) / output[1]!;
  if (opType === 'Gemm' || opType === 'MatMul') return (size * product(weights.shape)) / output.at(-1)!;
  return 0;
}

/** Shapes of named values for inputs of zeros with every free axis 1; undefined when the model cannot run so. */
async function shapesOf(
  model: OnnxModel,
  names: readonly string[],
): Promise<Map<string, number[]> | undefined> {
  const unique = [...new Set(names)];
  const { graph } = model;
  const probe = encodeModel({
    ...model,
    graph: {
      ...graph,
      nodes: [
        ...graph.nodes,
        ...unique.map((name, i) => ({ opType: 'Shape', inputs: [name], outputs: [`shape:${i}`] })),
      ],
      outputs: unique.map((_, i) => ({ name: `shape:${i}`, dtype: 'int64', shape: [`rank:${i}`] })),
    },
  });
  const device = await openDevice('cpu');
  try {
    const loaded = await device.load(probe);
    const feeds = Object.fromEntries(
      loaded.inputs.map(({ name, shape }) => {
        const sizes = shape.map((length) => (typeof length === 'number' && length > 0 ? length : 1));
        return [name, { data: new Float32Array(product(sizes)), shape: sizes }];
      }),
    );
    const results = await loaded.run(feeds);
    return new Map(unique.map((name, i) => [name, Array.from(results[`shape:${i}`]!.data as never, Number)]));
  } catch {
    return undefined;
  } finally {
    await device.close();
  }
}
