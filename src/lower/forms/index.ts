// All ways to write the operations, best first. To add a faster form for a device, a shape or a layout,
// put a row before the ones it beats; every form is tested equal to the plain one.
import { isExchange, type Tensor } from '../../graph/index.js';
import type { Form, LoweringContext } from '../context.js';
import { convolutionForms } from './convolution.js';
import { cudaForms } from './cuda.js';
import { depthwiseForms } from './depthwise.js';
import { graphicsForms } from './graphics.js';
import { memoryBoundForms } from './memory-bound.js';
import { plainForms } from './plain.js';
import { poolingForms } from './pooling.js';
import { preluForms } from './prelu.js';
import { webgpuForms } from './webgpu.js';
import { winogradForms } from './winograd.js';

const forms = new Map<string, Form[]>();
for (const form of [
  ...winogradForms,
  ...graphicsForms,
  ...convolutionForms,
  ...depthwiseForms,
  ...poolingForms,
  ...preluForms,
  ...memoryBoundForms,
  ...webgpuForms,
  ...cudaForms,
  ...plainForms,
]) {
  forms.set(form.op, [...(forms.get(form.op) ?? []), form]);
}

/** The best form of a node on the context's target. */
export function formOf(node: Tensor, context: LoweringContext): Form {
  const found = forms.get(node.op)?.find((form) => form.when?.(node, context) ?? true);
  if (!found) {
    const how = isExchange(node)
      ? 'in one program: ranks exchange it between two (see stages.ts)'
      : 'as ONNX';
    throw new Error(`there is no way to write '${node.op}' ${how}`);
  }
  return found;
}
