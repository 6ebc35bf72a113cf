// A model carries its own preprocessing: input size, channel order, mean and scale, template, flip fusion,
// embedding length, training data and licence. It lies in the ONNX file's metadata and, for people, in a JSON
// file beside it. Most wrong accuracies in the field are a silent mismatch here, so nothing is guessed.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../../common/errors.js';
import { templateLabel, templateNamed } from '../align/template.js';

/** The metadata key of an ONNX file under which the manifest lies, as JSON. */
export const MANIFEST_KEY = 'hypersphere';

const whole = z.number().int().positive();
const perChannel = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])]);

const inputSchema = z.object({
  /** Name of the model's input, [N, 3, height, width] float32. */
  name: z.string().min(1),
  /** Pixels. */
  width: whole,
  height: whole,
  /** Order of the colour planes. */
  order: z.enum(['bgr', 'rgb']),
  /** The network sees (p - mean) * scale for a byte p of 0..255; one number, or one a plane in `order`. */
  mean: perChannel,
  scale: perChannel.refine((scale) => [scale].flat().every((s) => s !== 0), 'must not be 0'),
});

export const manifestSchema = z.looseObject({
  format: z.literal('hypersphere-model/1'),
  name: z.string().min(1),
  input: inputSchema,
  /**
   * How an image of another size becomes the input: 'cover-centre' scales it to just cover the input and keeps
   * the centre, so that a 112x112 face for a 112x96 input is its columns 8..103.
   */
  crop: z.literal('cover-centre').default('cover-centre'),
  /**
   * The landmark template that faces are aligned to, with what its numbers call the first pixel, such as
   * 'arcface-112@0'; a part of one after a slash ('arcface-112/upper@0').
   */
  template: z.string().default('not stated'),
  /** How the features of an image and of its mirror image become one embedding. */
  flip: z.enum(['concatenate', 'sum', 'none']),
  embedding: z.object({
    /** Of one image, before the mirror is joined. */
    length: whole,
    /** Name of the model's output, [N, length] float32. */
    output: z.string().min(1),
  }),
  metric: z.literal('cosine').default('cosine'),
  /**
   * Where to call two faces the same: the cosine that pairs of different people reach at a false match rate,
   * measured on the people that `on` names.
   */
  thresholds: z
    .object({
      on: z.string().min(1),
      points: z.array(z.object({ fmr: z.number().positive().max(1), threshold: z.number() })).nonempty(),
    })
    .optional(),
  trainedOn: z.string().default('not stated'),
  licence: z.string().default('not stated'),
  /** SHA-256 of the ONNX file in hexadecimal; outside of the file only. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')
    .optional(),
});

/** What a model says of itself; see the schema's fields. */
export type Manifest = z.infer<typeof manifestSchema>;

/** Parts of a manifest, to complete or to overrule what a model says of itself. */
export type ManifestOverrides = Partial<Omit<Manifest, 'input' | 'embedding'>> & {
  input?: Partial<Manifest['input']>;
  embedding?: Partial<Manifest['embedding']>;
};

/** What the ONNX graph itself tells. */
export interface GraphFacts {
  input: string;
  height?: number;
  width?: number;
  output: string;
  length?: number;
}

/** The ONNX metadata that carries `manifest` (without its hash, which depends on the file). */
export function manifestMetadata({ sha256: _, ...manifest }: Manifest): Record<string, string> {
  return { [MANIFEST_KEY]: JSON.stringify(manifest) };
}

/** The JSON file beside a model in which its manifest lies: model.json for model.onnx. */
export const manifestFile = (model: string): string => `${model.replace(/\.onnx$/i, '')}.json`;

/** The manifest for the JSON file beside a model: with the hash of the model's bytes. */
export function manifestBeside(manifest: Manifest, model: Uint8Array): Manifest {
  return { ...manifest, sha256: sha256(model) };
}

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Parses a manifest's JSON text; `source` is named in messages. Throws UserError. */
export function parseManifestJson(text: string, source: string): ManifestOverrides {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${source}: not JSON (${(error as Error).message})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`${source}: a manifest is a JSON object`);
  }
  return value as ManifestOverrides;
}

/**
 * One manifest from what the graph tells, what the model or a file states, and the overrides, the later before
 * the earlier. A model without a manifest needs `input.order`, `input.mean` and `input.scale`; its mirror
 * images are left out unless `flip` says otherwise.
 * Throws UserError, in one sentence, when something is missing or wrong; `model` is named in it.
 */
export function resolveManifest(
  model: string,
  facts: GraphFacts,
  stated: ManifestOverrides | undefined,
  overrides: ManifestOverrides = {},
): Manifest {
  const found = stated ?? { format: 'hypersphere-model/1', name: model, flip: 'none' };
  const merged = {
    ...found,
    ...defined(overrides),
    input: {
      ...defined({ name: facts.input, height: facts.height, width: facts.width }),
      ...found.input,
      ...defined(overrides.input),
    },
    embedding: {
      ...defined({ output: facts.output, length: facts.length }),
      ...found.embedding,
      ...defined(overrides.embedding),
    },
  };
  if (!stated) refuseGaps(model, merged.input);
  const checked = manifestSchema.safeParse(merged);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw new UserError(`${model}: its manifest is wrong at '${issue!.path.join('.')}': ${issue!.message}`);
  }
  const manifest = checked.data;
  // Thresholds were measured on faces prepared as the model says; prepared otherwise they mean nothing.
  if (stated && contradicts(overrides, stated) && !overrides.thresholds) delete manifest.thresholds;
  for (const [what, told, said] of [
    ['input name', facts.input, manifest.input.name],
    ['input height', facts.height, manifest.input.height],
    ['input width', facts.width, manifest.input.width],
    ['output name', facts.output, manifest.embedding.output],
    ['embedding length', facts.length, manifest.embedding.length],
  ] as const) {
    if (told !== undefined && told !== said) {
      throw new UserError(
        `${model}: the ${what} is ${told} in the graph but ${said} in the manifest; mend one`,
      );
    }
  }
  return manifest;
}

/** Whether overrides change how faces become embeddings, where the model says it. */
function contradicts(overrides: ManifestOverrides, stated: ManifestOverrides): boolean {
  const told = ({ input, template, flip }: ManifestOverrides) => [
    ...[input?.order, input?.mean, input?.scale, flip],
    template === undefined || template === 'not stated' ? undefined : label(String(template)),
  ];
  const said = told(stated);
  return told(overrides).some(
    (value, i) =>
      value !== undefined && said[i] !== undefined && JSON.stringify(value) !== JSON.stringify(said[i]),
  );
}

/** A template's full name, in which what its numbers call the first pixel is never left out. */
function label(template: string): string {
  try {
    return templateLabel(templateNamed(template));
  } catch {
    return template;
  }
}

/** A model without a manifest: names the flags that are missing. */
function refuseGaps(model: string, input: Partial<Manifest['input']>): void {
  const flags = {
    '--order rgb|bgr': input.order,
    '--mean NUMBER': input.mean,
    '--scale NUMBER': input.scale,
    '--size HEIGHTxWIDTH': input.height !== undefined && input.width !== undefined ? true : undefined,
  };
  const missing = Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [flag] : []));
  if (missing.length > 0) {
    throw new UserError(
      `${model} does not say how its input is prepared: give ${missing.join(', ')}, or --manifest FILE`,
    );
  }
}

/** The entries of `object` that are not undefined. */
function defined<T extends object>(object: T | undefined): Partial<T> {
  return Object.fromEntries(
    Object.entries(object ?? {}).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}

/** Whether two manifests are of one model prepared in one way, so that their embeddings can be compared. */
export const sameModel = (a: Manifest, b: Manifest): boolean => modelDifference(a, b) === undefined;

/**
 * The first thing in which the embeddings of `a` are not those of `b`, as in 'the model x.onnx, not y.onnx' or 'images
 * and mirrors joined as sum, not none'; undefined when they can be compared. What follows 'of' in messages.
 */
export function modelDifference(a: Manifest, b: Manifest): string | undefined {
  const told = ({ name, template, flip, embedding, input }: Manifest) => [
    ['the model', name],
    ['the template', template],
    ['images and mirrors joined as', flip],
    ['embeddings of', `${embedding.length} numbers`],
    ['the input', `${input.width}x${input.height} ${input.order}, mean ${input.mean}, scale ${input.scale}`],
  ];
  const other = told(b);
  const at = told(a).findIndex(([, said], i) => said !== other[i]![1]);
  if (at >= 0) return `${told(a)[at]!.join(' ')}, not ${other[at]![1]}`;
  const hashes = [a.sha256, b.sha256].filter((hash) => hash !== undefined);
  if (a.trainedOn === b.trainedOn && new Set(hashes).size < 2) return undefined;
  return `another model of the name ${a.name}`;
}
