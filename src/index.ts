// The package's public face: train, embed and measure from TypeScript, by the same functions that the command
// line calls. `graph` and `nn` build networks and losses of one's own; they stay namespaces because their
// names (add, sum, softmax, prelu) are short.
export { UserError } from './common/errors.js';
export { type Random, random } from './common/random.js';
export {
  BatchSource,
  decodeFace,
  type ImageSet,
  MemoryImages,
  openTrainingSet,
  type Photograph,
  readPairs,
  readPhotograph,
  readSafetensors,
  type TrainingSetOptions,
  writeSafetensors,
} from './data/index.js';
export {
  angleHistograms,
  auc,
  type CalibrationFigures,
  calibrate,
  type Evaluation,
  equalErrorRate,
  type Features,
  findOverlap,
  fuse,
  type LfwInput,
  type LfwResult,
  lfw,
  type MegafaceInput,
  type MegafaceResult,
  megaface,
  type OpenSetInput,
  type OpenSetResult,
  openSet,
  rocCurve,
  summarise,
  tarAtFar,
  thresholdsAtFmr,
  type VerificationResult,
  verifyPairs,
  type YtfInput,
  type YtfResult,
  ytf,
} from './evaluate/index.js';
export { type HeldOutResults, measureRun } from './evaluate/run.js';
export {
  type AlikePair,
  type Answer,
  alignFace,
  alikePairs,
  answerFor,
  CalibratedGallery,
  type Calibration,
  chooseFaces,
  type Decision,
  type Detection,
  type Detector,
  type Doubt,
  decideBy,
  decisionFor,
  describeModel,
  doubtsAbout,
  Embedder,
  type EmbedderOptions,
  FaceReader,
  faceLimits,
  faceQuality,
  falsePositiveRate,
  findFaces,
  Gallery,
  identifyFaces,
  importWeights,
  type Landmarks,
  type Manifest,
  type ModelDescription,
  openDetector,
  openEmbedder,
  openReader,
  posterior,
  type Quality,
  type ReadFace,
  type ReadPhotograph,
  readCalibration,
  readEmbeddings,
  samplePhotographs,
  similaritiesOf,
  similarity,
  type Template,
  templateNamed,
  warp,
} from './face/index.js';
export * as graph from './graph/index.js';
export type { LossContext, LossDefinition, LossTerms } from './losses/index.js';
export { losses, lossNamed } from './losses/index.js';
export { lowerInference, lowerStep, type StepGraph } from './lower/index.js';
export * as nn from './nn/index.js';
export { describeNetwork, type NetworkDescription, networks } from './nn/index.js';
export { writeEvaluation, writeRunPage } from './report/index.js';
export {
  type Device,
  type DeviceName,
  InferenceModel,
  openDevice,
  Program,
  tryModel,
} from './runtime/index.js';
export {
  memoryTemplates,
  openTemplates,
  Search,
  type TemplateSource,
  topK,
  writeTemplates,
} from './search/index.js';
export * as theory from './theory/index.js';
export { angularFisher, angularFisherScore, neuralCollapse } from './theory/index.js';
export { cosineAt } from './theory/vectors.js';
export {
  type Config,
  draftConfig,
  draftRun,
  type Settings,
  type StepRecord,
  sgdUpdates,
  type TrainOptions,
  type TrainResult,
  train,
  trainingStep,
} from './train/index.js';
