// A float graph with its convolutions, matrix products and sums in integers: activations as 8-bit levels from 0 to
// 255, weights as signed integers, products summed in 32 bits (Jacob et al., CVPR 2018, section 2). Written with the
// operators that compute on levels (QLinearConv, and ONNX Runtime's QLinearAdd and QGemm), so that what is in the
// file is what runs, whatever a runtime's optimiser recognises.
import { UserError } from '../../common/errors.js';
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor } from '../onnx-model.js';
import { used } from '../rewrite/constants.js';
import { channelAxis } from '../rewrite/fold-convolutions.js';
import { type Links, linksOf, namer } from '../rewrite/links.js';
import { MICROSOFT } from '../writer.js';
import { cutAfter, MOVES, type Role, roleOf } from './operators.js';
import { levels, type Range } from './ranges.js';
import { quantizeWeights } from './weights.js';

export interface QuantizeOptions {
  /**
   * Bits of weights. Where a processor adds pairs of 8-bit products in 16 bits (AVX2 without VNNI), 8 bits can
   * overflow and 7 cannot: 2 * 255 * 63 < 2^15. Depthwise kernels have no such pairs and always get 8. Default 7.
   */
  bits?: 7 | 8;
  /** A scale for every output channel of the weights (default), or one a layer. */
  perChannel?: boolean;
  /** Names of layers that stay in float. */
  keep?: readonly string[];
  /** Mean of every channel of a value over calibration images, which biases make up for rounded weights with. */
  means?: (value: string) => Float64Array | undefined;
}

/** A layer and what became of it. */
export interface QuantizedLayer {
  name: string;
  op: string;
  /** Why it stays in float; undefined for one in integers. */
  float?: string;
}

export interface QuantizedGraph {
  graph: OnnxGraph;
  layers: QuantizedLayer[];
}

/** The name of a layer: of its weights without their last part, as in 'conv1_1', else of its node or value. */
export function layerName(node: OnnxNode, { constants }: Pick<Links, 'constants'>): string {
  const weight = node.inputs.slice(1).find((name) => constants.get(name)?.dtype === 'float32');
  if (weight === undefined) return node.name || node.outputs[0]!;
  return weight.replace(/\.folded(_\d+)?$/, '').replace(/\.[^.]*$/, '');
}

/** Values of a prepared graph whose range has to be known, the names that are fed first. */
export function valuesToCalibrate(graph: OnnxGraph): string[] {
  const links = linksOf(graph);
  const names = graph.inputs.map(({ name }) => name);
  for (const node of graph.nodes) {
    const { kind } = roleOf(node, links);
    if (kind === 'float' || kind === 'move') continue;
    names.push(node.inputs[0]!, ...(kind === 'add' ? [node.inputs[1]!] : []));
    names.push((cutAfter(node, links) ?? node).outputs[0]!);
  }
  return [...new Set(names)];
}

/**
 * The graph in integers. Its constants must be initialisers, and what can be folded folded; `rangeOf` gives the range
 * of a value of `valuesToCalibrate`. A layer whose values are the graph's output, save for a change of shape, gives
 * floats: a matrix product does so by itself, a convolution stays in float. Throws a UserError for a name in `keep`
 * that is no layer's.
 */
export function quantizeGraph(
  graph: OnnxGraph,
  rangeOf: (value: string) => Range,
  options: QuantizeOptions = {},
): QuantizedGraph {
  return new Quantizer(graph, rangeOf, options).run();
}

/** A value as levels. */
interface Levels {
  name: string;
  scale: number;
  zero: number;
  /** Names of the constants that hold scale and zero. */
  scaleName: string;
  zeroName: string;
}

class Quantizer {
  readonly #links: Links;
  readonly #fresh: (wanted: string) => string;
  readonly #nodes: OnnxNode[] = [];
  readonly #added: OnnxTensor[] = [];
  /** Values that exist as levels, and names of those that exist as floats. */
  readonly #levels = new Map<string, Levels>();
  readonly #floats: Set<string>;
  readonly #layers: QuantizedLayer[] = [];
  readonly #outputs: ReadonlySet<string>;

  constructor(
    private readonly graph: OnnxGraph,
    private readonly rangeOf: (value: string) => Range,
    private readonly options: QuantizeOptions,
  ) {
    this.#links = linksOf(graph);
    this.#fresh = namer(graph);
    this.#floats = new Set(graph.inputs.map(({ name }) => name));
    this.#outputs = valuesGivenOut(graph);
  }

  run(): QuantizedGraph {
    const keep = new Set(this.options.keep ?? []);
    const names = new Set<string>();
    const absorbed = new Set<OnnxNode>();
    for (const node of this.graph.nodes) {
      if (absorbed.has(node)) continue;
      const name = layerName(node, this.#links);
      names.add(name);
      const role = this.#roleOf(node, keep.has(name));
      if (role.kind !== 'move') {
        const float = role.kind === 'float' ? { float: role.reason } : {};
        this.#layers.push({ name, op: node.opType, ...float });
      }
      if (role.kind === 'move') this.#move(node);
      else if (role.kind === 'float') this.#keep(node);
      else {
        const cut = cutAfter(node, this.#links);
        if (cut) absorbed.add(cut);
        const output = (cut ?? node).outputs[0]!;
        if (role.kind === 'conv') this.#conv(node, role, output);
        else if (role.kind === 'gemm') this.#gemm(node, role, output, cut !== undefined);
        else this.#add(node, output);
      }
    }
    for (const name of keep) {
      if (!names.has(name)) throw new UserError(`no layer is called '${name}'; there are ${few([...names])}`);
    }
    for (const { name } of this.graph.outputs) this.#float(name);
    const initializers = [...this.graph.initializers, ...this.#added];
    return { graph: used({ ...this.graph, nodes: this.#nodes, initializers }), layers: this.#layers };
  }

  #roleOf(node: OnnxNode, kept: boolean): Role {
    if (kept) return { kind: 'float', reason: 'asked for' };
    const role = roleOf(node, this.#links);
    const last = role.kind !== 'float' && role.kind !== 'move' && this.#outputs.has(node.outputs[0]!);
    if (last && role.kind !== 'gemm') return { kind: 'float', reason: 'it gives the output' };
    return role;
  }

  /** A node that moves values moves levels where its input has been made as levels, else floats. */
  #move(node: OnnxNode): void {
    const [x, ...rest] = node.inputs as [string, ...string[]];
    const from = this.#levels.get(x);
    if (!from) {
      this.#keep(node);
      return;
    }
    const name = this.#fresh(`${node.outputs[0]!}.levels`);
    this.#nodes.push({ ...node, inputs: [from.name, ...rest], outputs: [name] });
    this.#levels.set(node.outputs[0]!, { ...from, name });
  }

  #keep(node: OnnxNode): void {
    for (const name of node.inputs) if (name && !this.#links.constants.has(name)) this.#float(name);
    this.#nodes.push(node);
    for (const name of node.outputs) this.#floats.add(name);
  }

  #conv(node: OnnxNode, { weight, bias }: Role & { kind: 'conv' | 'gemm' }, output: string): void {
    const x = this.#quantized(node.inputs[0]!);
    const y = this.#newLevels(output);
    const [w, b] = this.#parameters(node, weight, bias, x);
    const inputs = [x.name, x.scaleName, x.zeroName, ...w, y.scaleName, y.zeroName, b];
    this.#push('QLinearConv', inputs, y.name, node.attributes);
    this.#levels.set(output, y);
  }

  /** A matrix product gives levels, or floats where the graph gives its values out. */
  #gemm(
    node: OnnxNode,
    { weight, bias }: Role & { kind: 'conv' | 'gemm' },
    output: string,
    cut: boolean,
  ): void {
    const x = this.#quantized(node.inputs[0]!);
    const [w, b] = this.#parameters(node, weight, bias, x);
    const { transB } = node.attributes ?? {};
    const attributes: Record<string, OnnxAttribute> = transB ? { transB } : {};
    const inputs = [x.name, x.scaleName, x.zeroName, ...w, b];
    if (this.#outputs.has(output) && !cut) {
      this.#push('QGemm', inputs, output, attributes, MICROSOFT);
      this.#floats.add(output);
      return;
    }
    const y = this.#newLevels(output);
    this.#push('QGemm', [...inputs, y.scaleName, y.zeroName], y.name, attributes, MICROSOFT);
    this.#levels.set(output, y);
  }

  #add(node: OnnxNode, output: string): void {
    const inputs = node.inputs.flatMap((name) => {
      const x = this.#quantized(name);
      return [x.name, x.scaleName, x.zeroName];
    });
    const y = this.#newLevels(output);
    this.#push('QLinearAdd', [...inputs, y.scaleName, y.zeroName], y.name, {}, MICROSOFT);
    this.#levels.set(output, y);
  }

  /** Weights, their scale and zero; and the bias in units of input scale times weight scale. */
  #parameters(
    node: OnnxNode,
    weight: OnnxTensor,
    bias: OnnxTensor | undefined,
    x: Levels,
  ): [[string, string, string], string] {
    const { bits = 7, perChannel = true } = this.options;
    const data = weight.data as Float32Array;
    const axis = channelAxis(node);
    const channels = weight.shape[axis]!;
    const channelOf =
      axis === 1 ? (i: number) => i % channels : (i: number) => Math.floor((i * channels) / data.length);
    const wanted = Float64Array.from({ length: channels }, (_, c) => Number(bias?.data[c] ?? 0));
    const depthwise = node.opType === 'Conv' && weight.shape[1] === 1 && node.attributes?.group === channels;
    const largest = bits === 8 || depthwise ? 127 : 63;
    const least = wanted.map((b) => Math.abs(b) / x.scale / 2 ** 30);
    const { data: integers, scales } = quantizeWeights(data, channelOf, least, { largest, perChannel });
    const scaleOf = (c: number) => scales[perChannel ? c : 0]!;
    const mended = this.#mended(node, data, channelOf, (i) => integers[i]! * scaleOf(channelOf(i)), wanted);
    const name = layerName(node, this.#links);
    const zeros = new Int8Array(scales.length);
    return [
      [
        this.#constant(`${name}.weight.integers`, 'int8', weight.shape, integers),
        this.#constant(`${name}.weight.scale`, 'float32', perChannel ? [channels] : [], scales),
        this.#constant(`${name}.weight.zero`, 'int8', perChannel ? [channels] : [], zeros),
      ],
      this.#constant(
        `${name}.bias.integers`,
        'int32',
        [channels],
        Int32Array.from(mended, (b, c) => Math.round(b / (x.scale * scaleOf(c)))),
      ),
    ];
  }

  /**
   * The bias less what rounded weights add to every channel's mean, sum over inputs of (rounded - weight) E[x]
   * (Nagel et al., ICCV 2019, section 4.2; the border is taken for the inside).
   */
  #mended(
    node: OnnxNode,
    weights: Float32Array,
    channelOf: (i: number) => number,
    rounded: (i: number) => number,
    bias: Float64Array,
  ): Float64Array {
    const means = this.options.means?.(node.inputs[0]!);
    const shape = this.#links.constants.get(node.inputs[1]!)!.shape;
    const group = typeof node.attributes?.group === 'number' ? node.attributes.group : 1;
    const inputs = node.opType === 'Conv' ? shape[1]! * group : shape[1 - channelAxis(node)]!;
    if (means?.length !== inputs) return bias;
    const taps = node.opType === 'Conv' ? shape[2]! * shape[3]! : 1;
    const outputs = bias.length;
    const inputOf = (i: number): number => {
      if (node.opType === 'Gemm') return channelAxis(node) === 0 ? i % inputs : Math.floor(i / outputs);
      const within = Math.floor(i / taps) % shape[1]!;
      return Math.floor(channelOf(i) / (outputs / group)) * shape[1]! + within;
    };
    const mended = Float64Array.from(bias);
    weights.forEach((w, i) => {
      mended[channelOf(i)]! -= (rounded(i) - w) * means[inputOf(i)]!;
    });
    return mended;
  }

  /** The value as levels, made from floats if need be. */
  #quantized(name: string): Levels {
    const known = this.#levels.get(name);
    if (known) return known;
    const made = this.#newLevels(name);
    this.#push('QuantizeLinear', [name, made.scaleName, made.zeroName], made.name);
    this.#levels.set(name, made);
    return made;
  }

  /** Sees to it that the value exists in float under its own name. */
  #float(name: string): void {
    if (this.#floats.has(name)) return;
    const from = this.#levels.get(name);
    if (!from) throw new Error(`'${name}' is read before it is made`);
    this.#push('DequantizeLinear', [from.name, from.scaleName, from.zeroName], name);
    this.#floats.add(name);
  }

  #newLevels(value: string): Levels {
    const { scale, zero } = levels(this.rangeOf(value));
    return {
      name: this.#fresh(`${value}.levels`),
      scale,
      zero,
      scaleName: this.#constant(`${value}.scale`, 'float32', [], Float32Array.of(scale)),
      zeroName: this.#constant(`${value}.zero`, 'uint8', [], Uint8Array.of(zero)),
    };
  }

  #constant<D extends OnnxTensor['dtype']>(
    wanted: string,
    dtype: D,
    shape: readonly number[],
    data: OnnxTensor['data'],
  ): string {
    const name = this.#fresh(wanted);
    this.#added.push({ name, dtype, shape: [...shape], data });
    return name;
  }

  #push(
    opType: string,
    inputs: string[],
    output: string,
    attributes: Record<string, OnnxAttribute> = {},
    domain = '',
  ): void {
    this.#nodes.push({ opType, inputs, outputs: [output], attributes, domain, name: `${opType}_${output}` });
  }
}

/** Outputs of the graph, and what becomes one by being moved about. */
function valuesGivenOut(graph: OnnxGraph): Set<string> {
  const found = new Set(graph.outputs.map(({ name }) => name));
  for (const node of [...graph.nodes].reverse()) {
    if (MOVES.has(node.opType) && found.has(node.outputs[0]!)) found.add(node.inputs[0]!);
  }
  return found;
}

/** Names for a message, the first of many. */
function few(names: readonly string[]): string {
  return names.length > 12
    ? `${names.slice(0, 12).join(', ')} and ${names.length - 12} more`
    : names.join(', ');
}
