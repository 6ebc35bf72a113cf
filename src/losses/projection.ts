// What TSE and TPE share: a linear projection T of the unit embedding, learned with the network or on frozen
// embeddings, and similarities between projected embeddings. The projected embedding is what is compared later,
// so the exported embedder ends with it.
import { l2Normalize, matmul, neg, type Tensor, transpose } from '../graph/index.js';
import { type Scope, xavier } from '../nn/index.js';
import { type Option, whole } from './options.js';

/** The length that the papers project to. */
export const PROJECTED_LENGTH = 128;

/** The option `length`: numbers of a projected embedding; 0 takes 128, or all where there are fewer. */
export const projectedLength: Option<number> = {
  ...whole(0, 0),
  valid: `a whole number from 0 on (0: ${PROJECTED_LENGTH}, or all where there are fewer)`,
};

/** T x / |x|, [N, d], of embeddings x [N, D]; T is the parameter `projection` [d, D]. */
export function project(scope: Scope, embedding: Tensor, length: number): Tensor {
  const all = embedding.shape[1]!;
  const rows = length === 0 ? Math.min(all, PROJECTED_LENGTH) : length;
  const projection = scope.parameter('projection', [rows, all], xavier);
  return matmul(l2Normalize(embedding), transpose(projection, [1, 0]));
}

/** Minus the inner products of the rows, [N, N]: a distance for triplets. */
export const negativeProducts = (x: Tensor): Tensor => neg(matmul(x, transpose(x, [1, 0])));
