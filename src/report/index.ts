// Reports: self-contained HTML pages from results, with plots as SVG.
export { figuresPage, writeFigure, writeFiguresPage } from './figures-page.js';
export { runPage, writeRunPage } from './run-page.js';
export { toyPage, writeToyPage } from './toy-page.js';
