// The part of the ONNX file format that models of tensors use, as a Protocol Buffers schema. Field numbers are
// the format's own (ONNX specification, IR version 8); fields left out here are skipped when a file is read.
import protobuf from 'protobufjs';

const schema = `
syntax = "proto3";
message ModelProto {
  int64 ir_version = 1;
  string producer_name = 2;
  string producer_version = 3;
  GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8;
  repeated StringStringEntryProto metadata_props = 14;
}
message OperatorSetIdProto { string domain = 1; int64 version = 2; }
message StringStringEntryProto { string key = 1; string value = 2; }
message GraphProto {
  repeated NodeProto node = 1;
  string name = 2;
  repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11;
  repeated ValueInfoProto output = 12;
}
message NodeProto {
  repeated string input = 1;
  repeated string output = 2;
  string name = 3;
  string op_type = 4;
  repeated AttributeProto attribute = 5;
  string domain = 7;
}
message AttributeProto {
  string name = 1;
  float f = 2;
  int64 i = 3;
  bytes s = 4;
  TensorProto t = 5;
  GraphProto g = 6;
  repeated float floats = 7;
  repeated int64 ints = 8;
  repeated bytes strings = 9;
  int32 type = 20;
}
message TensorProto {
  repeated int64 dims = 1;
  int32 data_type = 2;
  repeated float float_data = 4;
  repeated int32 int32_data = 5;
  repeated int64 int64_data = 7;
  string name = 8;
  bytes raw_data = 9;
  repeated double double_data = 10;
  repeated uint64 uint64_data = 11;
  int32 data_location = 14;
}
message ValueInfoProto { string name = 1; TypeProto type = 2; }
message TypeProto { TensorTypeProto tensor_type = 1; }
message TensorTypeProto { int32 elem_type = 1; TensorShapeProto shape = 2; }
message TensorShapeProto { repeated DimensionProto dim = 1; }
message DimensionProto { oneof value { int64 dim_value = 1; string dim_param = 2; } }
`;

/** The message type of a whole ONNX file. */
export const ModelProto = protobuf.parse(schema).root.lookupType('ModelProto');

/** A 64-bit integer as the Protocol Buffers package hands it over: a number, or an object of two halves. */
export type Integer = number | { toNumber(): number; low: number; high: number };

export interface ModelMessage {
  irVersion?: Integer;
  producerName?: string;
  graph?: GraphMessage | null;
  opsetImport?: { domain?: string; version?: Integer }[];
  metadataProps?: { key?: string; value?: string }[];
}
export interface GraphMessage {
  name?: string;
  node?: NodeMessage[];
  initializer?: TensorMessage[];
  input?: ValueMessage[];
  output?: ValueMessage[];
}
export interface NodeMessage {
  name?: string;
  opType?: string;
  domain?: string;
  input?: string[];
  output?: string[];
  attribute?: AttributeMessage[];
}
export interface AttributeMessage {
  name?: string;
  type?: number;
  f?: number;
  i?: Integer;
  s?: Uint8Array;
  t?: TensorMessage | null;
  g?: GraphMessage | null;
  floats?: number[];
  ints?: Integer[];
  strings?: Uint8Array[];
}
export interface TensorMessage {
  name?: string;
  dims?: Integer[];
  dataType?: number;
  rawData?: Uint8Array;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: Integer[];
  doubleData?: number[];
  uint64Data?: Integer[];
  dataLocation?: number;
}
export interface ValueMessage {
  name?: string;
  type?: {
    tensorType?: { elemType?: number; shape?: { dim?: DimensionMessage[] } | null } | null;
  } | null;
}
export interface DimensionMessage {
  dimValue?: Integer;
  dimParam?: string;
}
