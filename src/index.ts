// The package's public face: train, embed and measure from TypeScript, by the same functions that the command
// line calls. `graph` and `nn` build networks and losses of one's own; they stay namespaces because their
// names (add, sum, softmax, prelu) are short.
export { UserError } from './common/errors.js';
export { type Random, random } from './common/random.js';
export {
  BatchSource,
  decodeFace,
  type ImageFolder,
  type ImageFolderOptions,
  type ImageSet,
  MemoryImages,
  openImageFolder,
  type Photograph,
  readPairs,
  readPhotograph,
  readSafetensors,
  writeSafetensors,
} from './data/index.js';
export {
  angleHistograms,
  auc,
  equalErrorRate,
  type Features,
  fuse,
  type LfwInput,
  type LfwResult,
  lfw,
  rocCurve,
  summarise,
  tarAtFar,
  type VerificationResult,
  verifyPairs,
} from './evaluate/index.js';
export { type HeldOutResults, measureRun } from './evaluate/run.js';
export {
  alignFace,
  chooseFaces,
  type Decision,
  type Detection,
  type Detector,
  decisionFor,
  describeModel,
  Embedder,
  type EmbedderOptions,
  FaceReader,
  faceQuality,
  falsePositiveRate,
  findFaces,
  Gallery,
  importWeights,
  type Landmarks,
  type Manifest,
  type ModelDescription,
  openDetector,
  openEmbedder,
  openReader,
  type Quality,
  type ReadFace,
  type ReadPhotograph,
  samplePhotographs,
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
export { writeRunPage } from './report/index.js';
export { type Device, type DeviceName, InferenceModel, openDevice, Program } from './runtime/index.js';
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
