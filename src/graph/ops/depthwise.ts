// Depthwise convolution (each channel with a kernel of its own) and its two gradients, a family like that of
// conv2d: all three are bilinear and each is the gradient of the others. It is the inexpensive half of the
// depthwise-separable convolution (Howard et al., 'MobileNets', 2017).
import {
  defineOp,
  requireType,
  type Shape,
  sameShape,
  shapeError,
  showShape,
  type Tensor,
} from '../tensor.js';
import { type Convolution, convolutionOf, convolvedSize } from './convolution.js';

function outputShape(op: string, x: Shape, w: Shape, by: Convolution, inputs: readonly Tensor[]): Shape {
  const [n, c, h, width] = x as [number, number, number, number];
  const [k, one, kh, kw] = w as [number, number, number, number];
  if (x.length !== 4 || w.length !== 4 || c !== k || one !== 1) {
    shapeError(op, 'takes images [N, C, H, W] and kernels [C, 1, kh, kw]', inputs);
  }
  requireType(op, 'float32', inputs);
  const whole = Number.isInteger(by.stride) && Number.isInteger(by.padding);
  if (!whole || by.stride < 1 || by.padding < 0) {
    shapeError(op, `stride ${by.stride} and padding ${by.padding} do not fit`, inputs);
  }
  const size = [convolvedSize(h, kh, by), convolvedSize(width, kw, by)];
  if (size.some((s) => s < 1)) shapeError(op, 'the kernel is larger than the padded image', inputs);
  return [n, c, ...size];
}

function requireShape(op: string, expected: Shape, g: Tensor, inputs: readonly Tensor[]): void {
  if (!sameShape(expected, g.shape)) {
    shapeError(op, `the output's gradient should have shape ${showShape(expected)}`, inputs);
  }
}

const forward = defineOp({
  name: 'depthwiseConv2d',
  result: (inputs, attributes) => {
    const [x, w] = inputs as readonly [Tensor, Tensor];
    const by = attributes as unknown as Convolution;
    return { shape: outputShape('depthwiseConv2d', x.shape, w.shape, by, inputs), dtype: 'float32' };
  },
  gradient: (node, g) => {
    const [x, w] = node.inputs as readonly [Tensor, Tensor];
    const by = convolutionOf(node);
    return [
      depthwiseConv2dInputGradient(g, w, { ...by, inputShape: x.shape }),
      depthwiseConv2dKernelGradient(x, g, { ...by, kernelShape: w.shape }),
    ];
  },
});

const inputGradient = defineOp({
  name: 'depthwiseConv2dInputGradient',
  result: (inputs, attributes) => {
    const [g, w] = inputs as readonly [Tensor, Tensor];
    const shape = attributes.inputShape as Shape;
    const op = 'depthwiseConv2dInputGradient';
    const by = attributes as unknown as Convolution;
    requireShape(op, outputShape(op, shape, w.shape, by, inputs), g, inputs);
    return { shape, dtype: 'float32' };
  },
  gradient: (node, h) => {
    const [g, w] = node.inputs as readonly [Tensor, Tensor];
    const by = convolutionOf(node);
    return [depthwiseConv2d(h, w, by), depthwiseConv2dKernelGradient(h, g, { ...by, kernelShape: w.shape })];
  },
});

const kernelGradient = defineOp({
  name: 'depthwiseConv2dKernelGradient',
  result: (inputs, attributes) => {
    const [x, g] = inputs as readonly [Tensor, Tensor];
    const shape = attributes.kernelShape as Shape;
    const op = 'depthwiseConv2dKernelGradient';
    const by = attributes as unknown as Convolution;
    requireShape(op, outputShape(op, x.shape, shape, by, inputs), g, inputs);
    return { shape, dtype: 'float32' };
  },
  gradient: (node, h) => {
    const [x, g] = node.inputs as readonly [Tensor, Tensor];
    const by = convolutionOf(node);
    return [depthwiseConv2dInputGradient(g, h, { ...by, inputShape: x.shape }), depthwiseConv2d(x, h, by)];
  },
});

/** Cross-correlation of every channel of images [N, C, H, W] with its own kernel [C, 1, kh, kw]: [N, C, H', W']. */
export const depthwiseConv2d = (
  x: Tensor,
  w: Tensor,
  { stride = 1, padding = 0 }: Partial<Convolution> = {},
): Tensor => forward([x, w], { stride, padding });

/** Gradient of `depthwiseConv2d` with respect to its images, of `inputShape`, from g [N, C, H', W']. */
export const depthwiseConv2dInputGradient = (
  g: Tensor,
  w: Tensor,
  { stride, padding, inputShape }: Convolution & { inputShape: Shape },
): Tensor => inputGradient([g, w], { stride, padding, inputShape: [...inputShape] });

/** Gradient of `depthwiseConv2d` with respect to its kernels, of `kernelShape` [C, 1, kh, kw]. */
export const depthwiseConv2dKernelGradient = (
  x: Tensor,
  g: Tensor,
  { stride, padding, kernelShape }: Convolution & { kernelShape: Shape },
): Tensor => kernelGradient([x, g], { stride, padding, kernelShape: [...kernelShape] });
