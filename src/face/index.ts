// Faces: model files, their manifests, and embeddings of aligned faces.

export { type AlignOptions, alignFace, faceTransform } from './align/face.js';
export { type AlignFolderOptions, type AlignReport, alignFolder } from './align/folder.js';
export { inputTemplate } from './align/input-template.js';
export { alignmentOf } from './align/known.js';
export { type LandmarkTable, readLandmarkFile } from './align/landmark-file.js';
export { type Patch, patches, patchNamed, patchTemplate } from './align/patch.js';
export { compose, type SimilarityOptions, similarity, type Transform } from './align/similarity.js';
export { type Template, templateLabel, templateNamed, templatePoints, templates } from './align/template.js';
export { type WarpOptions, warp } from './align/warp.js';
export { type CalibratedCandidate, CalibratedGallery } from './calibrated-gallery.js';
export {
  type AlikePair,
  alikePairs,
  type ComparedFace,
  type CompareOptions,
  similaritiesOf,
} from './comparison.js';
export {
  type Answer,
  answerFor,
  type Doubt,
  doubtsAbout,
  type FaceLimits,
  faceLimits,
  NO_LIMITS,
} from './decision.js';
export { chooseFaces, type FaceChoice, faceChoices } from './detect/choose.js';
export {
  type Box,
  type Detection,
  type Detector,
  type DetectorOptions,
  type Landmarks,
  type Point,
  scaled,
  type Trust,
} from './detect/detection.js';
export {
  type FaceApiDetection,
  type FaceApiDetector,
  type FaceApiOptions,
  openFaceApi,
} from './detect/face-api/open.js';
export { type FindOptions, findFaces, type LookedAt, type Unreadable } from './detect/find.js';
export { type MtcnnOptions, openMtcnn } from './detect/mtcnn/open.js';
export { openOnnxDetector } from './detect/onnx-detector.js';
export { builtInDetectors, DEFAULT_DETECTOR, openDetector } from './detect/open.js';
export { plausibility } from './detect/plausibility.js';
export { detectTurned, type Turn, type TurnedDetections, turnDetection, turnPixels } from './detect/turn.js';
export { bothOf, embeddingsOf, type FaceFiles, type FaceWorkOptions } from './embed/aligned.js';
export { type BothFeatures, Embedder, type EmbedHooks, type FaceImages } from './embed/embedder.js';
export { Ensemble, type FaceInPhotograph } from './embed/ensemble.js';
export type { EmbedFolderOptions } from './embed/folder.js';
export {
  checkEmbeddingsFile,
  embedFolder,
  type FolderEmbeddings,
  type FolderImage,
  listFaces,
  writeEmbeddings,
} from './embed/folder.js';
export { followEmbedding } from './embed/follow.js';
export { bothInMemory, type EncodedImage } from './embed/in-memory.js';
export { joinSources } from './embed/joined-source.js';
export { type EmbeddingsList, listBytes } from './embed/list.js';
export { type EmbedderOptions, type ModelBytes, openEmbedder } from './embed/open.js';
export { embedPhotographs, type PhotographHooks } from './embed/photographs.js';
export { readEmbeddings, readList, type StoredEmbeddings } from './embed/read.js';
export {
  alignmentInWords,
  bothRealigned,
  carryFrom,
  embedRealigned,
  needsCarrying,
} from './embed/realigned.js';
export {
  type FaceSource,
  type ModelSourceOptions,
  requireSameModel,
  type SourceFeatures,
  sourceOfEmbeddings,
  sourceOfModel,
} from './embed/source.js';
export { type Candidate, type EnrolledFace, falsePositiveRate, Gallery } from './gallery.js';
export {
  type IdentifyOptions,
  type Identity,
  identifyFaces,
} from './identification.js';
export { type ExportOptions, exportImported, importedManifest } from './import/export.js';
export { type ImportedWeights, type ImportOptions, importable, importWeights } from './import/import.js';
export { WeightMismatch } from './import/mismatch.js';
export { openWeights, type WeightFile } from './import/tensors.js';
export { builtInModels, DEFAULT_MODEL } from './models/built-in.js';
export {
  type CalibratedDecision,
  decideBy,
  type Evidence,
  evidenceOf,
  perComparison,
  posterior,
  posteriors,
} from './models/calibrated.js';
export {
  type AskedThreshold,
  CALIBRATION_FORMAT,
  type Calibration,
  type CalibrationPoint,
  calibratedModel,
  readCalibration,
  requireCalibrated,
} from './models/calibration-file.js';
export { describeModel, type ModelDescription, type ModelLayer } from './models/describe.js';
export { builtInRecogniser, dlibResnetManifest } from './models/dlib-resnet.js';
export { addModel, type InstallOptions, installModel } from './models/install.js';
export {
  MANIFEST_KEY,
  type Manifest,
  type ManifestOverrides,
  manifestBeside,
  manifestFile,
  manifestMetadata,
  manifestSchema,
  modelDifference,
  resolveManifest,
  sameModel,
  sha256,
} from './models/manifest.js';
export { builtIn, type RegistryModel, registry } from './models/registry.js';
export { samplePhotographs } from './models/samples.js';
export {
  modelFile,
  modelsFolder,
  removeModel,
  type StoredModel,
  storedModels,
} from './models/store.js';
export { DEFAULT_FMR, type Decision, decisionFor } from './models/thresholds.js';
export { writeModel } from './models/write-model.js';
export { openReader, type ReaderOptions } from './open-reader.js';
export { type Pose, pose } from './pose.js';
export { faceQuality, type Quality, type QualityMeasures } from './quality.js';
export {
  type Agreement,
  type QuantizedModel,
  type QuantizeModelOptions,
  quantizeModel,
} from './quantize/quantize-model.js';
export { FaceReader, type ReadFace, type ReadPhotograph } from './reader.js';
