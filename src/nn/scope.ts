// Parameters as a network declares them: a name, a shape, how it starts, and how the optimiser treats it.
// A scope collects them while the network is built and puts a prefix before their names.
import { nameOf, parameter, type Shape, stopGradient, type Tensor } from '../graph/index.js';
import type { Initializer } from './initializers.js';

/** How the optimiser treats a parameter. */
export interface ParameterOptions {
  /** Multiplier of the learning rate (Caffe's lr_mult); 0 freezes the parameter. Default 1. */
  rate?: number;
  /** Multiplier of the weight decay (Caffe's decay_mult). Default 1. */
  decay?: number;
  /**
   * Applied to the parameter after every update, for values that must stay in a set (class vectors at unit
   * length); a graph from the updated value to one of the same shape.
   */
  constraint?: (updated: Tensor) => Tensor;
  /** One row a class; see `Parameter`. */
  perClass?: boolean;
}

/** What a normalisation has measured of its input [N, C, H, W]. */
export interface Moments {
  /** Of each channel, [1, C, 1, 1]. */
  readonly mean: Tensor;
  /** Of each channel, about that mean; [1, C, 1, 1]. */
  readonly variance: Tensor;
  /** Of how many values a channel. */
  readonly count: number;
}

/** How declared values meet the graph of a rank among several; by default as they are. */
export interface ScopeUse {
  /** A parameter on its way into the graph. */
  readonly parameter: (tensor: Tensor) => Tensor;
  /** The next value of what is kept, from what this rank makes it. */
  readonly kept: (next: Tensor) => Tensor;
  /** The moments that a normalisation goes by, from those of this rank's rows. */
  readonly moments: (own: Moments) => Moments;
}

const asItIs: ScopeUse = { parameter: (tensor) => tensor, kept: (next) => next, moments: (own) => own };

/** A learned or kept value of a network or a loss. */
export interface Parameter {
  /** Unique in its network, as in 'conv1_1.weight'. */
  readonly name: string;
  readonly tensor: Tensor;
  readonly shape: Shape;
  readonly initializer: Initializer;
  readonly rate: number;
  readonly decay: number;
  /** Whether its rows belong to the classes, one each: what ranks that share the classes out have parts of. */
  readonly perClass?: boolean;
  readonly constraint?: (updated: Tensor) => Tensor;
  /** The next value of a parameter that moves by a rule of its own and not by the optimiser. */
  readonly next?: Tensor;
}

/** Where a network declares its parameters. Child scopes share one list, in order of declaration. */
export class Scope {
  readonly #prefix: string;
  readonly #all: Parameter[];
  readonly #use: ScopeUse;

  constructor(prefix = '', all: Parameter[] = [], use: ScopeUse = asItIs) {
    this.#prefix = prefix;
    this.#all = all;
    this.#use = use;
  }

  /** Everything declared so far, by this scope and all its relatives. */
  get parameters(): readonly Parameter[] {
    return this.#all;
  }

  /** A scope whose names start with `prefix` and a dot. */
  child(prefix: string): Scope {
    return new Scope(this.#full(prefix), this.#all, this.#use);
  }

  /** The same scope for a part of the graph that uses its values in another way. */
  using(use: Partial<ScopeUse>): Scope {
    return new Scope(this.#prefix, this.#all, { ...asItIs, ...use });
  }

  /** The moments that a normalisation of this scope goes by, from those of the rows that are here. */
  moments(own: Moments): Moments {
    return this.#use.moments(own);
  }

  /** Declares a parameter and returns its tensor. A name may be used once. */
  parameter(
    name: string,
    shape: Shape,
    initializer: Initializer,
    { rate = 1, decay = 1, constraint, perClass }: ParameterOptions = {},
  ): Tensor {
    const tensor = this.#named(name, shape);
    const how = { rate, decay, ...(constraint && { constraint }), ...(perClass && { perClass }) };
    this.#declare({ tensor, initializer, ...how });
    return this.#use.parameter(tensor);
  }

  /**
   * Declares a value that is kept like a parameter but moves by a rule of its own, such as the centres of a
   * loss: `rule` gives its next value after a step (a graph, of the same shape) from its present one. Returns
   * its tensor, a constant to the gradient.
   */
  kept(
    name: string,
    shape: Shape,
    initializer: Initializer,
    rule: (now: Tensor) => Tensor,
    { perClass }: Pick<ParameterOptions, 'perClass'> = {},
  ): Tensor {
    const tensor = this.#named(name, shape);
    const now = stopGradient(tensor);
    const next = this.#use.kept(rule(now));
    this.#declare({ tensor, initializer, rate: 0, decay: 0, next, ...(perClass && { perClass }) });
    return now;
  }

  #named(name: string, shape: Shape): Tensor {
    const full = this.#full(name);
    if (this.#all.some((other) => other.name === full)) {
      throw new Error(`parameter '${full}' is declared twice; give each layer its own name`);
    }
    return parameter(full, shape);
  }

  #declare(declared: Omit<Parameter, 'name' | 'shape'>): void {
    this.#all.push({ name: nameOf(declared.tensor), shape: declared.tensor.shape, ...declared });
  }

  #full(name: string): string {
    return this.#prefix ? `${this.#prefix}.${name}` : name;
  }
}
