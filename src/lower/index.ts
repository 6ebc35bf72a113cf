// Graph to ONNX.
export type { Formulations, Target } from './context.js';
export { type InferenceGraph, lowerInference } from './inference.js';
export { isPlain, type Layout, physicalShape } from './layout.js';
export * from './onnx.js';
export { simplify } from './simplify.js';
export {
  type Exchange,
  type LoweredStage,
  type LoweredStages,
  lowerStages,
  type StagesOptions,
} from './stages.js';
export type { State } from './state-layout.js';
export {
  type LoweredState,
  type LoweredStep,
  type LoweredValue,
  lowerStep,
  OPSET,
  type StepGraph,
  type StepOptions,
} from './step.js';
