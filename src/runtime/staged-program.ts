// A training step of one rank among several: the stages of a lowered step run one after the other, and between
// them the ranks exchange what the graph says. State stays where it is, as in a `Program`.
import { UserError } from '../common/errors.js';
import { type Exchange, isPlain, type LoweredStages } from '../lower/index.js';
import { type Communicator, firstUnlike, type Reduction } from '../mpi/index.js';
import { cInterface } from './c-interface.js';
import { requireFeeds, requireState } from './checks.js';
import { bindingEngine, type Engine, type Value } from './engine.js';
import { toLogical, toStored } from './layout.js';
import { residentEngine } from './resident.js';
import { type Feeds, type Result, resultOf, type SessionSettings, type ValueInfo } from './session.js';

/** Values with fewer numbers than this share one message; larger ones travel alone, and are not copied for it. */
const SMALL = 2 ** 16;

/** Where the time of the steps so far went, in seconds. */
export interface Spent {
  /** In the stages. */
  computing: number;
  /** Waiting for exchanges to end, beyond what the stages hid. */
  exchanging: number;
  /** Bytes that this rank gave to exchanges. */
  bytes: number;
}

export class StagedProgram {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly stepsPerCall = 1;
  /** Names and logical shapes of the state. */
  readonly state: readonly { name: string; shape: readonly number[] }[];
  readonly spent: Spent = { computing: 0, exchanging: 0, bytes: 0 };

  readonly #held = new Map<string, Value>();
  readonly #lastReadIn: readonly (readonly string[])[];
  #engines: Engine[];
  #busy = false;

  private constructor(
    private readonly lowered: LoweredStages,
    engines: Engine[],
    private readonly communicator: Communicator,
  ) {
    this.inputs = lowered.inputs;
    this.outputs = lowered.outputs;
    this.state = lowered.state;
    this.#lastReadIn = lastReads(lowered);
    this.#engines = engines;
  }

  /** Compiles the stages. Throws a `UserError` when the device refuses one, or when the ranks' steps are unlike. */
  static async open(
    lowered: LoweredStages,
    settings: SessionSettings,
    communicator: Communicator,
  ): Promise<StagedProgram> {
    await requireAlike(lowered.exchanges, communicator);
    const c = settings.target === 'cpu' ? await cInterface() : undefined;
    const engines: Engine[] = [];
    try {
      for (const { model } of lowered.stages) {
        engines.push(
          c ? residentEngine(model, settings, c, { background: true }) : await bindingEngine(model, settings),
        );
      }
    } catch (error) {
      for (const engine of engines) await engine.release();
      const [line] = (error as Error).message.trim().split('\n');
      throw new UserError(`${settings.target} cannot run this graph: ${line}`);
    }
    return new StagedProgram(lowered, engines, communicator);
  }

  /** As of a `Program`. */
  setState(values: ReadonlyMap<string, Float32Array>): void {
    this.#idle();
    for (const [name, data] of values) {
      const declared = requireState(this.lowered.state, name, data);
      const stored = toStored(data, declared.shape, declared.layout);
      this.#keep(name, this.#engines[0]!.keep(stored, declared.physicalShape));
    }
  }

  /**
   * The numbers of one state where they lie, to read or to change before the next run, which takes them; only of
   * state in plain layout (weights of a head, not of convolutions).
   */
  viewState(name: string): Float32Array {
    const declared = this.lowered.state.find((s) => s.name === name);
    if (!declared) throw new UserError(`state '${name}' is not part of this program`);
    if (!isPlain(declared.layout)) throw new Error(`state '${name}' is not in plain layout`);
    return viewOf(this.#valueOf(name));
  }

  /**
   * A copy of the state, or of the part that is named, in logical layout. While a step is taken, or waits for a rank that
   * is gone, it is the state before that step.
   */
  async getState(names?: readonly string[]): Promise<Map<string, Float32Array>> {
    this.#open();
    const wanted = this.lowered.state.filter(({ name }) => names === undefined || names.includes(name));
    return new Map(
      wanted.map(({ name, shape, layout }) => [name, toLogical(viewOf(this.#valueOf(name)), shape, layout)]),
    );
  }

  /** Takes one step with all other ranks. Throws a `UserError` when a feed is wrong or another rank is gone. */
  async run(feeds: Feeds): Promise<Record<string, Result>> {
    this.#idle();
    const values = this.#checked(feeds);
    this.#busy = true;
    try {
      return await this.#step(values);
    } finally {
      this.#busy = false;
    }
  }

  /** Frees the sessions and the state. */
  async dispose(): Promise<void> {
    if (this.#busy) throw new Error('the program is still running a step; await it before disposing');
    for (const value of this.#held.values()) value.dispose();
    this.#held.clear();
    const engines = this.#engines;
    this.#engines = [];
    for (const engine of engines) await engine.release();
  }

  async #step(values: Map<string, Value>): Promise<Record<string, Result>> {
    const { stages, exchanges, state, outputs } = this.lowered;
    const fed = new Set<Value>(values.values());
    for (const { name } of state) values.set(name, this.#valueOf(name));
    for (const { name } of state) fed.add(values.get(name)!);
    const pending = new Map<string, Promise<void>>();
    const arrived = async (names: Iterable<string>) => {
      const begin = performance.now();
      for (const name of names) await pending.get(name);
      this.spent.exchanging += (performance.now() - begin) / 1000;
    };
    for (const [i, stage] of stages.entries()) {
      await arrived(stage.inputs);
      const begin = performance.now();
      const given = Object.fromEntries(stage.inputs.map((name) => [name, values.get(name)!]));
      const made = await this.#engines[i]!.run(given, stage.outputs);
      this.spent.computing += (performance.now() - begin) / 1000;
      for (const name of stage.outputs) values.set(name, made[name]!);
      const due = exchanges.filter(({ after }) => after === i);
      for (const [names, done] of this.#exchange(due, values))
        for (const name of names) pending.set(name, done);
      for (const name of this.#lastReadIn[i]!) {
        const value = values.get(name)!;
        values.delete(name);
        // An exchange in place has one value under two names.
        if (!fed.has(value) && ![...values.values()].includes(value)) value.dispose();
      }
    }
    await arrived(pending.keys());
    const results = outputs.map(({ name, from }) => [name, resultOf(values.get(from)!)] as const);
    const kept = new Set(state.flatMap(({ output }) => (output === undefined ? [] : values.get(output)!)));
    for (const { name, output } of state) if (output !== undefined) this.#keep(name, values.get(output)!);
    for (const value of new Set(values.values())) if (!kept.has(value) && !fed.has(value)) value.dispose();
    return Object.fromEntries(results);
  }

  /** Starts exchanges, in the order of the graph; yields the results' names with the promise of each message. */
  *#exchange(due: readonly Exchange[], values: Map<string, Value>): Generator<[string[], Promise<void>]> {
    const own = ({ value }: Exchange): Value => values.get(value)!;
    const data = (exchange: Exchange): Float32Array => viewOf(own(exchange));
    const keep = ({ result, physicalShape }: Exchange, numbers: Float32Array) =>
      values.set(result, this.#engines[0]!.keep(numbers, physicalShape));
    if (this.communicator.size === 1) {
      // What is read under both names could be kept under both, and freed twice.
      for (const exchange of due) {
        if (this.#readAlone(exchange)) values.set(exchange.result, own(exchange));
        else keep(exchange, data(exchange));
      }
      return;
    }
    for (const exchange of due) this.spent.bytes += data(exchange).byteLength;
    for (const exchange of due.filter(({ kind }) => kind === 'allGather')) {
      const done = this.communicator.allGather(data(exchange)).then((all) => {
        keep(exchange, all);
      });
      yield [[exchange.result], done];
    }
    for (const reduction of ['sum', 'max'] as const) {
      const reduced = due.filter((exchange) => exchange.reduction === reduction);
      const small = reduced.filter((exchange) => data(exchange).length < SMALL);
      if (small.length > 0)
        yield [small.map(({ result }) => result), this.#together(small, reduction, data, keep)];
      for (const exchange of reduced.filter((other) => !small.includes(other))) {
        // In place, unless this rank's own numbers are still wanted.
        const alone = this.#readAlone(exchange);
        const numbers = alone ? data(exchange) : data(exchange).slice();
        const done = this.communicator.allReduce(numbers, reduction).then(() => {
          if (alone) values.set(exchange.result, own(exchange));
          else keep(exchange, numbers);
        });
        yield [[exchange.result], done];
      }
    }
  }

  /** Whether nothing but this exchange reads its value. */
  #readAlone(exchange: Exchange): boolean {
    const { stages, outputs, state, exchanges } = this.lowered;
    const { value } = exchange;
    return !(
      stages.some(({ inputs }) => inputs.includes(value)) ||
      outputs.some(({ from }) => from === value) ||
      state.some(({ output }) => output === value) ||
      exchanges.some((other) => other !== exchange && other.value === value)
    );
  }

  /** Several small values as one message. */
  async #together(
    small: readonly Exchange[],
    reduction: Reduction,
    data: (exchange: Exchange) => Float32Array,
    keep: (exchange: Exchange, numbers: Float32Array) => void,
  ): Promise<void> {
    const parts = small.map(data);
    const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    await this.communicator.allReduce(all, reduction);
    at = 0;
    small.forEach((exchange, i) => {
      keep(exchange, all.slice(at, at + parts[i]!.length));
      at += parts[i]!.length;
    });
  }

  #checked(feeds: Feeds): Map<string, Value> {
    requireFeeds(this.inputs, feeds);
    return new Map(
      this.inputs.map(({ name, shape, dtype }) => {
        const value = feeds[name]!;
        return [name, this.#engines[0]!.feed(name, dtype, value, shape as number[])];
      }),
    );
  }

  #keep(name: string, value: Value): void {
    const old = this.#held.get(name);
    this.#held.set(name, value);
    if (old !== value) old?.dispose();
  }

  #valueOf(name: string): Value {
    const value = this.#held.get(name);
    if (!value) throw new UserError(`state '${name}' was never set; call setState first`);
    return value;
  }

  #idle(): void {
    if (this.#busy) throw new Error('the program is still running a step; await it first');
    this.#open();
  }

  #open(): void {
    if (this.#engines.length === 0) throw new Error('the program was disposed');
  }
}

/** The numbers of a value where they lie. */
const viewOf = (value: Value): Float32Array => (value.view ?? value.data) as Float32Array;

/** By stage, the values that no stage behind it reads and that are no result of the step. */
function lastReads({ stages, state, outputs, exchanges }: LoweredStages): string[][] {
  return stages.map(({ inputs, outputs: made }, stage) => {
    const needed = new Set([
      ...stages.slice(stage + 1).flatMap((later) => later.inputs),
      ...outputs.map(({ from }) => from),
      ...state.flatMap(({ output }) => output ?? []),
      ...exchanges.map(({ value }) => value),
    ]);
    return [...inputs, ...made].filter((name) => !needed.has(name));
  });
}

/** Ranks that exchange unlike values would wait for each other for ever, or mix them up. */
async function requireAlike(exchanges: readonly Exchange[], communicator: Communicator): Promise<void> {
  const what = exchanges.map(({ kind, reduction, after, physicalShape }) => [
    kind,
    reduction,
    after,
    physicalShape,
  ]);
  const other = await firstUnlike(communicator, what);
  if (other === undefined) return;
  throw new UserError(
    `rank ${communicator.rank} builds another training step than rank ${other}: start all ranks with the same command and the same version`,
  );
}
