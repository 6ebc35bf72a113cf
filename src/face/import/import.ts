// Weights of others in our networks: the network is built as the file could mean it (size of the input, length of
// the embedding, normalisations apart or folded), until every parameter has its tensor.
import { basename } from 'node:path';
import { UserError } from '../../common/errors.js';
import { input, type Tensor } from '../../graph/index.js';
import { foldNormalizations, networkNamed, networks, Scope } from '../../nn/index.js';
import { type Match, matchTensors, type Wanted } from './match.js';
import { mismatchTable, WeightMismatch } from './mismatch.js';
import { shapeText } from './shapes.js';
import { openWeights, type WeightFile, type WeightFormat } from './tensors.js';

/** Settings of `importWeights`. */
export interface ImportOptions {
  /** One of `importable`. */
  net: string;
  /** Input [height, width] in pixels; without it, that of the network or another usual one that fits the file. */
  size?: readonly [number, number];
  /** Length of the embedding; without it, the network's own or one that fits the file. */
  embedding?: number;
  /** The file's names of parameters, by ours, for files in a dialect of their own. */
  map?: Readonly<Record<string, string>>;
}

/** Weights of a file as those of a network. */
export interface ImportedWeights {
  net: string;
  size: readonly [number, number];
  embedding: number;
  file: string;
  format: WeightFormat;
  /** By our names, for the network built `folded`. */
  weights: ReadonlyMap<string, Float32Array>;
  /** How many parameters were found by which rule. */
  rules: Match['rules'];
  /** Tensors that were left out, with the reason. */
  ignored: Match['ignored'];
}

/** The networks whose weights can be imported: those for faces. */
export const importable: readonly string[] = Object.keys(networks).filter(
  (name) => networks[name]!.channels === 3,
);

/** Input sizes that are tried beside a network's own. */
const SIZES: readonly (readonly [number, number])[] = [
  [112, 96],
  [112, 112],
];

/** Longest embedding that is thought of unasked. */
const LONGEST = 4096;

/** One way to build the network. */
interface Design {
  size: readonly [number, number];
  embedding: number;
  /** Whether its normalisations are folded, as in models for inference. */
  folded: boolean;
}

/**
 * The network on one image [1, 3, H, W], and its parameters. `zeros` adds the biases that a file may have and the
 * network has not, since the published definition fixes them at zero.
 */
export function buildDesign(
  net: string,
  { size, embedding, folded }: Design,
): { images: Tensor; embedding: Tensor; wanted: Wanted[] } {
  const scope = new Scope();
  const images = input('images', [1, 3, ...size]);
  const norm = folded ? 'folded' : 'running';
  const features = networkNamed(net).build(scope, images, { embedding, norm });
  const names = new Set(scope.parameters.map(({ name }) => name));
  const wanted = scope.parameters.flatMap(({ name, shape }): Wanted[] => {
    const layer = name.replace(/\.weight$/, '');
    const bare = shape.length === 4 && !names.has(`${layer}.bias`) && !names.has(`${layer}.norm.weight`);
    return [{ name, shape }, ...(bare ? [{ name: `${layer}.bias`, shape: [shape[0]!], zero: true }] : [])];
  });
  return { images, embedding: features, wanted };
}

/** The designs that a file could mean, the likeliest first. */
function designs({ tensors }: WeightFile, { net, size, embedding }: ImportOptions): Design[] {
  const own = networkNamed(net);
  const sizes = size ? [size] : unique([own.size, ...SIZES]);
  // Some layer's outputs, or the inputs of a classifier, are the embedding.
  const layers = [...tensors.values()].filter(({ shape }) => shape.length >= 2);
  const outputs = layers.flatMap(({ shape }) => shape.slice(0, shape.length === 2 ? 2 : 1));
  const lengths = embedding ? [embedding] : unique([own.embedding, ...outputs]);
  const plausible = lengths.filter((length) => length > 1 && length <= LONGEST);
  return sizes.flatMap((size) =>
    plausible.flatMap((embedding) => [false, true].map((folded) => ({ size, embedding, folded }))),
  );
}

const unique = <T>(values: readonly T[]): T[] => [
  ...new Map(values.map((value) => [String(value), value])).values(),
];

/** The first design that the file fits, or the one that it fits best. */
function bestDesign(
  file: WeightFile,
  options: ImportOptions,
): { design: Design; wanted: Wanted[]; match: Match } {
  const tried = new Set<string>();
  let best: { design: Design; wanted: Wanted[]; match: Match } | undefined;
  const misses = ({ missing, over }: Match) => missing.length + over.length;
  for (const design of designs(file, options)) {
    const { wanted } = buildDesign(options.net, design);
    const key = wanted.map(({ name, shape }) => name + shape).join();
    if (tried.has(key)) continue;
    tried.add(key);
    const match = matchTensors(file, { ...options, wanted, embedding: design.embedding });
    if (!best || misses(match) < misses(best.match)) best = { design, wanted, match };
    if (misses(best.match) === 0) break;
  }
  return best!;
}

/**
 * Reads the weights of `file` (.pth, .pt, .ckpt, .caffemodel, .safetensors, .onnx) into a network. Throws a
 * `WeightMismatch` that lists names and shapes of both sides when they are not those of the network, and a
 * `UserError` for a file that cannot be read or a network of that name that does not exist.
 */
export async function importWeights(file: string, options: ImportOptions): Promise<ImportedWeights> {
  return placeWeights(await openWeights(file), options);
}

/** The same from a file that has been read. */
export function placeWeights(file: WeightFile, options: ImportOptions): ImportedWeights {
  const { net } = options;
  if (!importable.includes(net)) {
    throw new UserError(`no network for faces is called '${net}'; choose ${importable.join(', ')}`);
  }
  const { design, wanted, match } = bestDesign(file, options);
  if (match.missing.length + match.over.length > 0) {
    throw new WeightMismatch(reasonOf(file, options, design, match), mismatchTable(file, wanted, match));
  }
  const weights = new Map<string, Float32Array>();
  const ignored = [...match.ignored];
  for (const { name, shape, zero } of wanted) {
    const theirs = match.assigned.get(name);
    if (theirs === undefined) continue;
    const numbers = numbersFor(file, theirs, shape);
    if (zero) refuseBias(file.file, theirs, numbers);
    if (zero) ignored.push({ name: theirs, reason: 'a bias of zero, which this network leaves out' });
    else weights.set(name, numbers);
  }
  return {
    net,
    size: design.size,
    embedding: design.embedding,
    file: file.file,
    format: file.format,
    weights: design.folded ? weights : foldNormalizations(weights),
    rules: match.rules,
    ignored,
  };
}

/** A tensor's numbers for a parameter of `shape`; one shared slope is repeated. Throws for what is not finite. */
function numbersFor({ file, tensors }: WeightFile, name: string, shape: readonly number[]): Float32Array {
  const numbers = tensors.get(name)!.numbers();
  const bad = numbers.find((value) => !Number.isFinite(value));
  if (bad !== undefined)
    throw new UserError(`${file}: tensor '${name}' holds ${bad}; these weights are of no use`);
  const count = shape.reduce((product, length) => product * length, 1);
  return numbers.length === count ? numbers : new Float32Array(count).fill(numbers[0]!);
}

function refuseBias(file: string, name: string, numbers: Float32Array): void {
  const largest = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest > 0) {
    throw new UserError(
      `${file}: '${name}' is not zero (up to ${largest.toPrecision(2)}), but this network, as published, has no bias in its residual convolutions`,
    );
  }
}

/** One sentence of what is wrong, and what would be right if that is known. */
function reasonOf(
  file: WeightFile,
  options: ImportOptions,
  { size, embedding }: Design,
  match: Match,
): string {
  const { missing, over, misshapen } = match;
  const shapeOf = (name: string) => shapeText(file.tensors.get(name)!.shape);
  const are = (count: number, what: string) => (count === 1 ? `1 ${what} is` : `${count} ${what}s are`);
  const what: string[] = [];
  const first = missing.find(({ name }) => misshapen.has(name)) ?? missing[0];
  if (first) {
    const theirs = misshapen.get(first.name);
    what.push(
      `${are(missing.length, 'parameter')} not found, such as '${first.name}' ${shapeText(first.shape)}${theirs ? `, which is ${shapeOf(theirs)} in the file` : ''}`,
    );
  }
  const near = new Set(misshapen.values());
  const strange = over.filter((name) => !near.has(name));
  if (strange.length > 0) {
    what.push(
      `${are(strange.length, 'tensor')} of no place in it, such as '${strange[0]}' ${shapeOf(strange[0]!)}`,
    );
  }
  const other = importable.find((net) => {
    if (net === options.net) return false;
    const { match } = bestDesign(file, { ...options, net, map: undefined });
    return match.missing.length + match.over.length === 0;
  });
  const tried = `${options.net} for images of ${size.join('x')} and embeddings of ${embedding}`;
  const mend = other
    ? `it fits --net ${other}`
    : 'choose the network it was trained as, its --size and --embedding';
  return `${basename(file.file)} is not of ${tried}: ${what.join(', and ')}; ${mend}`;
}
