// Weights from the npm package @vladmandic/face-api (MIT licence), which holds trained networks as TensorFlow.js
// weight files: a JSON manifest of names, shapes and types, and the numbers one after another, most of them
// quantised to a byte. Only those two files of a model are read; none of the package's code runs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.js';
import { unreadableFile } from '../../common/files.js';
import { type ElementType, elementTypes } from '../../data/element-types.js';

const PACKAGE = '@vladmandic/face-api';

/** A weight in TensorFlow's layout: kernels [height, width, in, out], depthwise ones [height, width, channels, 1]. */
export interface FaceApiWeight {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

const manifestSchema = z.array(
  z.object({
    paths: z.array(z.string()),
    weights: z.array(
      z.object({
        name: z.string(),
        shape: z.array(z.number().int().nonnegative()),
        dtype: z.enum(['float32', 'int32', 'uint8']),
        quantization: z
          .object({ dtype: z.enum(['uint8', 'uint16']), scale: z.number(), min: z.number() })
          .optional(),
      }),
    ),
  }),
);

/** The folder of the package's model files. Throws a `UserError` when the package is not installed. */
export function faceApiModelFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`)), 'model');
  } catch {
    throw new UserError(`the weights of ${PACKAGE} are missing; install it with 'npm install ${PACKAGE}'`);
  }
}

/** The package's version, which tells one set of weights from another. */
export function faceApiVersion(): string {
  const file = join(dirname(faceApiModelFolder()), 'package.json');
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}

/**
 * The weights of a model of the package, such as 'ssd_mobilenetv1_model', by name in the manifest's order.
 * Throws a `UserError` that names the file when one is missing, cut off or not understood.
 */
export function readFaceApiWeights(
  model: string,
  folder: string = faceApiModelFolder(),
): Map<string, FaceApiWeight> {
  const source = join(folder, `${model}-weights_manifest.json`);
  const manifest = manifestSchema.safeParse(parse(read(source), source));
  if (!manifest.success) throw new UserError(`${source}: not a TensorFlow.js weight manifest`);
  const weights = new Map<string, FaceApiWeight>();
  for (const group of manifest.data) {
    // A group's numbers may be cut into several files anywhere, even inside a number.
    const bytes = Buffer.concat(group.paths.map((path) => read(join(folder, path))));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    for (const { name, shape, dtype, quantization } of group.weights) {
      // Little-endian; those of a quantised weight stand for q scale + min.
      const type: ElementType = elementTypes[quantization?.dtype ?? dtype];
      const { scale, min } = quantization ?? { scale: 1, min: 0 };
      const length = shape.reduce((n, axis) => n * axis, 1);
      if (at + length * type.bytes > bytes.length)
        throw new UserError(
          `${group.paths.map((path) => join(folder, path)).join(', ')}: cut off before the end of '${name}'; install ${PACKAGE} again`,
        );
      const data = new Float32Array(length);
      for (let i = 0; i < length; i++, at += type.bytes) data[i] = type.read(view, at, true) * scale + min;
      weights.set(name, { shape, data });
    }
    if (at !== bytes.length)
      throw new UserError(`${source}: describes ${at} bytes where the files hold ${bytes.length}`);
  }
  return weights;
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw unreadableFile(file, error);
  }
}

function parse(bytes: Buffer, source: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new UserError(`${source}: not JSON`);
  }
}
