// Values of a graph that do not depend on what is fed: initialisers, Constant nodes, and other shapes of either. Other
// people's exporters, and ours, write weights through a Reshape or a Constant; whoever changes a graph wants numbers.
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor } from '../onnx-model.js';

/** Operators that give the numbers of their first input another shape. */
const RESHAPES = new Set(['Identity', 'Reshape', 'Unsqueeze', 'Squeeze', 'Flatten']);

/**
 * The same graph with every Constant, and every reshaped constant, as an initialiser; data is shared, not copied. Other
 * operators stay, on constants too.
 */
export function foldConstants(graph: OnnxGraph): OnnxGraph {
  const constants = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const nodes = graph.nodes.filter((node) => {
    const [name] = node.outputs;
    if (node.domain || node.outputs.length !== 1 || outputs.has(name!)) return true;
    const value = constantBy(node, constants);
    if (!value) return true;
    constants.set(name!, { ...value, name: name! });
    return false;
  });
  return used({ ...graph, nodes, initializers: [...constants.values()] });
}

/** The graph without initialisers that no node reads; an old file names initialisers as inputs too, and these go with them. */
export function used(graph: OnnxGraph): OnnxGraph {
  const read = new Set([...namesRead(graph), ...graph.outputs.map(({ name }) => name)]);
  const constants = new Set(graph.initializers.map(({ name }) => name));
  return {
    ...graph,
    initializers: graph.initializers.filter(({ name }) => read.has(name)),
    inputs: graph.inputs.filter(({ name }) => !constants.has(name)),
  };
}

/** Every name that a node reads, those within bodies of loops and branches included. */
function namesRead({ nodes }: OnnxGraph): string[] {
  return nodes.flatMap(({ inputs, attributes = {} }) => [
    ...inputs,
    ...Object.values(attributes).flatMap((value) =>
      typeof value === 'object' && 'graph' in value ? namesRead(value.graph) : [],
    ),
  ]);
}

/** What `node` gives when that is the numbers of a constant in some shape. */
function constantBy(node: OnnxNode, constants: ReadonlyMap<string, OnnxTensor>): OnnxTensor | undefined {
  if (node.opType === 'Constant') return constantOf(node.attributes ?? {});
  const from = constants.get(node.inputs[0] ?? '');
  if (!from || !RESHAPES.has(node.opType)) return undefined;
  const shape = shapeAfter(node, from.shape, constants);
  return shape && { ...from, shape };
}

function constantOf({
  value,
  value_float,
  value_int,
}: Record<string, OnnxAttribute>): OnnxTensor | undefined {
  if (typeof value === 'object' && 'tensor' in value) return value.tensor;
  if (typeof value_float === 'object' && 'float' in value_float) {
    return { name: '', dtype: 'float32', shape: [], data: Float32Array.of(value_float.float) };
  }
  if (typeof value_int === 'number') {
    return { name: '', dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(value_int)) };
  }
  return undefined;
}

/** The shape that a reshaping node gives to a constant of shape `from`; undefined when it is not known here. */
function shapeAfter(
  { opType, inputs, attributes = {} }: OnnxNode,
  from: readonly number[],
  constants: ReadonlyMap<string, OnnxTensor>,
): number[] | undefined {
  const count = from.reduce((a, b) => a * b, 1);
  if (opType === 'Identity') return [...from];
  if (opType === 'Flatten') {
    const given = typeof attributes.axis === 'number' ? attributes.axis : 1;
    const rows = from.slice(0, given < 0 ? from.length + given : given).reduce((a, b) => a * b, 1);
    return [rows, count / rows];
  }
  const wanted = inputs[1] === undefined ? undefined : integersOf(constants.get(inputs[1]));
  if (opType === 'Reshape') {
    if (!wanted || attributes.allowzero) return undefined;
    const lengths = wanted.map((n, axis) => (n === 0 ? from[axis]! : n));
    const rest = lengths.reduce((product, n) => (n < 0 ? product : product * n), 1);
    return lengths.map((n) => (n < 0 ? count / rest : n));
  }
  const axes = wanted ?? (Array.isArray(attributes.axes) ? attributes.axes : undefined);
  if (!axes) return undefined;
  if (opType === 'Squeeze') {
    const gone = axes.map((axis) => (axis < 0 ? axis + from.length : axis));
    return from.filter((_, axis) => !gone.includes(axis));
  }
  const rank = from.length + axes.length;
  const added = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  const rest = [...from];
  return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : rest.shift()!));
}

/** The numbers of an int64 constant. */
export function integersOf(tensor: OnnxTensor | undefined): number[] | undefined {
  return tensor && Array.from(tensor.data as BigInt64Array | Int32Array as Iterable<bigint | number>, Number);
}
