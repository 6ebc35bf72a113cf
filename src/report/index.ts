// Reports: self-contained HTML pages from results, with plots as SVG.
export { runPage, writeRunPage } from './run-page.js';
export { toyPage, writeToyPage } from './toy-page.js';
