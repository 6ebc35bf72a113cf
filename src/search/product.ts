// The scores of probes against a block of templates as one matrix product, probes x transposed templates, run by
// ONNX Runtime. float16 and int8 templates become float32 inside the product, so that what is read and held stays
// small; with the scores come the maxima of groups of them, which tell a search where it need not look.
import { encodeModel, type OnnxNode, type OnnxTensor, type OnnxValue, OPSET } from '../lower/index.js';
import { type InferenceSession, Tensor } from '../runtime/onnxruntime.js';
import { openSession } from '../runtime/session.js';
import type { StoredRows, TemplateType } from './source.js';

/** Scores that share a maximum: neighbours along the templates. */
export const GROUP = 64;
/**
 * Rows of a block are a multiple of this. The runtime adds up in another order where a matrix is narrow; whole
 * blocks keep to one order, so that equal templates have equal scores wherever they lie.
 */
export const ROWS = 1024;

/** What turns the block as it is fed ('block') into float32 [B, D] ('templates'). */
const unpack: Record<TemplateType, OnnxNode[]> = {
  float32: [{ opType: 'Identity', inputs: ['block'], outputs: ['templates'] }],
  float16: [{ opType: 'Cast', inputs: ['block'], outputs: ['templates'], attributes: { to: 1 } }],
  int8: [
    {
      opType: 'DequantizeLinear',
      inputs: ['block', 'scales'],
      outputs: ['templates'],
      attributes: { axis: 0 },
    },
  ],
};

const groups: { node: OnnxNode[]; shape: OnnxTensor } = {
  node: [
    { opType: 'Reshape', inputs: ['scores', 'grouped'], outputs: ['groups'] },
    {
      opType: 'ReduceMax',
      inputs: ['groups'],
      outputs: ['maxima'],
      attributes: { axes: [2], keepdims: 0 },
    },
  ],
  shape: { name: 'grouped', dtype: 'int64', shape: [3], data: BigInt64Array.of(0n, -1n, BigInt(GROUP)) },
};

/** What a product writes to. */
export interface Products {
  /** [P, B] */
  scores: Float32Array;
  /** [P, B / GROUP], when the product was opened with maxima. */
  maxima?: Float32Array;
}

/** Multiplies probes with blocks of templates of one type and length. */
export class Product {
  private constructor(
    private readonly session: InferenceSession,
    private readonly type: TemplateType,
    private readonly length: number,
  ) {}

  /** Opens a product for templates of `type`, `length` numbers a row, on the CPU. */
  static async open(
    type: TemplateType,
    length: number,
    { threads, maxima }: { threads: number; maxima: boolean },
  ): Promise<Product> {
    const inputs: OnnxValue[] = [
      { name: 'probes', dtype: 'float32', shape: ['P', length] },
      { name: 'block', dtype: type, shape: ['B', length] },
      ...(type === 'int8' ? [{ name: 'scales', dtype: 'float32' as const, shape: ['B'] }] : []),
    ];
    const model = encodeModel({
      opset: OPSET,
      graph: {
        name: 'scores',
        inputs,
        outputs: [
          { name: 'scores', dtype: 'float32', shape: ['P', 'B'] },
          ...(maxima ? [{ name: 'maxima', dtype: 'float32' as const, shape: ['P', 'G'] }] : []),
        ],
        initializers: maxima ? [groups.shape] : [],
        nodes: [
          ...unpack[type],
          {
            opType: 'Gemm',
            inputs: ['probes', 'templates'],
            outputs: ['scores'],
            attributes: { transB: 1 },
          },
          ...(maxima ? groups.node : []),
        ],
      },
    });
    const session = await openSession(model, { target: 'cpu', threads, spin: false });
    return new Product(session, type, length);
  }

  /**
   * Writes the scores of `probes` [P, D] and the first `rows` rows of `block` to the start of `into`, and returns
   * the parts that were written. `rows` is a multiple of ROWS.
   */
  async run(probes: Float32Array, block: StoredRows, rows: number, into: Products): Promise<Products> {
    const { length } = this;
    const count = probes.length / length;
    const scores = into.scores.subarray(0, count * rows);
    const maxima = into.maxima?.subarray(0, (count * rows) / GROUP);
    const values = block.values.subarray(0, rows * length);
    await this.session.run(
      {
        probes: new Tensor('float32', probes, [count, length]),
        block: new Tensor(this.type, values as Float32Array, [rows, length]),
        ...(block.scales && { scales: new Tensor('float32', block.scales.subarray(0, rows), [rows]) }),
      },
      {
        scores: new Tensor('float32', scores, [count, rows]),
        ...(maxima && { maxima: new Tensor('float32', maxima, [count, rows / GROUP]) }),
      },
    );
    return { scores, ...(maxima && { maxima }) };
  }

  /** Frees the session. */
  close(): Promise<void> {
    return this.session.release();
  }
}
