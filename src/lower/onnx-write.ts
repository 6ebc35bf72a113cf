// From a model as a plain object to the bytes of an ONNX file. Weights are copied once.
import protobuf from 'protobufjs';
import {
  attributeType,
  elementTypes,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxTensor,
  type OnnxValue,
} from './onnx-model.js';
import {
  type AttributeMessage,
  type GraphMessage,
  type ModelMessage,
  ModelProto,
  type TensorMessage,
  type ValueMessage,
} from './onnx-schema.js';

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
