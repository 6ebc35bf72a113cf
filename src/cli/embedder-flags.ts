// The flags of every command that runs a model on faces: where to compute, and what a model that carries no
// manifest does not say itself.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type EmbedderOptions, type ManifestOverrides, templateLabel, templateNamed } from '../face/index.js';
import { type DeviceName, deviceNames } from '../runtime/index.js';
import { size, whole } from './flags.js';
import { UsageError, usage } from './output.js';
import { leaderOfRun } from './ranks.js';

export interface EmbedderFlags {
  device?: DeviceName;
  threads?: number;
  batch?: number;
  manifest?: string;
  order?: 'rgb' | 'bgr';
  mean?: PerPlane;
  scale?: PerPlane;
  size?: [number, number];
  flip?: 'concatenate' | 'sum' | 'none';
  template?: string;
}
type PerPlane = number | [number, number, number];

export const FOREIGN_MODELS = `
A model made by Hypersphere carries its preprocessing. Of any other ONNX model say how its input is prepared,
by --manifest FILE or by flags: the network sees (pixel - mean) * scale. As in
  --order rgb --mean 127.5 --scale 1/128`;

export function withEmbedderFlags(command: Command): Command {
  return withPreparationFlags(
    command
      .addOption(new Option('--device <name>', 'where to compute (default: cpu)').choices(deviceNames))
      .option('--threads <n>', 'threads on the CPU (default: all)', whole(1))
      .option('--batch <n>', 'images a run of the network (default: 16)', whole(1)),
  );
}

/** The flags that say how a model's faces are prepared. */
export function withPreparationFlags(command: Command): Command {
  return command
    .option('--manifest <file>', "JSON file that says what the model's metadata does not")
    .addOption(new Option('--order <order>', 'order of the colour planes').choices(['rgb', 'bgr']))
    .option(
      '--mean <m>',
      'what is subtracted from a pixel of 0..255; one number, or three with commas',
      perPlane,
    )
    .option(
      '--scale <s>',
      'what the difference is multiplied by, as in 1/128; one number, or three',
      perPlane,
    )
    .option('--size <HxW>', 'input height x width, where the model leaves it open', size)
    .option(
      '--template <name>',
      'how its faces are aligned: arcface, sphereface or dlib; @0 or @1 after it says what the first pixel is called',
    )
    .addOption(
      new Option('--flip <how>', 'how the features of image and mirror image are joined').choices([
        'concatenate',
        'sum',
        'none',
      ]),
    );
}

/** The flags as an embedder's options. */
export function embedderOptions(flags: EmbedderFlags): EmbedderOptions {
  const { device, threads, batch, manifest, order, mean, scale, size, flip, template } = flags;
  const overrides: ManifestOverrides = {
    ...(flip && { flip }),
    ...(template !== undefined && { template: templateLabel(usage(() => templateNamed(template))) }),
    input: { order, mean, scale, height: size?.[0], width: size?.[1] },
  };
  const given = [order, mean, scale, size, flip, template].some((value) => value !== undefined);
  if (manifest !== undefined && given) {
    throw new UsageError(
      '--manifest FILE says everything: leave out --order, --mean, --scale, --size, --template and --flip',
    );
  }
  return {
    ...{ device, threads, batch, manifest: manifest ?? (given ? overrides : undefined) },
    leader: leaderOfRun(),
  };
}

/** One number or three, each plain or a fraction. */
export function perPlane(text: string): PerPlane {
  const values = text.split(',').map((part) => {
    const [numerator, denominator, ...more] = part.split('/');
    const number = (digits: string) => (digits.trim() === '' ? Number.NaN : Number(digits));
    const value = number(numerator!) / (denominator === undefined ? 1 : number(denominator));
    if (!Number.isFinite(value) || more.length > 0) {
      throw new InvalidArgumentError(
        'It must be a number or a fraction, as in 127.5 or 1/128, or three with commas.',
      );
    }
    return value;
  });
  if (values.length === 1) return values[0]!;
  if (values.length === 3) return values as [number, number, number];
  throw new InvalidArgumentError('It must be one number, or three with commas.');
}
