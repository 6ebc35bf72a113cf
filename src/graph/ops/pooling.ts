// Maximum pooling. Its gradient goes to the first largest value of every window (row by row), as in Caffe and
// PyTorch; it is made of depthwise convolutions with kernels of a single one, so it is differentiable again.
import { defineOp, requireType, type Shape, shapeError, type Tensor } from '../tensor.js';
import { depthwiseConv2d, depthwiseConv2dInputGradient } from './depthwise.js';
import { add, cast, equal, mul, sub } from './elementwise.js';
import { constant } from './leaves.js';
import { pad, slice } from './shape.js';

/** Windows of kernel x kernel at every `stride` pixels, without padding. */
export interface Pooling {
  readonly kernel: number;
  readonly stride: number;
  /** Whether a last window that hangs over the edge counts (Caffe's rule) or is dropped. */
  readonly ceil: boolean;
}

/** The pooling attributes of a node. */
export const poolingOf = ({ attributes }: Tensor): Pooling => attributes as unknown as Pooling;

/** Number of windows along an axis of length n; a window starts inside the image. */
export function pooledSize(n: number, { kernel, stride, ceil }: Pooling): number {
  if (!ceil) return Math.floor((n - kernel) / stride) + 1;
  const count = Math.ceil((n - kernel) / stride) + 1;
  return (count - 1) * stride >= n ? count - 1 : count;
}

const maxPoolNode = defineOp({
  name: 'maxPool2d',
  result: (inputs, attributes) => {
    const { shape } = inputs[0]!;
    const by = attributes as unknown as Pooling;
    requireType('maxPool2d', 'float32', inputs);
    if (shape.length !== 4) shapeError('maxPool2d', 'takes images [N, C, H, W]', inputs);
    if (![by.kernel, by.stride].every((n) => Number.isInteger(n) && n > 0)) {
      shapeError('maxPool2d', `kernel ${by.kernel} and stride ${by.stride} do not fit`, inputs);
    }
    const [n, c, h, w] = shape as [number, number, number, number];
    const size = [pooledSize(h, by), pooledSize(w, by)];
    if (size.some((s) => s < 1) || (!by.ceil && (h < by.kernel || w < by.kernel))) {
      shapeError('maxPool2d', 'the window is larger than the image', inputs);
    }
    return { shape: [n, c, ...size], dtype: 'float32' };
  },
  gradient: (node, g) => [maxPoolGradient(node, g)],
});

function maxPoolGradient(node: Tensor, g: Tensor): Tensor {
  const x = node.inputs[0]!;
  const by = poolingOf(node);
  const { kernel, stride } = by;
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const [, , rows, columns] = node.shape as [number, number, number, number];
  // The image as the windows see it: zeros behind the edge, or less where no window reaches.
  const covered: Shape = [n, c, (rows - 1) * stride + kernel, (columns - 1) * stride + kernel];
  const fit = (t: Tensor): Tensor => {
    const [, , th, tw] = t.shape as [number, number, number, number];
    const cut = slice(t, [0, 0, 0, 0], [n, c, Math.min(th, covered[2]!), Math.min(tw, covered[3]!)]);
    return pad(cut, [0, 0, 0, 0], [0, 0, covered[2]! - cut.shape[2]!, covered[3]! - cut.shape[3]!]);
  };
  const seen = fit(x);
  let open: Tensor | undefined;
  let total: Tensor | undefined;
  for (let i = 0; i < kernel; i++) {
    for (let j = 0; j < kernel; j++) {
      const tap = Float32Array.from({ length: c * kernel * kernel }, (_, k) =>
        k % (kernel * kernel) === i * kernel + j ? 1 : 0,
      );
      const picker = constant(tap, [c, 1, kernel, kernel]);
      const largest = cast(equal(depthwiseConv2d(seen, picker, { stride }), node), 'float32');
      const inside = mul(largest, insideMask(i, j, h, w, rows, columns, stride));
      const taken: Tensor = open ? mul(inside, open) : inside;
      open = open ? sub(open, taken) : sub(1, taken);
      const share = depthwiseConv2dInputGradient(mul(g, taken), picker, {
        stride,
        padding: 0,
        inputShape: covered,
      });
      total = total ? add(total, share) : share;
    }
  }
  // Back from what the windows cover to the whole image.
  const back = slice(total!, [0, 0, 0, 0], [n, c, Math.min(h, covered[2]!), Math.min(w, covered[3]!)]);
  return pad(back, [0, 0, 0, 0], [0, 0, h - back.shape[2]!, w - back.shape[3]!]);
}

/** 1 where the window's pixel (i, j) lies in the image, [1, 1, rows, columns]. */
function insideMask(
  i: number,
  j: number,
  h: number,
  w: number,
  rows: number,
  columns: number,
  stride: number,
): Tensor {
  const data = Float32Array.from({ length: rows * columns }, (_, at) =>
    Math.floor(at / columns) * stride + i < h && (at % columns) * stride + j < w ? 1 : 0,
  );
  return constant(data, [1, 1, rows, columns]);
}

/** The largest value of every window of images [N, C, H, W]: [N, C, H', W']. */
export const maxPool2d = (
  x: Tensor,
  { kernel, stride = kernel, ceil = false }: { kernel: number; stride?: number; ceil?: boolean },
): Tensor => maxPoolNode([x], { kernel, stride, ceil });
