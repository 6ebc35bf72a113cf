// MTCNN's files with weights from a formula, in Caffe's format: kernels turned and layers named as in the published
// ones, so that the whole way from a folder to detections can be walked without these.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import {
  type NetworkName,
  networkGraph,
  networks,
  type WeightPlace,
} from '../../src/face/detect/mtcnn/networks.js';
import { hashed, size } from '../support/fixtures.js';

export const names = Object.keys(networks) as NetworkName[];

/** The fixture's formula: a salt a parameter, counted in order; weights as large as keep the activations' size. */
export function formulaWeights(name: NetworkName): Map<string, Float32Array> {
  const places = [...networkGraph(networks[name]).weights];
  return new Map(
    places.map(([parameter, { kind, shape }], i) => {
      const reach = size(shape.slice(1));
      const [amplitude, offset] = { weight: [Math.sqrt(3 / reach), 0], bias: [0.2, 0], slope: [0.25, 0.25] }[
        kind
      ];
      return [parameter, hashed({ shape: [...shape], salt: i + 1, amplitude: amplitude!, offset: offset! })];
    }),
  );
}

/** [out, in, height, width] with height and width swapped, one number after another. */
function turned(data: Float32Array, shape: readonly number[]): Float32Array {
  const [out, channels, height, width] = shape as [number, number, number, number];
  const result: number[] = [];
  for (let o = 0; o < out; o++)
    for (let c = 0; c < channels; c++)
      for (let x = 0; x < width; x++)
        for (let y = 0; y < height; y++) result.push(data[((o * channels + c) * height + y) * width + x]!);
  return Float32Array.from(result);
}

const Net = protobuf
  .parse(`syntax = "proto2";
    message Net { repeated Layer layer = 100; }
    message Layer { optional string name = 1; optional string type = 2; repeated Blob blobs = 7; }
    message Blob { repeated float data = 5 [packed = true]; optional Shape shape = 7; }
    message Shape { repeated int64 dim = 1 [packed = true]; }`)
  .root.lookupType('Net');

/** The bytes of a .caffemodel. */
export function caffemodel(
  weights: ReadonlyMap<string, Float32Array>,
  places: ReadonlyMap<string, WeightPlace>,
): Uint8Array {
  const layers = new Map<string, { name: string; type: string; blobs: object[] }>();
  for (const [parameter, { layer, kind, shape }] of places) {
    const data = weights.get(parameter)!;
    const type = kind === 'slope' ? 'PReLU' : 'Convolution';
    const entry = layers.get(layer) ?? { name: layer.replace('prelu', 'PReLU'), type, blobs: [] };
    entry.blobs.push({
      data: [...(kind === 'weight' ? turned(data, shape) : data)],
      shape: { dim: [...shape] },
    });
    layers.set(layer, entry);
  }
  return Net.encode(Net.create({ layer: [...layers.values()] })).finish();
}

/** A new folder with the three files of the formula's weights. */
export function formulaFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mtcnn-'));
  for (const name of names) {
    const bytes = caffemodel(formulaWeights(name), networkGraph(networks[name]).weights);
    writeFileSync(join(folder, `${name}.caffemodel`), bytes);
  }
  return folder;
}
