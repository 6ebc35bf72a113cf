// The losses, by the names that the command line and configurations use.
import { UserError } from '../common/errors.js';
import { aSoftmax } from './a-softmax.js';
import { arcFace } from './arcface.js';
import { center } from './center.js';
import { centerInvariant } from './center-invariant.js';
import { coco } from './coco.js';
import { combined } from './combined.js';
import { contrastive } from './contrastive.js';
import { amSoftmax, cosFace } from './cosface.js';
import type { LossDefinition } from './definition.js';
import { jointLoss } from './joint.js';
import { lSoftmax } from './l-softmax.js';
import { l2Softmax } from './l2-softmax.js';
import { marginal } from './marginal.js';
import { mhe } from './mhe.js';
import { modifiedSoftmax } from './modified-softmax.js';
import { normFace } from './normface.js';
import { range } from './range.js';
import { softmax } from './softmax.js';
import { sphereFacePlus } from './sphereface-plus.js';
import { sphereFaceR1, sphereFaceR2 } from './sphereface-r.js';
import { tpe } from './tpe.js';
import { triplet } from './triplet.js';
import { tse } from './tse.js';

export { type Annealing, L_SOFTMAX_ANNEALING, lambdaAt, SPHEREFACE_ANNEALING } from './annealing.js';
export { arcTarget } from './arcface.js';
export type { ClassShard } from './class-share.js';
export { withGradientOf } from './class-vectors.js';
export { simplexScale } from './coco.js';
export { fallingCosine } from './combined.js';
export type {
  AngleFunction,
  LossContext,
  LossDefinition,
  LossKind,
  LossNeeds,
  LossOptions,
  LossTerms,
  Scheduled,
} from './definition.js';
export { type HeadSpec, marginHead, replaceCosine, type TrueClass } from './head.js';
export { PROJECTED_LENGTH } from './projection.js';
export { psi, psiOf, psiSlope, psiSlopeOf } from './psi.js';
export { MINING, type Mining } from './triplets.js';

/** All losses by name, in the order in which the field came to them within each kind. */
export const losses: Readonly<Record<string, LossDefinition>> = Object.fromEntries(
  [
    softmax,
    modifiedSoftmax,
    lSoftmax,
    aSoftmax,
    l2Softmax,
    normFace,
    coco,
    amSoftmax,
    cosFace,
    arcFace,
    combined,
    sphereFacePlus,
    sphereFaceR1,
    sphereFaceR2,
    contrastive,
    marginal,
    triplet,
    tse,
    tpe,
    center,
    centerInvariant,
    range,
    mhe,
  ].map((loss) => [loss.name, loss]),
);

/**
 * The loss called `name`, or the joint loss of several names with '+' between them, such as 'softmax+center'.
 * Throws a `UserError` that lists the names there are.
 */
export function lossNamed(name: string): LossDefinition {
  const parts = name.split('+').map((part) => part.trim());
  const unknown = parts.find((part) => !Object.hasOwn(losses, part));
  if (unknown !== undefined) {
    throw new UserError(
      `no loss is called '${unknown}'; use one of ${Object.keys(losses).join(', ')}, or several as in softmax+center`,
    );
  }
  return parts.length === 1 ? losses[parts[0]!]! : jointLoss(parts.map((part) => losses[part]!));
}

/** Losses that only draw classes together: alone they are least when all embeddings are one. */
const DRAW_TOGETHER = ['center', 'center-invariant'];

/**
 * `lossNamed` for training. Throws a `UserError` also for an energy without class vectors before it, and for losses
 * that would draw all people together with nothing to hold them apart.
 */
export function lossToTrain(name: string): LossDefinition {
  const loss = lossNamed(name);
  const parts = loss.name.split('+').map((part) => losses[part]!);
  const energy = parts.findIndex(({ kind }) => kind === 'energy');
  if (energy >= 0 && !parts.slice(0, energy).some(({ kind }) => kind === 'classification')) {
    const { name: part } = parts[energy]!;
    throw new UserError(
      `'${part}' acts on the class vectors of a loss named before it, as in a-softmax+${part}`,
    );
  }
  if (parts.every((part) => DRAW_TOGETHER.includes(part.name))) {
    throw new UserError(
      `${name} draws people together and has nothing to hold them apart: train it beside another loss, as in softmax+${name}`,
    );
  }
  return loss;
}
