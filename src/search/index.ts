// Search: cosine scores against any number of templates, the best of them, and the file they are kept in.
export { type BlockOptions, eachBlock, type ScanOptions } from './scores.js';
export { memoryTemplates, type TemplateSource, type TemplateType, toUnit } from './source.js';
