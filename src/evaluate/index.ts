// Evaluation: scores and features in, figures with their uncertainty out. Nothing here knows how an embedding
// was made.
export { bootstrap, type Intervals, type Resampled, type Units } from './bootstrap.js';
export {
  type CalibrateOptions,
  type CalibrationFigures,
  calibrate,
  type Suspect,
} from './calibration/calibrate.js';
export { cllr, minimumCllr } from './calibration/cllr.js';
export { fitLine, type ScoreLine, type WeightedScores } from './calibration/logistic.js';
export { excessAt, fitTail, type ParetoTail } from './calibration/tail.js';
export {
  type CmcCurve,
  type DetCurve,
  EVALUATION_FORMAT,
  type EvaluatedModel,
  type Evaluation,
  type FnirAtFpir,
  type Mistake,
  type Protocol,
  protocols,
  type VerificationPart,
} from './evaluation.js';
export { type CrossValidation, crossValidate, type FoldOutcome, requireSeveralFolds } from './folds.js';
export {
  type AngleHistograms,
  angleHistograms,
  angleHistogramsOfCosines,
  type Histogram,
  histograms,
} from './histogram.js';
export {
  type OpenSetInput,
  type OpenSetResult,
  openSet,
  standardFpirs,
  standardSizes,
} from './identification/open-set.js';
export {
  checkLists,
  type DrawOptions,
  drawLists,
  listsText,
  type OpenSetLists,
  readLists,
  type SearchImage,
} from './identification/open-set-lists.js';
export { rateName, summariseOpenSet } from './identification/open-set-summary.js';
export { type LfwInput, type LfwMode, type LfwResult, lfw, type VerificationPair } from './lfw.js';
export type { MegafaceInput } from './megaface/input.js';
export { type MegafaceListOptions, type MegafaceLists, megafaceLists } from './megaface/lists.js';
export { type MegafaceResult, megaface } from './megaface/megaface.js';
export type { WrongPair } from './megaface/mistakes.js';
export { type CountedOptions, countedVerification, ScoreCounts } from './megaface/score-counts.js';
export { megafaceNotes, summariseMegaface } from './megaface/summary.js';
export { hardestMistakes, type JudgedTrials } from './mistakes.js';
export { imageFile, type OverlapSide, withImages } from './overlap/images.js';
export { NearestImages } from './overlap/nearest-images.js';
export {
  findOverlap,
  type NameMatch,
  type OverlapLevel,
  type OverlapOptions,
  type OverlapPair,
  type OverlapResult,
  overlapByName,
  sameNames,
} from './overlap/overlap.js';
export {
  type PersonRows,
  type PersonTemplates,
  peopleOf,
  personTemplates,
} from './overlap/person-templates.js';
export { remembered, type TemplatesOf } from './overlap/remembered.js';
export { faceDetail, photographLikeness } from './overlap/same-photograph.js';
export {
  type PeopleWithPhotographs,
  type PhotographScan,
  type PhotographSide,
  type SharedPhotograph,
  sharedPhotographs,
} from './overlap/shared-photographs.js';
export {
  auc,
  equalErrorRate,
  type Rates,
  type RocCurve,
  ratesOf,
  rocCurve,
  type SortedTrials,
  sortTrials,
  type TarAtFar,
  tarAtFar,
  tarsAtFars,
} from './roc.js';
export { type ClassSeparation, classSeparation } from './separation.js';
export { type SummaryRow, summarise } from './summary.js';
export { type Features, type Fusion, fuse, l2Normalise, type Templates } from './templates.js';
export { exactRule, insightfaceRule, spherefaceRule, type ThresholdRule } from './thresholds.js';
export {
  type ThresholdAtFmr,
  type ThresholdsAtFmr,
  type ThresholdsOptions,
  thresholdsAtFmr,
} from './thresholds-at-fmr.js';
export {
  standardFars,
  type VerificationOptions,
  type VerificationResult,
  verificationFigures,
} from './verification.js';
export {
  contiguousFolds,
  foldsOfOneKind,
  type ScoresInput,
  type ScoresResult,
  verifyScores,
} from './verify-list.js';
export { type PairVerification, type VerifyPairsOptions, verifyPairs } from './verify-pairs.js';
export {
  type Aggregation,
  aggregationNames,
  aggregations,
  videoScore,
  videoTemplate,
  type YtfInput,
  type YtfResult,
  ytf,
} from './ytf.js';
