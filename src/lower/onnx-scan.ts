// Everything that an ONNX file makes a runtime do, for a judgement before the runtime sees it. The bytes are walked
// as the wire format has them, and no occurrence of a field is passed over: readers differ in which of several they
// take, or merge them, so a message that is read in one way here could be another one there.
import { UserError } from '../common/errors.js';

/** A node as the file has it. */
export interface ScannedNode {
  opType: string;
  inputs: string[];
  outputs: string[];
  /** Graphs in its attributes: branches, bodies. */
  graphs: ScannedGraph[];
}

/** A graph, a graph within one, or a function of the file's own. */
export interface ScannedGraph {
  name: string;
  nodes: ScannedNode[];
  inputs: string[];
  initializers: string[];
}

export interface ScannedModel {
  /** The file's graph, whatever number of pieces it is in. */
  graph: ScannedGraph;
  /** Functions of the file's own, which nodes call by their operator. */
  functions: ScannedGraph[];
  /** A tensor whose numbers are in another file or in memory, by its name, and where. */
  external: { name: string; place: string }[];
}

const MESSAGE = 2;
/** Graphs in graphs that ONNX Runtime would read. */
const DEEPEST = 64;

const damaged = (): never => {
  throw new UserError('not an ONNX model, or a damaged one');
};

/** A field of a message: its number, and its bytes where it has any. */
function* fieldsOf(
  bytes: Uint8Array,
): Generator<[number: number, payload: Uint8Array | undefined, value: number]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 2 ** 63) return damaged();
      value += (byte % 128) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint() % 2 ** 32;
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    if (wire === 0) yield [number, undefined, varint()];
    else if (wire === 1 || wire === 5) {
      at += wire === 1 ? 8 : 4;
      yield [number, undefined, 0];
    } else if (wire === MESSAGE) {
      const length = varint();
      if (at + length > bytes.length) damaged();
      yield [number, bytes.subarray(at, at + length), 0];
      at += length;
    } else damaged();
    if (at > bytes.length) damaged();
  }
}

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();

/**
 * What the file holds. Throws a UserError when the bytes are no ONNX file. Bytes that ONNX Runtime would take for its
 * own format are none.
 */
export function scanModel(bytes: Uint8Array): ScannedModel {
  if (text(bytes.subarray(4, 8)) === 'ORTM')
    throw new UserError("is in ONNX Runtime's own format; export the model as ONNX");
  const external: ScannedModel['external'] = [];

  const newGraph = (): ScannedGraph => ({ name: '', nodes: [], inputs: [], initializers: [] });

  function tensor(message: Uint8Array): string {
    let name = '';
    let place = '';
    let outside = false;
    for (const [number, payload, value] of fieldsOf(message)) {
      if (number === 8 && payload) name = text(payload);
      if (number === 13 && payload) {
        const parts = [...fieldsOf(payload)].map(([, part]) => (part ? text(part) : ''));
        if (parts[0] === 'location') place = parts[1] ?? '';
      }
      if (number === 14 && value !== 0) outside = true;
    }
    if (outside) external.push({ name, place });
    return name;
  }

  function sparse(message: Uint8Array): string {
    let name = '';
    for (const [number, payload] of fieldsOf(message))
      if ((number === 1 || number === 2) && payload) {
        const found = tensor(payload);
        if (number === 1) name = found;
      }
    return name;
  }

  function node(message: Uint8Array, depth: number): ScannedNode {
    const found: ScannedNode = { opType: '', inputs: [], outputs: [], graphs: [] };
    for (const [number, payload] of fieldsOf(message)) {
      if (!payload) continue;
      if (number === 1) found.inputs.push(text(payload));
      if (number === 2) found.outputs.push(text(payload));
      if (number === 4) found.opType = text(payload);
      if (number === 5) attribute(payload, found, depth);
    }
    return found;
  }

  function attribute(message: Uint8Array, of: ScannedNode, depth: number): void {
    let within: ScannedGraph | undefined;
    for (const [number, payload] of fieldsOf(message)) {
      if (!payload) continue;
      if (number === 5 || number === 10) tensor(payload);
      if (number === 22 || number === 23) sparse(payload);
      if (number === 11) of.graphs.push(graph(payload, depth + 1));
      // Pieces of one graph.
      if (number === 6) within = graph(payload, depth + 1, within);
    }
    if (within) of.graphs.push(within);
  }

  function graph(message: Uint8Array, depth: number, into = newGraph()): ScannedGraph {
    if (depth > DEEPEST) throw new UserError(`its graphs lie ${DEEPEST} and more deep in each other`);
    for (const [number, payload] of fieldsOf(message)) {
      if (!payload) continue;
      if (number === 1) into.nodes.push(node(payload, depth));
      if (number === 2) into.name = text(payload);
      if (number === 5) into.initializers.push(tensor(payload));
      if (number === 11) into.inputs.push(valueName(payload));
      if (number === 15) into.initializers.push(sparse(payload));
    }
    return into;
  }

  function functionOf(message: Uint8Array): ScannedGraph {
    const found = newGraph();
    for (const [number, payload] of fieldsOf(message)) {
      if (!payload) continue;
      if (number === 1) found.name = text(payload);
      if (number === 4) found.inputs.push(text(payload));
      if (number === 7) found.nodes.push(node(payload, 1));
    }
    return found;
  }

  let main: ScannedGraph | undefined;
  const functions: ScannedGraph[] = [];
  for (const [number, payload] of fieldsOf(bytes)) {
    if (!payload) continue;
    if (number === 7) main = graph(payload, 0, main);
    if (number === 25) functions.push(functionOf(payload));
  }
  if (!main) throw new UserError('not an ONNX model: it holds no graph');
  return { graph: main, functions, external };
}

function valueName(message: Uint8Array): string {
  let name = '';
  for (const [number, payload] of fieldsOf(message)) if (number === 1 && payload) name = text(payload);
  return name;
}
