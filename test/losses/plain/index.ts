// All losses as loops, by name, with their options' defaults as the papers and the reference list give them.
import { centreLosses } from './centres.js';
import { classificationLosses } from './classification.js';
import { energy, energyLosses } from './energy.js';
import { pairLosses } from './pairs.js';
import type { Evaluation, Options, Point, Reference } from './point.js';
import { tripletLosses } from './triplets.js';

export const references: Readonly<Record<string, Reference>> = {
  ...classificationLosses,
  ...energyLosses,
  ...pairLosses,
  ...tripletLosses,
  ...centreLosses,
};

/** What is annealed has its schedule too; the references get the resulting lambda. */
export const defaults: Readonly<Record<string, Partial<Options> & { annealing?: object }>> = {
  softmax: { bias: true },
  'modified-softmax': {},
  'a-softmax': {
    margin: 4,
    gradient: 'exact',
    annealing: { base: 1000, gamma: 0.12, power: 1, minimum: 5 },
  },
  'sphereface-plus': {
    margin: 4,
    gradient: 'exact',
    annealing: { base: 1000, gamma: 0.12, power: 1, minimum: 5 },
    power: 2,
    weight: 1,
  },
  'l-softmax': { margin: 4, annealing: { base: 1000, gamma: 2.5e-5, power: 35, minimum: 0 } },
  'l2-softmax': { alpha: 32, learned: false, bias: true },
  normface: { scale: 10 },
  coco: { scale: 'auto' },
  'am-softmax': { scale: 30, margin: 0.35 },
  cosface: { scale: 64, margin: 0.35 },
  arcface: { scale: 64, margin: 0.5, easyMargin: false },
  combined: { scale: 64, m1: 1, m2: 0.3, m3: 0.2 },
  'sphereface-r-v1': { scale: 30, margin: 1.5, features: 'hard', gradient: 'exact' },
  'sphereface-r-v2': { scale: 30, margin: 1.5, features: 'hard', gradient: 'exact' },
  contrastive: { margin: 1, normalize: false },
  marginal: { threshold: 1.2, margin: 0.3 },
  triplet: { margin: 0.2, mining: 'semi-hard' },
  tse: { margin: 0.2, mining: 'semi-hard', length: 0 },
  tpe: { mining: 'all', length: 0 },
  center: { rate: 0.5 },
  'center-invariant': { rate: 0.5 },
  range: { k: 2, alpha: 5e-5, beta: 1e-4, margin: 20000 },
  mhe: { power: 2 },
};

/** A loss at a point, its options completed from the defaults. */
export function plain(
  name: string,
  point: Point,
  options: Partial<Options> = {},
  fixed: Point = point,
): Evaluation {
  return references[name]!(point, { ...defaults[name], ...options } as Options, fixed);
}

/** Options of a joint loss: those of each part by its name, and the weights. */
export type JointOptions = Readonly<Record<string, Partial<Options> | Record<string, number>>>;

/** Of parts that are given none; 1 for all others. */
export const JOINT_WEIGHTS: Readonly<Record<string, number>> = { center: 0.003, 'center-invariant': 1e-4 };

/**
 * The weighted sum of parts 'a+b'; each part's state has its name and a dot before it. Class vectors and centres
 * of one part are those of the parts behind it; centres move at the rate of the part that has them.
 */
export function plainJoint(names: string, point: Point, options: JointOptions, fixed = point): Evaluation {
  const parts = names.split('+');
  const centred = parts.find((part) => part.startsWith('center'));
  const own = (part: string, { state, ...rest }: Point): Point => {
    const keeper = part.startsWith('center') ? centred! : part;
    const prefixed = Object.entries(state).filter(([name]) => name.startsWith(`${keeper}.`));
    return {
      ...rest,
      state: Object.fromEntries(prefixed.map(([name, rows]) => [name.slice(keeper.length + 1), rows])),
    };
  };
  let [value, next, logits, classVectors]: [number, Record<string, number[][]>, number[][]?, number[][]?] = [
    0,
    {},
  ];
  for (const part of parts) {
    const rate = centred && { rate: (options[centred] as Partial<Options> | undefined)?.rate ?? 0.5 };
    const partOptions = { ...(options[part] as Partial<Options> | undefined), ...rate };
    const evaluation: Evaluation =
      part === 'mhe'
        ? { value: energy(classVectors!, point.labels, partOptions.power ?? 2) }
        : plain(part, own(part, point), partOptions, own(part, fixed));
    const weights = options.weights as Record<string, number> | undefined;
    value += (weights?.[part] ?? JOINT_WEIGHTS[part] ?? 1) * evaluation.value;
    logits ??= evaluation.logits;
    classVectors ??= evaluation.next?.centroids ?? point.state[`${part}.fc6.weight`];
    for (const [name, rows] of Object.entries(evaluation.next ?? {})) {
      if (name !== 'centres' || part === centred) next = { ...next, [`${part}.${name}`]: rows };
    }
  }
  return { value, logits, next };
}
