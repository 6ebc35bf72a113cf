// Parametric ReLU (He et al. 2015) with one slope a channel: x where x >= 0, slope * x where x < 0.
// Its two gradients are operations of their own, because the fast way to run them shares a mask.
import { defineOp, type OpDefinition, requireType, sameShape, shapeError, type Tensor } from '../tensor.js';
import { less, minimum, mul, where } from './elementwise.js';
import { sum } from './reduce.js';
import { broadcastTo, reshape } from './shape.js';

/** A per-channel vector [C] shaped to broadcast over x [N, C, ...]. */
export const perChannel = (vector: Tensor, x: Tensor): Tensor =>
  reshape(
    vector,
    x.shape.map((_, i) => (i === 1 ? vector.shape[0]! : 1)),
  );

/** Every axis but the channels' axis 1. */
const exceptChannels = (x: Tensor): number[] => x.shape.flatMap((_, i) => (i === 1 ? [] : [i]));

const likeFirst =
  (name: string): OpDefinition['result'] =>
  (inputs) => {
    const x = inputs[0]!;
    const slope = inputs[inputs.length - 1]!;
    if (x.shape.length < 2 || !sameShape(slope.shape, [x.shape[1]!])) {
      shapeError(name, 'takes x [N, C, ...] and slopes [C]', inputs);
    }
    if (inputs.length === 3 && !sameShape(x.shape, inputs[1]!.shape))
      shapeError(name, 'g and x differ in shape', inputs);
    requireType(name, 'float32', inputs);
    return { shape: x.shape, dtype: 'float32' };
  };

const forward = defineOp({
  name: 'prelu',
  result: likeFirst('prelu'),
  gradient: (node, g) => {
    const [x, slope] = node.inputs as readonly [Tensor, Tensor];
    return [preluInputGradient(g, x, slope), preluSlopeGradient(g, x)];
  },
});
/** x where x >= 0, slope * x elsewhere; x [N, C, ...], slope [C]. */
export const prelu = (x: Tensor, slope: Tensor): Tensor => forward([x, slope]);

const inputGradient = defineOp({
  name: 'preluInputGradient',
  result: likeFirst('preluInputGradient'),
  gradient: (node, h) => {
    const [g, x, slope] = node.inputs as readonly [Tensor, Tensor, Tensor];
    return [
      preluInputGradient(h, x, slope),
      undefined,
      sum(where(less(x, 0), mul(h, g), 0), exceptChannels(x)),
    ];
  },
});
/** Gradient with respect to x: g where x >= 0, slope * g elsewhere. */
export const preluInputGradient = (g: Tensor, x: Tensor, slope: Tensor): Tensor =>
  inputGradient([g, x, slope]);

const slopeGradient = defineOp({
  name: 'preluSlopeGradient',
  result: (inputs) => {
    const [g, x] = inputs as readonly [Tensor, Tensor];
    if (!sameShape(g.shape, x.shape) || x.shape.length < 2) {
      shapeError('preluSlopeGradient', 'takes g and x of one shape [N, C, ...]', inputs);
    }
    requireType('preluSlopeGradient', 'float32', inputs);
    return { shape: [x.shape[1]!], dtype: 'float32' };
  },
  gradient: (node, h) => {
    const [g, x] = node.inputs as readonly [Tensor, Tensor];
    const spread = broadcastTo(perChannel(h, x), x.shape);
    return [mul(spread, minimum(x, 0)), where(less(x, 0), mul(spread, g), 0)];
  },
});
/** Gradient with respect to the slopes: sum of g * min(x, 0) over all axes but the channels'. */
export const preluSlopeGradient = (g: Tensor, x: Tensor): Tensor => slopeGradient([g, x]);
