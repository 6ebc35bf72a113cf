// Float graphs rewritten to graphs that compute the same.
export { foldConstants } from './constants.js';
export { foldConvolutions } from './fold-convolutions.js';
export { forCpu } from './for-cpu.js';
export { rewritePrelu } from './prelu.js';
