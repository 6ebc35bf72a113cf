// Training: a configuration in, a run folder out.
export { type Checkpoint, newestCheckpoint, readCheckpoint, saveCheckpoint } from './checkpoint.js';
export {
  type Config,
  type Draft,
  draftConfig,
  draftRun,
  NETWORKS,
  parseSettings,
  readSettings,
  resolveConfig,
  type Settings,
} from './config.js';
export { FILES, type Identities, readMetrics, readSkipped, type StepRecord } from './run-folder.js';
export { PAPER, rateAt } from './schedule.js';
export { type SgdOptions, type SgdUpdates, sgdUpdates, velocityName } from './sgd.js';
export { embedder, type TrainingStep, trainingStep } from './step.js';
export { type TrainOptions, type TrainResult, train } from './trainer.js';
