// The provable side: measures of a set of features that need no protocol.
export { type AngularFisher, angularFisher, angularFisherScore } from './fisher.js';
export { type ClassMeans, classMeans, type Vectors } from './vectors.js';
