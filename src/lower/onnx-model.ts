// ONNX models as plain objects. The numbers that the file format gives to types are here too; the field
// numbers are in onnx-schema.ts.

/** Element types by ONNX number, with the array that holds them (bool: one byte each; float16: its bits). */
export const elementTypes = {
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
export const attributeType = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
};
