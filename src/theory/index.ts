// The provable side: measures of a set of features that need no protocol, bounds on scales and margins, and where
// the losses draw the line between classes. docs/theory.md derives them.
export {
  type Arc,
  angularMarginOnCircle,
  arrangeOnCircle,
  boundariesOnCircle,
  type CircleArrangement,
  type Target,
} from './circle.js';
export { cocoScaleBound, cocoSimplexScale } from './coco.js';
export { cosFaceMarginBounds, cosFaceScaleBound } from './cosface.js';
export {
  type AngularBoundary,
  angularBoundaries,
  aSoftmaxAngularMargin,
  aSoftmaxDemands,
  aSoftmaxTarget,
  type Demands,
  modifiedSoftmaxDemands,
  softmaxDemands,
  type TwoClasses,
} from './decision-boundaries.js';
export { type AngularFisher, angularFisher, angularFisherScore } from './fisher.js';
export { crossPolytopeScale, l2SoftmaxScaleBound } from './l2-softmax.js';
export {
  type ClassDistances,
  circleDistances,
  evenDistances,
  MINIMUM_MARGIN_MANY_CLASSES,
  MINIMUM_MARGIN_TWO_CLASSES,
  minimumMarginAt,
  separates,
  twoClassDistances,
} from './minimum-margin.js';
export {
  type NeuralCollapse,
  type NeuralCollapseOptions,
  neuralCollapse,
} from './neural-collapse.js';
export { normFaceBound, scaledProbability, scaleSlope } from './normface.js';
export { regularSimplex, simplexLoss, simplexScale } from './simplex.js';
export { type SimplexMeasures, simplexMeasures } from './simplex-measures.js';
export { type CosineBounds, capShare, largestCosine } from './spread.js';
export { type ClassMeans, classMeans, type Vectors } from './vectors.js';
