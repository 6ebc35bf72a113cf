// The yardstick: a large single-precision matrix product by the same runtime, timed in the same rounds. What a
// training step reaches is given as a share of it.
import { encodeModel } from '../../src/lower/onnx.js';
import * as ort from '../../src/runtime/onnxruntime.js';
import type { Candidate } from '../step-server.js';

const SIZE = 2048;

/** Multiply-adds of one product, times two. */
export const MATMUL_FLOP = 2 * SIZE ** 3;

/** A [2048, 2048] x [2048, 2048] product; one entry of the result is read back. */
export async function matmulPeak(threads: number): Promise<Candidate> {
  const corner = (name: string, at: number) => ({
    name,
    dtype: 'int64' as const,
    shape: [2],
    data: BigInt64Array.of(BigInt(at), BigInt(at)),
  });
  const model = encodeModel({
    opset: 17,
    graph: {
      name: 'peak',
      nodes: [
        { opType: 'MatMul', inputs: ['a', 'b'], outputs: ['product'] },
        { opType: 'Slice', inputs: ['product', 'start', 'end'], outputs: ['corner'] },
      ],
      inputs: ['a', 'b'].map((name) => ({ name, dtype: 'float32' as const, shape: [SIZE, SIZE] })),
      outputs: [{ name: 'corner', dtype: 'float32', shape: [1, 1] }],
      initializers: [corner('start', 0), corner('end', 1)],
    },
  });
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: threads,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const values = Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i));
  const matrix = new ort.Tensor('float32', values, [SIZE, SIZE]);
  return {
    name: `MatMul ${SIZE}`,
    async step() {
      const start = performance.now();
      await session.run({ a: matrix, b: matrix });
      return performance.now() - start;
    },
    close: () => session.release(),
  };
}
