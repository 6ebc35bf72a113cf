// What a loss is to the rest of the program: a name, a formula and its source for people, its options, what it
// needs of the sampler, and a function that adds its terms to a graph. Training loops and data are not known
// here.
import { UserError } from '../common/errors.js';
import { below, type Tensor } from '../graph/index.js';
import type { Scope } from '../nn/index.js';
import type { ClassShard } from './class-share.js';
import { type Option, refuse } from './options.js';

/** What a loss is built on. */
export interface LossContext {
  /** Where the loss declares what it learns or keeps (class vectors, biases, scales, centres). */
  readonly scope: Scope;
  /** [N, D] */
  readonly embedding: Tensor;
  /** [N] int32, each in [0, classes): a program refuses to be fed others. */
  readonly labels: Tensor;
  /** Number of people, K. */
  readonly classes: number;
  /** Of a rank that has some of the classes; without it, all are here. */
  readonly shard?: ClassShard;
  /** The loss's name inside a joint loss; names of scheduled inputs start with it. */
  readonly part?: string;
  /** [K, D], the class vectors of an earlier part of a joint loss. */
  readonly classVectors?: Tensor;
  /** The centres of an earlier part of a joint loss, shared by all that have centres. */
  readonly centres?: Centres;
}

/** Class centres [K, D] before and after the batch moves them; see `centres.ts`. */
export interface Centres {
  /** As they were kept: a constant to the gradient. */
  readonly now: Tensor;
  /** Differentiable in the embeddings. */
  readonly moved: Tensor;
}

/** The name of a scheduled input of this loss, unique in a joint loss. */
export const inputName = ({ part }: LossContext, name: string): string =>
  part === undefined ? name : `${part}.${name}`;

/** A scalar that is fed at every step and follows a schedule. */
export interface Scheduled {
  readonly input: Tensor;
  /** Its value at a step, counted from 1 and never restarted. */
  at(step: number): number;
}

/** What a loss adds to a graph. */
export interface LossTerms {
  /** Mean over the batch, a scalar. */
  readonly loss: Tensor;
  /** [N, K], without margin: their largest entry is the predicted class. */
  readonly logits?: Tensor;
  /** [N, 1], in place of logits where no rank has them all: 1 where the largest is the true class's. */
  readonly hits?: Tensor;
  /** [K, D] as they are multiplied. */
  readonly classVectors?: Tensor;
  readonly centres?: Centres;
  readonly schedule: readonly Scheduled[];
  /** Scalars worth watching. */
  readonly metrics: Readonly<Record<string, Tensor>>;
}

/** Options as a configuration file or a command line gives them. */
export type LossOptions = Readonly<Record<string, unknown>>;

/** What a loss is made of: class vectors, pairs or triplets of the batch, centres, or class vectors alone. */
export type LossKind = 'classification' | 'pair' | 'triplet' | 'centre' | 'energy';

/** What a loss asks of the batches. */
export interface LossNeeds {
  /** Images of each person in a batch at least: P x K sampling. */
  readonly imagesPerPerson?: number;
  /**
   * The loss is no mean over samples each on its own: it compares the samples of a batch, or moves by them. Ranks
   * that share a batch then gather its embeddings. By default true of pairs, triplets and centres.
   */
  readonly wholeBatch?: boolean;
}

/** A function of the angle theta to a class, in radians from 0 to pi. */
export type AngleFunction = (theta: number) => number;

/** A loss by name. */
export interface LossDefinition {
  readonly name: string;
  /** For headings. */
  readonly title: string;
  readonly formula: string;
  /** Where it comes from. */
  readonly paper: string;
  readonly kind: LossKind;
  readonly needs: LossNeeds;
  /** Its weight in a joint loss that gives none. */
  readonly weight: number;
  /** Every option with its default and what is valid, in words. */
  readonly options: Readonly<Record<string, { default: unknown; valid: string }>>;
  readonly defaults: LossOptions;
  /** Options with the defaults filled in. Throws a `UserError` that states what is valid. */
  check(options?: LossOptions): LossOptions;
  /** Adds the loss to the graph of `context`; the options are checked first. */
  build(context: LossContext, options?: LossOptions): LossTerms;
  /**
   * What stands in the place of cos(theta) for the true class, without scale and annealing. Margin losses have
   * it, as plain numbers, and it falls (or stays) all the way from 0 to pi.
   */
  target?(options?: LossOptions): AngleFunction;
  /** What stands in the place of cos(theta) for every other class, where that is not the cosine. */
  others?(options?: LossOptions): AngleFunction;
  /**
   * The embedding that the loss compares, [N, d], where it is not the network's own: the exported embedder ends
   * with it. Declares its parameters in `scope`.
   */
  embed?(scope: Scope, embedding: Tensor, options?: LossOptions): Tensor;
}

/** A loss as its own file writes it. */
interface LossSource<Options extends object> {
  name: string;
  title: string;
  formula: string;
  paper: string;
  kind: LossKind;
  needs?: LossNeeds;
  weight?: number;
  options: { [Name in keyof Options]: Option<Options[Name]> };
  build(context: LossContext, options: Options): LossTerms;
  target?(options: Options): AngleFunction;
  others?(options: Options): AngleFunction;
  embed?(scope: Scope, embedding: Tensor, options: Options): Tensor;
}

/** Makes the definition of a loss: fills in defaults, refuses unknown options, checks before building. */
export function defineLoss<Options extends object>(source: LossSource<Options>): LossDefinition {
  const { name: loss, options: table, target, others, embed } = source;
  const known = Object.keys(table) as (keyof Options & string)[];
  const check = (options: LossOptions = {}): Options => {
    for (const name of Object.keys(options)) {
      if (!(known as string[]).includes(name)) {
        const takes = known.length > 0 ? `it takes ${known.join(', ')}` : 'it takes none';
        throw new UserError(`${loss} has no option '${name}'; ${takes}`);
      }
    }
    const checked = known.map((name) => {
      const option = table[name];
      const given = options[name] === undefined ? option.default : options[name];
      const value = option.read(given, loss, name);
      return [name, value === undefined ? refuse(loss, name, given, option.valid) : value];
    });
    return Object.fromEntries(checked) as Options;
  };
  return {
    name: loss,
    title: source.title,
    formula: source.formula,
    paper: source.paper,
    kind: source.kind,
    needs: { wholeBatch: ['pair', 'triplet', 'centre'].includes(source.kind), ...source.needs },
    weight: source.weight ?? 1,
    options: table as LossDefinition['options'],
    defaults: check() as LossOptions,
    check: (options) => check(options) as LossOptions,
    build: (context, options) =>
      source.build({ ...context, labels: below(context.labels, context.classes) }, check(options)),
    ...(target && { target: (options) => target(check(options)) }),
    ...(others && { others: (options) => others(check(options)) }),
    ...(embed && { embed: (scope, embedding, options) => embed(scope, embedding, check(options)) }),
  };
}
