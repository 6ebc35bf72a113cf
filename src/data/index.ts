// Data: image folders, digits and pair lists in, batches out.
export { type Batch, type BatchOptions, BatchSource } from './batches.js';
export { type CaffeLayer, readCaffemodel } from './caffemodel.js';
export { type DigitSplit, type DigitSplitOptions, digitSize, digits, splitDigits } from './digits.js';
export { OVERLAP_FORMAT, readExcludeFile } from './exclude-file.js';
export { type Ignored, type IgnoredKind, ignoredLine } from './ignored.js';
export {
  decodeImage,
  type ImageCollection,
  type OpenCollection,
  type UnreadableImage,
} from './image-collection.js';
export { type ImageSet, MemoryImages, readPlanes, writePlanes } from './image-set.js';
export {
  type ChannelOrder,
  type DecodeOptions,
  decodeBytes,
  decodeFace,
  imageExtensions,
  inputWindow,
  isImageName,
} from './images.js';
export type { ListedPair } from './list-rows.js';
export { readNumpyDictionary } from './numpy.js';
export type { NumberArray } from './numpy-array.js';
export { openCollection } from './open-collection.js';
export {
  type ListedPairs,
  type LocatedPairs,
  locateListed,
  parsePairList,
  peopleOfPaths,
  readPairList,
} from './pair-list.js';
export {
  type FoundPairs,
  findPairs,
  type ImagePairs,
  locatePairs,
  type NamedPair,
  type PairFace,
  type PairList,
  parsePairs,
  readPairs,
} from './pairs.js';
export { compareNames, listPeople, type Person } from './people.js';
export { decodePhotograph, type Photograph, readPhotograph } from './photograph.js';
export {
  imagesBelow,
  type ListedPhotographs,
  listBelow,
  listPhotographs,
  photographsAt,
} from './photographs.js';
export { openRecordSet, type RecordImage, type RecordProperty, RecordSet } from './record-set.js';
export { type WrittenRecords, writeRecordSet } from './record-writer.js';
export { type AreaSums, areaSums, type RgbImage, resample, type Window } from './resample.js';
export {
  readSafetensors,
  type Safetensors,
  type StoredData,
  type StoredDType,
  type StoredTensor,
  writeSafetensors,
} from './safetensors.js';
export { openSafetensors, readSafetensorsTensor } from './safetensors-file.js';
export {
  readSafetensorsHeader,
  type SafetensorsHeader,
  safetensorsHeaderLength,
  type TensorPlace,
  writeSafetensorsHeader,
} from './safetensors-header.js';
export { type Plan, peopleByImages, type Sampler, type SamplerOptions, shuffled } from './samplers.js';
export { parseScores, readScores, type ScoredPair, type ScoreList } from './score-list.js';
export { readTorchCheckpoint, type TorchCheckpoint } from './torch-checkpoint.js';
export type { StoredNumbers } from './torch-tensors.js';
export { openTrainingSet, type TrainingSet, type TrainingSetOptions } from './training-set.js';
export {
  type DistinctPairs,
  distinctPairs,
  parseVerificationBin,
  readVerificationBin,
  type VerificationBin,
} from './verification-bin.js';
