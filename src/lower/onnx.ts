// ONNX models: plain objects (onnx-model.ts), and their way to bytes (onnx-write.ts) and back (onnx-read.ts).
export { requireBounded } from './bounds.js';
export type {
  OnnxAttribute,
  OnnxDType,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxValue,
  TypedArray,
} from './onnx-model.js';
export { decodeModel, readMetadata } from './onnx-read.js';
export { encodeModel } from './onnx-write.js';
