// What the values inside of a network are like on real faces: the float network is run with them as outputs.
import { encodeModel, type OnnxModel } from '../../lower/onnx.js';
import { Observed } from '../../lower/quantize/index.js';
import type { Device } from '../../runtime/index.js';
import { pixelTables, toPlanes } from '../embed/planes.js';
import type { Manifest } from '../models/manifest.js';

/** Images a run: the values of all layers are kept until it ends. */
const BATCH = 4;

/**
 * Observes the values called `names` of `model` on faces [height, width, 3], which come one at a time and in any
 * number. A model with a fixed batch runs at that, the rest of the last one filled with repetitions.
 */
export async function observe(
  model: OnnxModel,
  names: readonly string[],
  manifest: Manifest,
  faces: AsyncIterable<Uint8Array>,
  device: Device,
): Promise<Map<string, Observed>> {
  const observed = new Map(names.map((name) => [name, new Observed()]));
  const loaded = await device.load(withOutputs(model, names));
  try {
    const { input } = manifest;
    const tables = pixelTables(input);
    const axis = loaded.inputs[0]!.shape[0];
    const size = typeof axis === 'number' && axis > 0 ? axis : BATCH;
    const look = async (group: Uint8Array[]) => {
      const repeated = Array.from({ length: size }, (_, i) => group[i % group.length]!);
      const pixels = Buffer.concat(typeof axis === 'number' ? repeated : group);
      const data = toPlanes(pixels, input, tables, false);
      const shape = [pixels.length / (3 * input.height * input.width), 3, input.height, input.width];
      const values = await loaded.run({ [input.name]: { data, shape } });
      for (const [i, name] of names.entries()) {
        const { data, shape } = values[outputName(i)]!;
        const share = (data.length / shape[0]!) * group.length;
        observed.get(name)!.add(data.subarray(0, share) as Float32Array, [group.length, ...shape.slice(1)]);
      }
    };
    let group: Uint8Array[] = [];
    for await (const face of faces) {
      group.push(face);
      if (group.length < size) continue;
      await look(group);
      group = [];
    }
    if (group.length > 0) await look(group);
  } finally {
    await loaded.dispose();
  }
  return observed;
}

const outputName = (i: number): string => `observed:${i}`;

/** The model with these values as its outputs, each as [N, C, rest] so that its rank need not be known. */
function withOutputs(model: OnnxModel, names: readonly string[]): Uint8Array {
  const { graph } = model;
  const shape = {
    name: 'observed:shape',
    dtype: 'int64' as const,
    shape: [3],
    data: BigInt64Array.of(0n, 0n, -1n),
  };
  return encodeModel({
    ...model,
    graph: {
      ...graph,
      initializers: [...graph.initializers, shape],
      nodes: [
        ...graph.nodes,
        ...names.map((name, i) => ({
          opType: 'Reshape',
          inputs: [name, shape.name],
          outputs: [outputName(i)],
        })),
      ],
      outputs: names.map((_, i) => ({
        name: outputName(i),
        dtype: 'float32' as const,
        shape: ['N', `observed:${i}:C`, `observed:${i}:rest`],
      })),
    },
  });
}
