// Two-dimensional convolution and its two gradients as operations of their own. All three are bilinear and
// each is the gradient of the others, so the family is closed under differentiation.
import { defineOp, requireType, type Shape, shapeError, showShape, type Tensor } from '../tensor.js';

/** Stride and zero padding, the same along height and width. */
export interface Convolution {
  readonly stride: number;
  readonly padding: number;
}

/** Output size along one axis: floor((n + 2 padding - kernel) / stride) + 1. */
export const convolvedSize = (n: number, kernel: number, { stride, padding }: Convolution): number =>
  Math.floor((n + 2 * padding - kernel) / stride) + 1;

/** The convolution attributes of a node. */
export const convolutionOf = (node: Tensor): Convolution => ({
  stride: node.attributes.stride as number,
  padding: node.attributes.padding as number,
});

function outputShape(op: string, x: Shape, w: Shape, by: Convolution, inputs: readonly Tensor[]): Shape {
  const [n, c, h, width] = x as [number, number, number, number];
  const [k, kc, kh, kw] = w as [number, number, number, number];
  if (x.length !== 4 || w.length !== 4 || c !== kc) {
    shapeError(op, 'takes images [N, C, H, W] and kernels [K, C, kh, kw]', inputs);
  }
  requireType(op, 'float32', inputs);
  const whole = Number.isInteger(by.stride) && Number.isInteger(by.padding);
  if (!whole || by.stride < 1 || by.padding < 0) {
    shapeError(op, `stride ${by.stride} and padding ${by.padding} do not fit`, inputs);
  }
  const size = [convolvedSize(h, kh, by), convolvedSize(width, kw, by)];
  if (size.some((s) => s < 1)) shapeError(op, 'the kernel is larger than the padded image', inputs);
  return [n, k, ...size];
}

function requireShape(op: string, expected: Shape, g: Tensor, inputs: readonly Tensor[]): void {
  if (showShape(expected) !== showShape(g.shape)) {
    shapeError(op, `the output's gradient should have shape ${showShape(expected)}`, inputs);
  }
}

const forward = defineOp({
  name: 'conv2d',
  result: (inputs, attributes) => {
    const [x, w] = inputs as readonly [Tensor, Tensor];
    return {
      shape: outputShape('conv2d', x.shape, w.shape, attributes as unknown as Convolution, inputs),
      dtype: 'float32',
    };
  },
  gradient: (node, g) => {
    const [x, w] = node.inputs as readonly [Tensor, Tensor];
    const by = convolutionOf(node);
    return [
      conv2dInputGradient(g, w, { ...by, inputShape: x.shape }),
      conv2dKernelGradient(x, g, { ...by, kernelShape: w.shape }),
    ];
  },
});

const inputGradient = defineOp({
  name: 'conv2dInputGradient',
  result: (inputs, attributes) => {
    const [g, w] = inputs as readonly [Tensor, Tensor];
    const shape = attributes.inputShape as Shape;
    const by = attributes as unknown as Convolution;
    requireShape(
      'conv2dInputGradient',
      outputShape('conv2dInputGradient', shape, w.shape, by, inputs),
      g,
      inputs,
    );
    return { shape, dtype: 'float32' };
  },
  gradient: (node, h) => {
    const [g, w] = node.inputs as readonly [Tensor, Tensor];
    const by = convolutionOf(node);
    return [conv2d(h, w, by), conv2dKernelGradient(h, g, { ...by, kernelShape: w.shape })];
  },
});

const kernelGradient = defineOp({
  name: 'conv2dKernelGradient',
  result: (inputs, attributes) => {
    const [x, g] = inputs as readonly [Tensor, Tensor];
    const shape = attributes.kernelShape as Shape;
    const by = attributes as unknown as Convolution;
    requireShape(
      'conv2dKernelGradient',
      outputShape('conv2dKernelGradient', x.shape, shape, by, inputs),
      g,
      inputs,
    );
    return { shape, dtype: 'float32' };
  },
  gradient: (node, h) => {
    const [x, g] = node.inputs as readonly [Tensor, Tensor];
    const by = convolutionOf(node);
    return [conv2dInputGradient(g, h, { ...by, inputShape: x.shape }), conv2d(x, h, by)];
  },
});

/** Cross-correlation of images [N, C, H, W] with kernels [K, C, kh, kw]: [N, K, H', W']. */
export const conv2d = (
  x: Tensor,
  w: Tensor,
  { stride = 1, padding = 0 }: Partial<Convolution> = {},
): Tensor => forward([x, w], { stride, padding });

/** Gradient of `conv2d` with respect to its images: from g [N, K, H', W'] and w [K, C, kh, kw] to `inputShape`. */
export const conv2dInputGradient = (
  g: Tensor,
  w: Tensor,
  options: Convolution & { inputShape: Shape },
): Tensor =>
  inputGradient([g, w], {
    stride: options.stride,
    padding: options.padding,
    inputShape: [...options.inputShape],
  });

/** Gradient of `conv2d` with respect to its kernels: from x [N, C, H, W] and g [N, K, H', W'] to `kernelShape`. */
export const conv2dKernelGradient = (
  x: Tensor,
  g: Tensor,
  options: Convolution & { kernelShape: Shape },
): Tensor =>
  kernelGradient([x, g], {
    stride: options.stride,
    padding: options.padding,
    kernelShape: [...options.kernelShape],
  });
