// Networks: layers, backbones, how parameters are named and start, and what a network costs.
export { digitNet } from './backbones/digits.js';
export { type MobileFaceNetOptions, mobileFaceNet } from './backbones/mobilefacenet.js';
export {
  SPHEREFACE_DEPTHS,
  type SphereFaceDepth,
  type SphereFaceOptions,
  sphereface,
} from './backbones/sphereface.js';
export {
  describeLayers,
  describeNetwork,
  type LayerDescription,
  type NetworkDescription,
} from './describe.js';
export {
  constantInitializer,
  gaussian,
  type Initializer,
  initialParameters,
  initialRows,
  xavier,
} from './initializers.js';
export {
  type ConvolutionOptions,
  convolution,
  type DepthwiseOptions,
  depthwiseConvolution,
  type FullyConnectedOptions,
  fullyConnected,
  prelu,
} from './layers.js';
export { type NetworkDefinition, type NetworkOptions, networkNamed, networks } from './networks.js';
export { foldNormalizations, type Normalization } from './normalization.js';
export { type Moments, type Parameter, type ParameterOptions, Scope } from './scope.js';
