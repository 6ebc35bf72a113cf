// What a network costs: parameters and multiply-adds, counted on its graph layer by layer, as it is
// used: normalisations are folded into the convolutions before them.
import { UserError } from '../common/errors.js';
import { input, nameOf, type Shape, sizeOf, type Tensor, topological } from '../graph/index.js';
import { type NetworkOptions, networkNamed } from './networks.js';
import { Scope } from './scope.js';

/** One layer that has parameters. */
export interface LayerDescription {
  readonly name: string;
  /** Shape of its value for one image, without the batch axis. */
  readonly output: number[];
  readonly parameters: number;
  /** Products that convolutions and matrix products sum for one image; other work is not counted. */
  readonly multiplyAdds: number;
}

/** A network's size and cost for one image. */
export interface NetworkDescription {
  readonly name: string;
  /** [C, H, W] */
  readonly input: number[];
  /** Length of the embedding. */
  readonly embedding: number;
  readonly parameters: number;
  readonly multiplyAdds: number;
  readonly layers: LayerDescription[];
}

/** Products summed by one node. */
function multiplyAddsOf(node: Tensor): number {
  const [a, b] = node.inputs;
  if (node.op === 'conv2d' || node.op === 'depthwiseConv2d')
    return sizeOf(node.shape) * sizeOf(b!.shape.slice(1));
  if (node.op === 'matmul') return sizeOf(node.shape) * a!.shape[a!.shape.length - 1]!;
  return 0;
}

/** The layer that a parameter belongs to: 'conv1_1' of 'conv1_1.weight'. */
const layerOf = (parameterName: string): string => parameterName.replace(/\.[^.]*$/, '');

/**
 * Counts the layers between the graph's parameters and `embedding` [1, length]. A layer's value is the last
 * node that takes one of its parameters, also through reshapes and transposes of that parameter.
 */
export function describeLayers(embedding: Tensor): LayerDescription[] {
  const layers = new Map<string, { output: Shape; parameters: number; multiplyAdds: number }>();
  const owner = new Map<Tensor, string>();
  for (const node of topological([embedding])) {
    if (node.op === 'parameter') {
      const name = layerOf(nameOf(node));
      owner.set(node, name);
      const layer = layers.get(name) ?? { output: [], parameters: 0, multiplyAdds: 0 };
      layer.parameters += sizeOf(node.shape);
      layers.set(name, layer);
      continue;
    }
    const owned = node.inputs.filter((t) => owner.has(t));
    const name = owned[0] && owner.get(owned[0])!;
    if (name && owned.length === node.inputs.length) owner.set(node, name);
    else if (name) {
      const layer = layers.get(name)!;
      layer.multiplyAdds += multiplyAddsOf(node);
      layer.output = node.shape;
    }
  }
  return [...layers].map(([name, layer]) => ({
    name,
    output: layer.output.slice(1),
    parameters: layer.parameters,
    multiplyAdds: layer.multiplyAdds,
  }));
}

/**
 * Describes the network called `name` for images of `size` [H, W] (default: the size it was designed for).
 * Throws a `UserError` for an unknown name or a size that is not two positive whole numbers.
 */
export function describeNetwork(
  name: string,
  { size, ...options }: { size?: readonly [number, number] } & NetworkOptions = {},
): NetworkDescription {
  const network = networkNamed(name);
  const [height, width] = size ?? network.size;
  if (![height, width].every((n) => Number.isInteger(n) && n > 0)) {
    throw new UserError(`size ${height}x${width} must be two whole numbers of at least 1, as in 112x96`);
  }
  const images = input('images', [1, network.channels, height, width]);
  const embedding = network.build(new Scope(), images, { ...options, norm: 'folded' });
  const layers = describeLayers(embedding);
  const total = (key: 'parameters' | 'multiplyAdds') => layers.reduce((n, layer) => n + layer[key], 0);
  return {
    name,
    input: images.shape.slice(1),
    embedding: embedding.shape[1]!,
    parameters: total('parameters'),
    multiplyAdds: total('multiplyAdds'),
    layers,
  };
}
