// In which memory layout each state tensor is best kept: kernels as their gradients come out, so that an
// update needs no transposes, and momentum buffers like the kernels they belong to.
import { sameShape, type Tensor } from '../graph/index.js';
import type { LoweringContext } from './context.js';
import { usesWinograd } from './forms/winograd.js';
import { CHANNEL_LAST, type Layout, plainLayout, TAPS_FIRST } from './layout.js';

/** One tensor kept between runs: its present value and (unless it is only read) the one to keep next. */
export interface State {
  readonly parameter: Tensor;
  readonly next?: Tensor;
}

const ELEMENTWISE = new Set(['add', 'sub', 'mul', 'div']);

/** Parameters of the shape of `next` that reach it through elementwise arithmetic. */
function relatives(next: Tensor): Tensor[] {
  const found: Tensor[] = [];
  const visit = (t: Tensor) => {
    if (!sameShape(t.shape, next.shape)) return;
    if (t.op === 'parameter') found.push(t);
    else if (ELEMENTWISE.has(t.op)) t.inputs.forEach(visit);
  };
  visit(next);
  return found;
}

export function stateLayouts(states: readonly State[], context: LoweringContext): Map<Tensor, Layout> {
  const layouts = new Map<Tensor, Layout>();
  for (const { parameter } of states) {
    const reader = context
      .consumers(parameter)
      .find((node) => node.op === 'conv2d' && node.inputs[1] === parameter);
    if (!reader || !context.fast) continue;
    layouts.set(parameter, usesWinograd(parameter.shape, reader, context) ? TAPS_FIRST : CHANNEL_LAST);
  }
  for (const { parameter, next } of states) {
    if (layouts.has(parameter)) continue;
    const model = next && parameter.shape.length === 4 && relatives(next).find((t) => layouts.has(t));
    layouts.set(parameter, model ? layouts.get(model)! : plainLayout(parameter.shape.length));
  }
  return layouts;
}
