// Weights in a .caffemodel: a Protocol Buffers message NetParameter of layers, each with its blobs (BVLC Caffe,
// caffe.proto). Field numbers are the format's own; both generations of layers are read, and all the rest skipped.
import protobuf from 'protobufjs';
import { UserError } from '../common/errors.js';
import { denseNumbers, elementTypes, rowMajor } from './element-types.js';
import type { NumberArray } from './numpy-array.js';

const schema = `
syntax = "proto2";
message NetParameter {
  optional string name = 1;
  repeated V1LayerParameter layers = 2;
  repeated LayerParameter layer = 100;
}
message LayerParameter { optional string name = 1; optional string type = 2; repeated BlobProto blobs = 7; }
message V1LayerParameter { optional string name = 4; optional int32 type = 5; repeated BlobProto blobs = 6; }
message BlobShape { repeated int64 dim = 1 [packed = true]; }
message BlobProto {
  optional int32 num = 1;
  optional int32 channels = 2;
  optional int32 height = 3;
  optional int32 width = 4;
  optional bytes data = 5;
  optional BlobShape shape = 7;
  optional bytes double_data = 8;
}
`;

/** Packed numbers are read as bytes, which need no list of objects on the way. */
const NetParameter = protobuf.parse(schema).root.lookupType('NetParameter');

type Integer = number | { toNumber(): number };
interface Blob {
  num?: number;
  channels?: number;
  height?: number;
  width?: number;
  data?: Uint8Array;
  doubleData?: Uint8Array;
  shape?: { dim?: Integer[] } | null;
}
interface Layer {
  name?: string;
  type?: string | number;
  blobs?: Blob[];
}

/** The first generation numbers its layer types; these are the ones with weights. */
const firstTypes: Readonly<Record<number, string>> = {
  4: 'Convolution',
  14: 'InnerProduct',
  39: 'Deconvolution',
};

/** One layer of a Caffe network. */
export interface CaffeLayer {
  name: string;
  /** As in 'Convolution', 'InnerProduct', 'PReLU'. */
  type: string;
  /**
   * Weights first: a convolution's [out, in, height, width], an inner product's [out, in] over the flattened
   * [channels, height, width] (with leading ones in old files), a PReLU's [channels]; then a bias [out], if any.
   */
  blobs: NumberArray[];
}

/**
 * The layers of a .caffemodel that hold weights, in the file's order. Throws a `UserError` that starts with
 * `source` (the file's path) when the bytes are damaged or no such file.
 */
export function readCaffemodel(bytes: Uint8Array, source: string): CaffeLayer[] {
  const fail = (problem: string): never => {
    throw new UserError(`${source}: ${problem}; the file is damaged or no .caffemodel`);
  };
  let message: { layer?: Layer[]; layers?: Layer[] };
  try {
    message = NetParameter.decode(bytes) as typeof message;
  } catch (error) {
    return fail(`not a Caffe network (${(error as Error).message})`);
  }
  const layers = [...(message.layers ?? []), ...(message.layer ?? [])].filter(({ blobs }) => blobs?.length);
  if (layers.length === 0) fail('holds no layer with weights');
  return layers.map(({ name = '', type = '', blobs = [] }) => ({
    name,
    type: typeof type === 'string' ? type : (firstTypes[type] ?? `type ${type}`),
    blobs: blobs.map(
      (blob, i) => readBlob(blob) ?? fail(`blob ${i} of layer '${name}' does not fill its shape`),
    ),
  }));
}

/** The numbers of a blob; undefined when they do not fill its shape. */
function readBlob({ num = 0, channels = 0, height = 0, width = 0, ...blob }: Blob): NumberArray | undefined {
  const dim = blob.shape?.dim;
  const shape = dim
    ? dim.map((n) => (typeof n === 'number' ? n : n.toNumber()))
    : [num, channels, height, width];
  const type = blob.doubleData?.length ? 'float64' : 'float32';
  const bytes = (type === 'float64' ? blob.doubleData : blob.data) ?? new Uint8Array();
  const count = shape.reduce((product, n) => product * n, 1);
  if (shape.some((n) => n < 0) || bytes.length !== count * elementTypes[type].bytes) return undefined;
  const block = { bytes, type, littleEndian: true, offset: 0, shape, strides: rowMajor(shape) } as const;
  return { shape, data: denseNumbers(block) };
}
