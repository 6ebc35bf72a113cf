// Depthwise convolution and its two gradients as grouped convolutions, one group a channel.
import { convolutionOf, type Tensor } from '../../graph/index.js';
import type { Form } from '../context.js';

type Four = [number, number, number, number];

const forward: Form = {
  op: 'depthwiseConv2d',
  write(node, context) {
    const [x, w] = node.inputs as readonly [Tensor, Tensor];
    const { stride: s, padding: p } = convolutionOf(node);
    const [c, , kh, kw] = w.shape as Four;
    const attributes = { kernel_shape: [kh, kw], strides: [s, s], pads: [p, p, p, p], group: c };
    context.define(node, context.writer.node('Conv', [context.value(x), context.value(w)], attributes));
  },
};

const inputGradient: Form = {
  op: 'depthwiseConv2dInputGradient',
  write(node, context) {
    const [g, w] = node.inputs as readonly [Tensor, Tensor];
    const { stride: s, padding: p } = convolutionOf(node);
    const [c, , kh, kw] = w.shape as Four;
    const [, , h, width] = node.shape as Four;
    const [, , oh, ow] = g.shape as Four;
    const rest = [h + 2 * p - kh - (oh - 1) * s, width + 2 * p - kw - (ow - 1) * s];
    const attributes = {
      kernel_shape: [kh, kw],
      strides: [s, s],
      pads: [p, p, p, p],
      output_padding: rest,
      group: c,
    };
    context.define(
      node,
      context.writer.node('ConvTranspose', [context.value(g), context.value(w)], attributes),
    );
  },
};

/** Every image's channel with its output's gradient as the kernel, dilated by the stride, summed over images. */
const kernelGradient: Form = {
  op: 'depthwiseConv2dKernelGradient',
  write(node, context) {
    const [x, g] = node.inputs as readonly [Tensor, Tensor];
    const { stride: s, padding: p } = convolutionOf(node);
    const [c, , kh, kw] = node.shape as Four;
    const [n, , h, width] = x.shape as Four;
    const [, , oh, ow] = g.shape as Four;
    const { writer } = context;
    const reach = (size: number, kernel: number, count: number) => kernel + s * (count - 1) - size - p;
    const [bottom, right] = [reach(h, kh, oh), reach(width, kw, ow)];
    let image = writer.reshape(context.value(x), [1, n * c, h, width]);
    if (bottom < 0 || right < 0) {
      const ends = writer.integers([1, n * c, h + Math.min(bottom, 0), width + Math.min(right, 0)]);
      image = writer.node('Slice', [image, writer.integers([0, 0, 0, 0]), ends]);
    }
    const kernel = writer.reshape(context.value(g), [n * c, 1, oh, ow]);
    const each = writer.node('Conv', [image, kernel], {
      kernel_shape: [oh, ow],
      dilations: [s, s],
      pads: [p, p, Math.max(bottom, 0), Math.max(right, 0)],
      group: n * c,
    });
    const apart = writer.reshape(each, [n, c, 1, kh, kw]);
    context.define(node, writer.node('ReduceSum', [apart, writer.integers([0])], { keepdims: 0 }));
  },
};

export const depthwiseForms: readonly Form[] = [forward, inputGradient, kernelGradient];
