// From the bytes of an ONNX file, ours or another's, to a model as a plain object. Weights are not copied
// unless their bytes lie unaligned in the file.
import { UserError } from '../common/errors.js';
import {
  attributeType,
  elementTypes,
  type OnnxAttribute,
  type OnnxDType,
  type OnnxGraph,
  type OnnxModel,
  type OnnxTensor,
  type OnnxValue,
  type TypedArray,
} from './onnx-model.js';
import {
  type AttributeMessage,
  type GraphMessage,
  type Integer,
  type ModelMessage,
  ModelProto,
  type TensorMessage,
  type ValueMessage,
} from './onnx-schema.js';

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
