// Parameters as a network declares them: a name, a shape, how it starts, and how the optimiser treats it.
// A scope collects them while the network is built and puts a prefix before their names.
import { parameter, type Shape, type Tensor } from '../graph/index.js';
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
}

/** A learned value of a network or a loss. */
export interface Parameter {
  /** Unique in its network, as in 'conv1_1.weight'. */
  readonly name: string;
  readonly tensor: Tensor;
  readonly shape: Shape;
  readonly initializer: Initializer;
  readonly rate: number;
  readonly decay: number;
  readonly constraint?: (updated: Tensor) => Tensor;
}

/** Where a network declares its parameters. Child scopes share one list, in order of declaration. */
export class Scope {
  readonly #prefix: string;
  readonly #all: Parameter[];

  constructor(prefix = '', all: Parameter[] = []) {
    this.#prefix = prefix;
    this.#all = all;
  }

  /** Everything declared so far, by this scope and all its relatives. */
  get parameters(): readonly Parameter[] {
    return this.#all;
  }

  /** A scope whose names start with `prefix` and a dot. */
  child(prefix: string): Scope {
    return new Scope(this.#full(prefix), this.#all);
  }

  /** Declares a parameter and returns its tensor. A name may be used once. */
  parameter(
    name: string,
    shape: Shape,
    initializer: Initializer,
    { rate = 1, decay = 1, constraint }: ParameterOptions = {},
  ): Tensor {
    const full = this.#full(name);
    if (this.#all.some((other) => other.name === full)) {
      throw new Error(`parameter '${full}' is declared twice; give each layer its own name`);
    }
    const tensor = parameter(full, shape);
    this.#all.push({
      name: full,
      tensor,
      shape,
      initializer,
      rate,
      decay,
      ...(constraint && { constraint }),
    });
    return tensor;
  }

  #full(name: string): string {
    return this.#prefix ? `${this.#prefix}.${name}` : name;
  }
}
