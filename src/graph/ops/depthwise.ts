// Depthwise convolution (each channel with a kernel of its own) and its two gradients, a family like that of
// conv2d: all three are bilinear and each is the gradient of the others. It is the inexpensive half of the
// depthwise-separable convolution (Howard et al., 'MobileNets', 2017).
import { convolutionFamily } from './convolution.js';

const family = convolutionFamily({
  name: 'depthwiseConv2d',
  takes: 'takes images [N, C, H, W] and kernels [C, 1, kh, kw]',
  fits: (channels, kernels, kernelChannels) => channels === kernels && kernelChannels === 1,
});

/** Cross-correlation of every channel of images [N, C, H, W] with its own kernel [C, 1, kh, kw]: [N, C, H', W']. */
export const depthwiseConv2d = family.forward;

/** Gradient of `depthwiseConv2d` with respect to its images, of `inputShape`, from g [N, C, H', W']. */
export const depthwiseConv2dInputGradient = family.inputGradient;

/** Gradient of `depthwiseConv2d` with respect to its kernels, of `kernelShape` [C, 1, kh, kw]. */
export const depthwiseConv2dKernelGradient = family.kernelGradient;
