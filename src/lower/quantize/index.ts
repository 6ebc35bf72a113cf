// Post-training quantisation of ONNX graphs.
export {
  type QuantizedGraph,
  type QuantizedLayer,
  type QuantizeOptions,
  quantizeGraph,
  valuesToCalibrate,
} from './graph.js';
export { integerNode } from './operators.js';
export { levels, Observed, type Range, type RangeRule, rangeRules } from './ranges.js';
