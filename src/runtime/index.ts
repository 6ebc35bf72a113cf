// Running graphs: devices, training programs with resident state, and trained models.

export { requireBelow } from './checks.js';
export {
  type CompileOptions,
  type Device,
  type DeviceName,
  type DeviceOptions,
  deviceNames,
  openDevice,
} from './devices.js';
export { InferenceModel, type ModelFeed } from './inference.js';
export { Program } from './program.js';
export type { Feed, Feeds, Result, SessionSettings, ValueInfo } from './session.js';
export { type Spent, StagedProgram } from './staged-program.js';
export { type TrialLimits, trialLimits, tryModel } from './trial.js';
