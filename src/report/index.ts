// Reports: self-contained HTML pages from results, with plots as SVG.
export {
  type ComparedFace,
  type ComparedPhotograph,
  type CompareResults,
  comparePage,
} from './compare-page.js';
export { comparedPhotograph, type FaceToShow } from './compared.js';
export { drawFaces, imageData } from './draw-faces.js';
export { writeComparison } from './evaluation/comparison-page.js';
export { type WriteOptions, type WrittenEvaluation, writeEvaluation } from './evaluation/write.js';
export { expectedNumber } from './expected-number.js';
export { figuresPage, writeFigure, writeFiguresPage } from './figures-page.js';
export { type OverlapReport, type OverlapSet, overlapPage } from './overlap-page.js';
export { runPage, writeRunPage } from './run-page.js';
export { toyPage, writeToyPage } from './toy-page.js';
