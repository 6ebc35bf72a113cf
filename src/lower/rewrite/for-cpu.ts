// What ONNX Runtime's CPU provider runs slowly, written in what it runs fast, when a model is opened. A model's file stays
// plain for other runtimes.
import { decodeModel, encodeModel, type OnnxModel } from '../onnx.js';
import { MICROSOFT } from '../writer.js';
import { foldConstants } from './constants.js';
import { rewritePrelu } from './prelu.js';

/** The provider's convolutions keep channels in blocks of 8 (AVX2) or 16 (AVX-512); others gain nothing. */
const BLOCK = 16;

/**
 * The same model for the CPU provider of an x64 processor; the very same bytes where nothing would gain, or where this
 * cannot read all of the model.
 */
export function forCpu(bytes: Uint8Array): Uint8Array {
  let model: OnnxModel;
  try {
    model = decodeModel(bytes);
  } catch {
    return bytes;
  }
  const { nodes } = model.graph;
  const known = nodes.every(({ domain }) => !domain || domain === 'ai.onnx' || domain === MICROSOFT);
  if (!known || !nodes.some(({ opType }) => opType === 'PRelu')) return bytes;
  const graph = rewritePrelu(foldConstants(model.graph), { multiple: BLOCK });
  return encodeModel({ ...model, graph });
}
