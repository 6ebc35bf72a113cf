// Who makes and who reads the values of a graph.
import type { OnnxGraph, OnnxNode, OnnxTensor } from '../onnx-model.js';

export interface Links {
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  /** The node that gives a value. */
  maker(name: string): OnnxNode | undefined;
  /** The node that is alone in reading a value; undefined where there are several, or the graph gives it out. */
  onlyReader(name: string): OnnxNode | undefined;
}

export function linksOf(graph: OnnxGraph): Links {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const readers = new Map<string, (OnnxNode | undefined)[]>();
  const read = (name: string, by: OnnxNode | undefined) =>
    readers.set(name, [...(readers.get(name) ?? []), by]);
  for (const node of graph.nodes) for (const name of node.inputs) read(name, node);
  for (const { name } of graph.outputs) read(name, undefined);
  return {
    constants: new Map(graph.initializers.map((tensor) => [tensor.name, tensor])),
    maker: (name) => makers.get(name),
    onlyReader(name) {
      const all = readers.get(name) ?? [];
      return all.length === 1 ? all[0] : undefined;
    },
  };
}

/** A name that no value of the graph bears yet, and none asked for before. */
export function namer(graph: OnnxGraph): (wanted: string) => string {
  const taken = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  return (wanted) => {
    let name = wanted;
    for (let i = 2; taken.has(name); i++) name = `${wanted}_${i}`;
    taken.add(name);
    return name;
  };
}
