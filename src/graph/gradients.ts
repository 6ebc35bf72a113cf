// Reverse-mode differentiation: walks the graph from a scalar back to what it is differentiated with
// respect to, adding up each operation's vector-Jacobian product. The result is a graph again.
import { add } from './ops/elementwise.js';
import { constant } from './ops/leaves.js';
import { broadcastTo } from './ops/shape.js';
import { definitionOf, requireType, shapeError, type Tensor, topological } from './tensor.js';

/**
 * Gradients of a scalar `y` with respect to each tensor of `wrt`, in order, each of that tensor's shape.
 * A tensor that y does not depend on gets zeros.
 *
 * @param seed gradient of the final objective with respect to y, a scalar (default 1). Seeding with the
 *   learning rate gives rate-scaled gradients for the price of one multiplication.
 */
export function gradients(y: Tensor, wrt: readonly Tensor[], seed: Tensor = constant(1)): Tensor[] {
  if (y.shape.length !== 0)
    shapeError('gradients', 'only a scalar can be differentiated; take a sum or a mean', [y]);
  requireType('gradients', 'float32', [y, ...wrt, seed]);
  if (seed.shape.length !== 0) shapeError('gradients', 'the seed is a scalar', [seed]);
  const order = topological([y]);
  const wanted = new Set(wrt);
  // Nodes through which y depends on a wanted tensor; nothing else needs a gradient.
  const onPath = new Set<Tensor>();
  for (const node of order) {
    if (wanted.has(node) || node.inputs.some((input) => onPath.has(input))) onPath.add(node);
  }
  const gradient = new Map<Tensor, Tensor>([[y, seed]]);
  for (const node of order.reverse()) {
    const g = gradient.get(node);
    const product = definitionOf(node.op).gradient;
    if (!g || !product || !onPath.has(node)) continue;
    if (!node.inputs.some((input) => onPath.has(input))) continue;
    product(node, g).forEach((term, i) => {
      const target = node.inputs[i]!;
      if (!term || !onPath.has(target)) return;
      const held = gradient.get(target);
      gradient.set(target, held ? add(held, term) : term);
    });
  }
  return wrt.map((t) => gradient.get(t) ?? broadcastTo(constant(0), t.shape));
}
