// ONNX models as plain objects, and their way to bytes and back. Our own models are written here and other
// people's are read here; the field numbers are in onnx-schema.ts. Weights are copied once on the way out
// and not at all on the way in, unless their bytes lie unaligned in the file.
import protobuf from 'protobufjs';
import { UserError } from '../common/errors.js';
import type {
  AttributeMessage,
  GraphMessage,
  Integer,
  ModelMessage,
  TensorMessage,
  ValueMessage,
} from './onnx-schema.js';
import { ModelProto } from './onnx-schema.js';

/** Element types by ONNX number, with the array that holds them (bool: one byte each; float16: its bits). */
const elementTypes = {
  float32: { code: 1, array: Float32Array },
  uint8: { code: 2, array: Uint8Array },
  int8: { code: 3, array: Int8Array },
  uint16: { code: 4, array: Uint16Array },
  int16: { code: 5, array: Int16Array },
  int32: { code: 6, array: Int32Array },
  int64: { code: 7, array: BigInt64Array },
  bool: { code: 9, array: Uint8Array },
  float16: { code: 10, array: Uint16Array },
  float64: { code: 11, array: Float64Array },
  uint32: { code: 12, array: Uint32Array },
  uint64: { code: 13, array: BigUint64Array },
} as const;

export type OnnxDType = keyof typeof elementTypes;
export type TypedArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A named array of numbers; `shape` [] is a scalar. */
export interface OnnxTensor {
  name: string;
  dtype: OnnxDType;
  shape: number[];
  data: TypedArray;
}

/** An input or output of a graph; a free axis has a name instead of a length. */
export interface OnnxValue {
  name: string;
  dtype: OnnxDType;
  shape: (number | string)[];
}

/** An attribute of a node. A bare number is an integer; write `{ float: 1 }` for a real one. */
export type OnnxAttribute =
  | number
  | string
  | number[]
  | { float: number }
  | { floats: number[] }
  | { strings: string[] }
  | { graph: OnnxGraph }
  | { tensor: OnnxTensor };

export interface OnnxNode {
  opType: string;
  inputs: string[];
  outputs: string[];
  attributes?: Record<string, OnnxAttribute>;
  domain?: string;
  name?: string;
}

export interface OnnxGraph {
  name: string;
  nodes: OnnxNode[];
  inputs: OnnxValue[];
  outputs: OnnxValue[];
  initializers: OnnxTensor[];
}

export interface OnnxModel {
  graph: OnnxGraph;
  /** Version of the standard operator set. */
  opset: number;
  metadata?: Record<string, string>;
}

/** The numbers of AttributeProto.type. */
const attributeType = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 };

/** The bytes of an ONNX file (IR version 8; operator sets: the standard one at `model.opset`, com.microsoft 1). */
export function encodeModel(model: OnnxModel): Uint8Array {
  const message: ModelMessage = {
    irVersion: 8,
    producerName: 'hypersphere',
    graph: writeGraph(model.graph),
    opsetImport: [
      { domain: '', version: model.opset },
      { domain: 'com.microsoft', version: 1 },
    ],
    metadataProps: Object.entries(model.metadata ?? {}).map(([key, value]) => ({ key, value })),
  };
  // Room for everything from the start, so that large weights are copied once and not moved as the file grows.
  const room = 1 << 20;
  const weights = model.graph.initializers.reduce((sum, tensor) => sum + tensor.data.byteLength, 0);
  const writer = protobuf.Writer.create();
  writer.buf = Buffer.allocUnsafe(weights + room);
  return ModelProto.encode(message, writer).finish(weights > room);
}

/**
 * Reads an ONNX file, ours or another's. Weights are views of `bytes` where alignment allows it.
 * Throws UserError when the bytes are no ONNX model, or its weights lie in another file.
 */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  const message = readMessage(bytes);
  if (!message.graph) throw new UserError('not an ONNX model: it holds no graph');
  const standard = message.opsetImport?.find(({ domain }) => !domain || domain === 'ai.onnx');
  const model: OnnxModel = { graph: readGraph(message.graph), opset: integer(standard?.version ?? 1) };
  if (message.metadataProps?.length) model.metadata = metadataOf(message);
  return model;
}

/** The metadata of an ONNX file, without a look at its graph. Throws UserError when it is no ONNX file. */
export function readMetadata(bytes: Uint8Array): Record<string, string> {
  return metadataOf(readMessage(bytes));
}

function readMessage(bytes: Uint8Array): ModelMessage {
  try {
    return ModelProto.decode(bytes) as ModelMessage;
  } catch (error) {
    throw new UserError(`not an ONNX model, or a damaged one (${(error as Error).message})`);
  }
}

function metadataOf(message: ModelMessage): Record<string, string> {
  return Object.fromEntries((message.metadataProps ?? []).map(({ key, value }) => [key ?? '', value ?? '']));
}

function writeGraph(graph: OnnxGraph): GraphMessage {
  return {
    name: graph.name,
    node: graph.nodes.map((node) => ({
      name: node.name ?? '',
      opType: node.opType,
      domain: node.domain ?? '',
      input: node.inputs,
      output: node.outputs,
      attribute: Object.entries(node.attributes ?? {}).map(([name, value]) => writeAttribute(name, value)),
    })),
    initializer: graph.initializers.map(writeTensor),
    input: graph.inputs.map(writeValue),
    output: graph.outputs.map(writeValue),
  };
}

function writeAttribute(name: string, value: OnnxAttribute): AttributeMessage {
  const text = (s: string) => Buffer.from(s, 'utf8');
  if (typeof value === 'number') return { name, type: attributeType.int, i: integerOf(name, value) };
  if (typeof value === 'string') return { name, type: attributeType.string, s: text(value) };
  if (Array.isArray(value)) {
    return { name, type: attributeType.ints, ints: value.map((v) => integerOf(name, v)) };
  }
  if ('float' in value) return { name, type: attributeType.float, f: value.float };
  if ('floats' in value) return { name, type: attributeType.floats, floats: value.floats };
  if ('strings' in value) return { name, type: attributeType.strings, strings: value.strings.map(text) };
  if ('graph' in value) return { name, type: attributeType.graph, g: writeGraph(value.graph) };
  return { name, type: attributeType.tensor, t: writeTensor(value.tensor) };
}

function integerOf(name: string, value: number): number {
  if (!Number.isInteger(value))
    throw new TypeError(`attribute '${name}': ${value} is no integer; use { float }`);
  return value;
}

function writeTensor(tensor: OnnxTensor): TensorMessage {
  const { data } = tensor;
  const count = tensor.shape.reduce((a, b) => a * b, 1);
  if (data.length !== count) {
    throw new RangeError(
      `tensor '${tensor.name}': ${data.length} values for shape [${tensor.shape.join(', ')}]`,
    );
  }
  return {
    name: tensor.name,
    dims: tensor.shape,
    dataType: elementTypes[tensor.dtype].code,
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

function writeValue(value: OnnxValue): ValueMessage {
  const dim = value.shape.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d }));
  const tensorType = { elemType: elementTypes[value.dtype].code, shape: { dim } };
  return { name: value.name, type: { tensorType } };
}

function readGraph(graph: GraphMessage): OnnxGraph {
  return {
    name: graph.name ?? '',
    nodes: (graph.node ?? []).map((node) => ({
      opType: node.opType ?? '',
      inputs: [...(node.input ?? [])],
      outputs: [...(node.output ?? [])],
      attributes: Object.fromEntries((node.attribute ?? []).map((a) => [a.name ?? '', readAttribute(a)])),
      domain: node.domain ?? '',
      name: node.name ?? '',
    })),
    inputs: (graph.input ?? []).map(readValue),
    outputs: (graph.output ?? []).map(readValue),
    initializers: (graph.initializer ?? []).map(readTensor),
  };
}

function readAttribute(attribute: AttributeMessage): OnnxAttribute {
  const text = (s: Uint8Array) => Buffer.from(s).toString('utf8');
  switch (attribute.type || untypedAttribute(attribute)) {
    case attributeType.float:
      return { float: attribute.f ?? 0 };
    case attributeType.int:
      return integer(attribute.i ?? 0);
    case attributeType.string:
      return text(attribute.s ?? new Uint8Array());
    case attributeType.tensor:
      return { tensor: readTensor(attribute.t ?? {}) };
    case attributeType.graph:
      return { graph: readGraph(attribute.g ?? {}) };
    case attributeType.floats:
      return { floats: [...(attribute.floats ?? [])] };
    case attributeType.ints:
      return (attribute.ints ?? []).map(integer);
    case attributeType.strings:
      return { strings: (attribute.strings ?? []).map(text) };
    default:
      throw new UserError(
        `ONNX attribute '${attribute.name}' is of a kind that is not supported (${attribute.type})`,
      );
  }
}

/** The oldest ONNX files name no attribute type: the field that is filled tells it. */
function untypedAttribute(attribute: AttributeMessage): number {
  const has = (field: keyof AttributeMessage) => Object.hasOwn(attribute, field);
  if (has('f')) return attributeType.float;
  if (has('s')) return attributeType.string;
  if (has('t')) return attributeType.tensor;
  if (has('g')) return attributeType.graph;
  if (attribute.floats?.length) return attributeType.floats;
  if (attribute.strings?.length) return attributeType.strings;
  return attribute.ints?.length ? attributeType.ints : attributeType.int;
}

function readTensor(tensor: TensorMessage): OnnxTensor {
  const name = tensor.name ?? '';
  const dtype = elementType(tensor.dataType ?? 0, `tensor '${name}'`);
  const shape = (tensor.dims ?? []).map(integer);
  if (tensor.dataLocation === 1) {
    throw new UserError(`ONNX tensor '${name}' lies in a separate data file; save the model as one file`);
  }
  const data = tensor.rawData?.length ? viewOf(tensor.rawData, dtype) : arrayOf(tensor, dtype);
  const count = shape.reduce((a, b) => a * b, 1);
  if (data.length !== count) {
    throw new UserError(`ONNX tensor '${name}' has ${data.length} values for shape [${shape.join(', ')}]`);
  }
  return { name, dtype, shape, data };
}

/** The numbers in `raw`, without a copy where they are aligned to their size. */
function viewOf(raw: Uint8Array, dtype: OnnxDType): TypedArray {
  const { array } = elementTypes[dtype];
  const aligned = raw.byteOffset % array.BYTES_PER_ELEMENT === 0 ? raw : new Uint8Array(raw);
  return new array(
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    aligned.byteLength / array.BYTES_PER_ELEMENT,
  );
}

/** The numbers of a tensor that is written as a list (the format's older way). */
function arrayOf(tensor: TensorMessage, dtype: OnnxDType): TypedArray {
  const exact = (value: Integer) =>
    typeof value === 'number' ? BigInt(value) : (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
  switch (dtype) {
    case 'float32':
      return Float32Array.from(tensor.floatData ?? []);
    case 'float64':
      return Float64Array.from(tensor.doubleData ?? []);
    case 'int64':
      return BigInt64Array.from(tensor.int64Data ?? [], exact);
    case 'uint64':
      return BigUint64Array.from(tensor.uint64Data ?? [], exact);
    case 'uint32':
      return Uint32Array.from(tensor.uint64Data ?? [], integer);
    default:
      return elementTypes[dtype].array.from(tensor.int32Data ?? []);
  }
}

function readValue(value: ValueMessage): OnnxValue {
  const name = value.name ?? '';
  const type = value.type?.tensorType;
  if (!type) throw new UserError(`ONNX value '${name}' is not a tensor, which is all that is supported`);
  const shape = (type.shape?.dim ?? []).map((d, axis) =>
    Object.hasOwn(d, 'dimValue') ? integer(d.dimValue ?? 0) : d.dimParam || `${name}_${axis}`,
  );
  return { name, dtype: elementType(type.elemType ?? 0, `value '${name}'`), shape };
}

function elementType(code: number, owner: string): OnnxDType {
  for (const [dtype, type] of Object.entries(elementTypes)) if (type.code === code) return dtype as OnnxDType;
  throw new UserError(`ONNX ${owner} has element type ${code}, which is not supported`);
}

function integer(value: Integer): number {
  return typeof value === 'number' ? value : value.toNumber();
}
