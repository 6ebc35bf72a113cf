// Whether the work of a model is bounded by its file and the size of what it is fed. Anyone's ONNX file is opened, and
// ONNX can loop for ever, make a tensor as long as a pixel says, and read other files. What is refused here no network
// for faces needs. How much work there is within these bounds, a trial finds out (src/runtime/trial.ts).
import { UserError } from '../common/errors.js';
import { type ScannedGraph, type ScannedModel, type ScannedNode, scanModel } from './onnx-scan.js';

/** Operators whose attributes may hold graphs: of branches each is run once at most. */
const BRANCHES = new Set(['If']);

/** Operators that read a file. */
const READS_FILES = new Set(['EPContext']);

/** The places of inputs that say how large an output is to be. */
const SIZED_BY = new Map<string, readonly number[]>(
  Object.entries({
    AffineGrid: [1],
    BlackmanWindow: [0],
    CenterCropPad: [1],
    Col2Im: [1, 2],
    ConstantOfShape: [0],
    CropAndResize: [3],
    DFT: [1],
    Expand: [1],
    HammingWindow: [0],
    HannWindow: [0],
    MaxUnpool: [2],
    MelWeightMatrix: [0, 1, 2, 3, 4],
    OneHot: [1],
    Pad: [1],
    Range: [0, 1, 2],
    Resize: [1, 2, 3],
    STFT: [1, 3],
    Tile: [1, 2],
    Upsample: [1],
  }),
);

/** Operators whose output's size follows from numbers that they are fed; it is bounded by their input's size. */
const SIZE_OF_DATA = new Set(['Compress', 'NonMaxSuppression', 'NonZero', 'Unique']);

/** Nodes that a runtime may have once it has put functions in the place of their calls. */
const MOST_NODES = 1_000_000;

/** What a value depends on. */
interface Origin {
  /** Numbers that are fed. */
  data: boolean;
  /** Its size does. */
  size: boolean;
}

/**
 * Throws a UserError, without the file's name, for a model that holds a loop, takes a size from the numbers that it is
 * fed, or has weights in another file; and for bytes that are no ONNX model.
 */
export function requireBounded(bytes: Uint8Array): void {
  const model = scanModel(bytes);
  const [other] = model.external;
  if (other)
    throw new UserError(
      `its tensor '${other.name}' lies in another file (${other.place || 'not named'}); save the model as one file`,
    );
  requireFewNodes(model);
  const functions = new Set(model.functions.map(({ name }) => name));
  for (const graph of [model.graph, ...model.functions]) {
    const constants = new Set(graph.initializers);
    const fed = graph.inputs.filter((name) => !constants.has(name));
    checkNodes(graph, new Map(fed.map((name) => [name, { data: true, size: false }])), functions);
  }
}

/** The origins of a graph's values, in which those of `outer` are known. */
function checkNodes(
  graph: ScannedGraph,
  outer: ReadonlyMap<string, Origin>,
  functions: ReadonlySet<string>,
): Map<string, Origin> {
  const origins = new Map(outer);
  const later = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const originOf = (name: string): Origin => {
    if (name !== '' && later.has(name))
      throw new UserError(
        `its nodes are not in the order in which they are computed ('${name}'); export it again`,
      );
    return origins.get(name) ?? { data: false, size: false };
  };
  for (const node of graph.nodes) {
    checkOperator(node);
    const from = node.inputs.map(originOf);
    for (const place of SIZED_BY.get(node.opType) ?? [])
      if (from[place]?.data)
        throw new UserError(
          `its ${node.opType} makes '${node.outputs[0]}' as large as the numbers of an image say, so its memory has no bound; export the network without what comes after it`,
        );
    const inner = node.graphs.flatMap((branch) => [...checkNodes(branch, origins, functions).values()]);
    // Of what a function does in between nothing is known here.
    const unknown: Origin[] = functions.has(node.opType) ? [{ data: true, size: true }] : [];
    const all = [...from, ...inner, ...unknown];
    const [data, size] = (['data', 'size'] as const).map((kind) => all.some((origin) => origin[kind]));
    const shaped = node.opType === 'Shape' || node.opType === 'Size';
    const chosen = node.graphs.length > 0 && data!;
    const origin = { data: shaped ? size! : data!, size: size! || chosen || SIZE_OF_DATA.has(node.opType) };
    for (const name of node.outputs) {
      origins.set(name, origin);
      later.delete(name);
    }
  }
  return origins;
}

function checkOperator({ opType, graphs, outputs }: ScannedNode): void {
  if (READS_FILES.has(opType))
    throw new UserError(`its ${opType} reads another file; export the network itself`);
  if (opType === 'Loop' || opType === 'Scan' || (graphs.length > 0 && !BRANCHES.has(opType)))
    throw new UserError(
      `it holds a ${opType} ('${outputs[0] ?? ''}'), which can go on for ever; export the network without control flow`,
    );
}

/** Functions that call functions can stand for more nodes than there are atoms. */
function requireFewNodes({ graph, functions }: ScannedModel): void {
  const byName = new Map<string, ScannedGraph[]>();
  for (const one of functions) byName.set(one.name, [...(byName.get(one.name) ?? []), one]);
  const counted = new Map<ScannedGraph, number>();
  const count = (one: ScannedGraph): number => {
    const known = counted.get(one);
    if (known !== undefined) return known;
    // A function that calls itself has no end.
    counted.set(one, Number.POSITIVE_INFINITY);
    const sum = one.nodes.reduce(
      (total, node) =>
        total +
        Math.max(1, ...(byName.get(node.opType) ?? []).map(count)) +
        node.graphs.reduce((inner, branch) => inner + count(branch), 0),
      0,
    );
    counted.set(one, sum);
    return sum;
  };
  if (count(graph) > MOST_NODES)
    throw new UserError(
      `it has more than ${MOST_NODES.toLocaleString('en')} nodes, those of its functions counted at every call`,
    );
}
