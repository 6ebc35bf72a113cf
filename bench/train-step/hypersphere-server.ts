// Our training step in a process of its own, so that its memory is its own, as PyTorch's is. Arguments: the case as
// JSON, and the formulations. Speaks as `StepServer` hears.
import { createInterface } from 'node:readline';
import type { Case } from './candidate.js';
import { hypersphere } from './hypersphere.js';

const [sizes, formulations] = process.argv.slice(2) as [string, 'fast' | 'plain'];
const candidate = await hypersphere('Hypersphere', JSON.parse(sizes) as Case, formulations);
console.log('{}');
for await (const _ of createInterface({ input: process.stdin }))
  console.log((await candidate.step()).toFixed(3));
