// Symbolic tensors, their operations, and gradients.
export { gradients } from './gradients.js';
export { allGather, allReduce, eachRank, isExchange, type RankOf } from './ops/collective.js';
export {
  type Convolution,
  conv2d,
  conv2dInputGradient,
  conv2dKernelGradient,
  convolutionOf,
  convolvedSize,
} from './ops/convolution.js';
export {
  depthwiseConv2d,
  depthwiseConv2dInputGradient,
  depthwiseConv2dKernelGradient,
} from './ops/depthwise.js';
export {
  abs,
  acos,
  add,
  below,
  broadcastShape,
  cast,
  cos,
  div,
  equal,
  exp,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  relu,
  sign,
  sin,
  sqrt,
  square,
  stopGradient,
  sub,
  sumTo,
  where,
} from './ops/elementwise.js';
export { asTensor, constant, input, nameOf, parameter } from './ops/leaves.js';
export { matmul, transposeLast } from './ops/matmul.js';
export { maxPool2d, type Pooling, pooledSize, poolingOf } from './ops/pooling.js';
export { perChannel, prelu, preluInputGradient, preluSlopeGradient } from './ops/prelu.js';
export { argMax, max, mean, sum } from './ops/reduce.js';
export { broadcastTo, concat, gather, oneHot, pad, reshape, slice, transpose } from './ops/shape.js';
export { l2Normalize, logSoftmax, NORM_FLOOR, norm, softmax } from './ops/softmax.js';
export {
  type Attributes,
  type DType,
  definitionOf,
  type OpDefinition,
  operationNames,
  type Shape,
  ShapeError,
  sameShape,
  showShape,
  sizeOf,
  type Tensor,
  topological,
  withInputs,
} from './tensor.js';
