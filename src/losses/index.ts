// The losses, by the names that the command line and configurations use.
import { aSoftmax } from './a-softmax.js';
import type { LossDefinition } from './definition.js';
import { modifiedSoftmax } from './modified-softmax.js';
import { softmax } from './softmax.js';

export { type Annealing, lambdaAt, SPHEREFACE_ANNEALING } from './annealing.js';
export type { LossContext, LossDefinition, LossOptions, LossTerms, Scheduled } from './definition.js';
export { type HeadSpec, marginHead, replaceCosine, type TrueClass, withGradientOf } from './head.js';
export { psi, psiOf, psiSlope, psiSlopeOf } from './psi.js';

/** All losses by name. */
export const losses: Readonly<Record<string, LossDefinition>> = Object.fromEntries(
  [softmax, modifiedSoftmax, aSoftmax].map((loss) => [loss.name, loss]),
);
