// Search: cosine scores against any number of templates, the best of them, and the file they are kept in.
export type { Candidates } from './best.js';
export { type BlockOptions, eachBlock, type ScanOptions } from './scores.js';
export { memoryTemplates, type TemplateSource, type TemplateType, toUnit } from './source.js';
export { openTemplates, type TemplatesFile } from './templates-file.js';
export { Search, type SearchOptions, type TopKOptions, topK } from './top-k.js';
export { writeTemplates } from './write-templates.js';
