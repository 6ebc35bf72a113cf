// Two-dimensional convolution and its two gradients as operations of their own. All three are bilinear and
// each is the gradient of the others, so the family is closed under differentiation.
import {
  defineOp,
  requireType,
  type Shape,
  sameShape,
  shapeError,
  showShape,
  type Tensor,
} from '../tensor.js';

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

/** How a convolution's kernels go with its images. */
interface Family {
  /** Of the convolution; its gradients' begin with it. */
  readonly name: string;
  /** What it takes, in words. */
  readonly takes: string;
  /** Whether images [N, C, H, W] and kernels [K, kernelChannels, kh, kw] belong together. */
  fits(channels: number, kernels: number, kernelChannels: number): boolean;
}

/** A convolution and its two gradients, each differentiated by the other two. */
export function convolutionFamily({ name, takes, fits }: Family) {
  function outputShape(op: string, x: Shape, w: Shape, by: Convolution, inputs: readonly Tensor[]): Shape {
    const [n, c, h, width] = x as [number, number, number, number];
    const [k, kc, kh, kw] = w as [number, number, number, number];
    if (x.length !== 4 || w.length !== 4 || !fits(c, k, kc)) shapeError(op, takes, inputs);
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
    if (!sameShape(expected, g.shape)) {
      shapeError(op, `the output's gradient should have shape ${showShape(expected)}`, inputs);
    }
  }

  const forwardNode = defineOp({
    name,
    result: (inputs, attributes) => {
      const [x, w] = inputs as readonly [Tensor, Tensor];
      const by = attributes as unknown as Convolution;
      return { shape: outputShape(name, x.shape, w.shape, by, inputs), dtype: 'float32' };
    },
    gradient: (node, g) => {
      const [x, w] = node.inputs as readonly [Tensor, Tensor];
      const by = convolutionOf(node);
      return [
        inputGradient(g, w, { ...by, inputShape: x.shape }),
        kernelGradient(x, g, { ...by, kernelShape: w.shape }),
      ];
    },
  });

  const inputGradientNode = defineOp({
    name: `${name}InputGradient`,
    result: (inputs, attributes) => {
      const [g, w] = inputs as readonly [Tensor, Tensor];
      const op = `${name}InputGradient`;
      const shape = attributes.inputShape as Shape;
      const by = attributes as unknown as Convolution;
      requireShape(op, outputShape(op, shape, w.shape, by, inputs), g, inputs);
      return { shape, dtype: 'float32' };
    },
    gradient: (node, h) => {
      const [g, w] = node.inputs as readonly [Tensor, Tensor];
      const by = convolutionOf(node);
      return [forward(h, w, by), kernelGradient(h, g, { ...by, kernelShape: w.shape })];
    },
  });

  const kernelGradientNode = defineOp({
    name: `${name}KernelGradient`,
    result: (inputs, attributes) => {
      const [x, g] = inputs as readonly [Tensor, Tensor];
      const op = `${name}KernelGradient`;
      const shape = attributes.kernelShape as Shape;
      const by = attributes as unknown as Convolution;
      requireShape(op, outputShape(op, x.shape, shape, by, inputs), g, inputs);
      return { shape, dtype: 'float32' };
    },
    gradient: (node, h) => {
      const [x, g] = node.inputs as readonly [Tensor, Tensor];
      const by = convolutionOf(node);
      return [inputGradient(g, h, { ...by, inputShape: x.shape }), forward(x, h, by)];
    },
  });

  const forward = (x: Tensor, w: Tensor, { stride = 1, padding = 0 }: Partial<Convolution> = {}): Tensor =>
    forwardNode([x, w], { stride, padding });

  const inputGradient = (
    g: Tensor,
    w: Tensor,
    { stride, padding, inputShape }: Convolution & { inputShape: Shape },
  ): Tensor => inputGradientNode([g, w], { stride, padding, inputShape: [...inputShape] });

  const kernelGradient = (
    x: Tensor,
    g: Tensor,
    { stride, padding, kernelShape }: Convolution & { kernelShape: Shape },
  ): Tensor => kernelGradientNode([x, g], { stride, padding, kernelShape: [...kernelShape] });

  return { forward, inputGradient, kernelGradient };
}

const family = convolutionFamily({
  name: 'conv2d',
  takes: 'takes images [N, C, H, W] and kernels [K, C, kh, kw]',
  fits: (channels, _, kernelChannels) => channels === kernelChannels,
});

/** Cross-correlation of images [N, C, H, W] with kernels [K, C, kh, kw]: [N, K, H', W']. */
export const conv2d = family.forward;

/** Gradient of `conv2d` with respect to its images: from g [N, K, H', W'] and w [K, C, kh, kw] to `inputShape`. */
export const conv2dInputGradient = family.inputGradient;

/** Gradient of `conv2d` with respect to its kernels: from x [N, C, H, W] and g [N, K, H', W'] to `kernelShape`. */
export const conv2dKernelGradient = family.kernelGradient;
