// What a loss is to the rest of the program: a name, a formula and its source for people, and a function
// that adds its terms to a graph. Training loops and data are not known here.
import { UserError } from '../common/errors.js';
import type { Tensor } from '../graph/index.js';
import type { Scope } from '../nn/index.js';

/** What a loss is built on. */
export interface LossContext {
  /** Where the loss declares what it learns (class vectors, biases, scales). */
  readonly scope: Scope;
  /** [N, D] */
  readonly embedding: Tensor;
  /** [N] int32, each in [0, classes). */
  readonly labels: Tensor;
  /** Number of people, K. */
  readonly classes: number;
}

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
  readonly schedule: readonly Scheduled[];
  /** Scalars worth watching. */
  readonly metrics: Readonly<Record<string, Tensor>>;
}

/** Options as a configuration file or a command line gives them. */
export type LossOptions = Readonly<Record<string, unknown>>;

/** A loss by name. */
export interface LossDefinition {
  readonly name: string;
  /** For headings. */
  readonly title: string;
  readonly formula: string;
  /** Where it comes from. */
  readonly paper: string;
  readonly defaults: LossOptions;
  /** Options with the defaults filled in. Throws a `UserError` that states what is valid. */
  check(options?: LossOptions): LossOptions;
  /** Adds the loss to the graph of `context`; the options are checked first. */
  build(context: LossContext, options?: LossOptions): LossTerms;
}

/** A loss as its own file writes it: `check` turns options of unknown kinds into `Options`. */
interface LossSource<Options extends object> {
  name: string;
  title: string;
  formula: string;
  paper: string;
  defaults: Options;
  /** Receives the defaults with the given options over them; no unknown names are left. */
  check(options: { [Name in keyof Options]: unknown }): Options;
  build(context: LossContext, options: Options): LossTerms;
}

/** Makes the definition of a loss: fills in defaults, refuses unknown options, checks before building. */
export function defineLoss<Options extends object>(source: LossSource<Options>): LossDefinition {
  const check = (options: LossOptions = {}): Options => {
    const known = Object.keys(source.defaults);
    for (const name of Object.keys(options)) {
      if (!known.includes(name)) {
        const takes = known.length > 0 ? `it takes ${known.join(', ')}` : 'it takes none';
        throw new UserError(`${source.name} has no option '${name}'; ${takes}`);
      }
    }
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    return source.check({ ...source.defaults, ...Object.fromEntries(given) });
  };
  return {
    ...source,
    defaults: source.defaults as LossOptions,
    check: (options) => check(options) as LossOptions,
    build: (context, options) => source.build(context, check(options)),
  };
}

/** Throws a `UserError` for an option's value, saying what is valid. */
export function refuse(loss: string, option: string, value: unknown, valid: string): never {
  throw new UserError(`${loss}: ${option} is ${JSON.stringify(value)}; it must be ${valid}`);
}
