// A compiled training step that keeps its state (parameters, momentum) where it is computed: the tensors of one
// run are fed to the next, and the old ones are freed at once. Only the declared outputs are read back.
import { UserError } from '../common/errors.js';
import { showShape } from '../graph/index.js';
import type { LoweredStep, Target } from '../lower/index.js';
import { encodeModel, type OnnxValue } from '../lower/onnx.js';
import { boundEngine, isBindable } from './bound.js';
import { cInterface } from './c-interface.js';
import { requireFeeds, requireState } from './checks.js';
import { bindingEngine, type Engine, type Value } from './engine.js';
import { toLogical, toStored } from './layout.js';
import { residentEngine } from './resident.js';
import {
  type Feed,
  type Feeds,
  type Result,
  resultOf,
  type SessionSettings,
  type ValueInfo,
} from './session.js';

type StateValue = LoweredStep['state'][number];

export interface ProgramOptions {
  /**
   * How often a call runs the lowered step, which takes one step alone; default 1. Above 1 every feed and output has
   * a leading axis, as if the steps were in one graph.
   */
  repeat?: number;
}

export class Program {
  /** What `run` must be fed, with the leading axis of steps when `stepsPerCall` is above 1. */
  readonly inputs: readonly ValueInfo[];
  /** What `run` returns. */
  readonly outputs: readonly ValueInfo[];
  readonly stepsPerCall: number;
  /** Names and logical shapes of the state. */
  readonly state: readonly { name: string; shape: readonly number[] }[];

  #engine: Engine | undefined;
  /** Copies state between the CPU and the GPU; only where the state is resident on the GPU. */
  readonly #copies: StateCopies | undefined;
  readonly #declared: ReadonlyMap<string, StateValue>;
  readonly #fetches: string[];
  /** Names, types and shapes of what one run of the engine is fed. */
  readonly #fed: readonly ValueInfo[];
  readonly #repeat: number;
  readonly #tensors = new Map<string, Value>();
  #busy = false;

  private constructor(
    lowered: LoweredStep,
    engine: Engine,
    copies: StateCopies | undefined,
    { repeat = 1 }: ProgramOptions,
  ) {
    const stepsPerCall = lowered.stepsPerCall * repeat;
    const perCall = (value: ValueInfo): ValueInfo =>
      stepsPerCall > 1 ? { ...value, shape: [stepsPerCall, ...value.shape] } : value;
    this.inputs = lowered.inputs.map(perCall);
    this.outputs = lowered.outputs.map(perCall);
    this.state = lowered.state;
    this.stepsPerCall = stepsPerCall;
    this.#repeat = repeat;
    this.#fed = repeat > 1 ? lowered.inputs : this.inputs;
    this.#declared = new Map(lowered.state.map((value) => [value.name, value]));
    this.#fetches = lowered.outputs.map(({ name }) => name);
    for (const { output } of lowered.state) if (output !== undefined) this.#fetches.push(output);
    this.#engine = engine;
    this.#copies = copies;
  }

  /** Compiles a lowered step. Throws UserError when the device refuses it. */
  static async open(
    lowered: LoweredStep,
    settings: SessionSettings,
    options: ProgramOptions = {},
  ): Promise<Program> {
    const resident = lowered.state.length > 0 && (await keepsOutputs(settings.target));
    const kept = lowered.state.flatMap(({ output }) => (output !== undefined ? [output] : []));
    let engine: Engine;
    try {
      engine = await openEngine(lowered.model, settings, resident ? kept : []);
    } catch (error) {
      throw new UserError(`${settings.target} cannot run this graph: ${firstLine(error)}`);
    }
    const copies = resident ? new StateCopies(lowered.state, settings) : undefined;
    return new Program(lowered, engine, copies, options);
  }

  /**
   * Sets state by name, in logical layout; the numbers are copied. State that is not named stays as it is.
   * Throws UserError for an unknown name or a wrong length.
   */
  setState(values: ReadonlyMap<string, Float32Array> | Readonly<Record<string, Float32Array>>): void {
    const engine = this.#idle();
    const entries = values instanceof Map ? [...values.entries()] : Object.entries(values);
    const all = [...this.#declared.values()];
    const checked = entries.map(([name, data]) => ({ declared: requireState(all, name, data), data }));
    for (const { declared, data } of checked) {
      const stored = toStored(data, declared.shape, declared.layout);
      this.#keep(declared, engine.keep(stored, declared.physicalShape));
    }
  }

  /** A copy of the whole state, in logical layout. Throws UserError when some of it was never set. */
  async getState(): Promise<Map<string, Float32Array>> {
    return this.#exclusive(async () => {
      const held = this.#stateFeeds();
      const local = this.#copies ? await this.#copies.download(held) : held;
      const state = new Map<string, Float32Array>();
      for (const { name, shape, layout, input } of this.#declared.values()) {
        state.set(name, toLogical(local[input]!.data as Float32Array, shape, layout));
        if (this.#copies) local[input]!.dispose();
      }
      return state;
    });
  }

  /**
   * Runs `stepsPerCall` steps and returns the outputs. Throws UserError when a feed is missing, unknown or of
   * the wrong size, or when state was never set.
   */
  async run(feeds: Feeds): Promise<Record<string, Result>> {
    return this.#exclusive(async (engine) => {
      requireFeeds(this.inputs, feeds, this.stepsPerCall);
      if (this.#repeat === 1) return this.#runOnce(feeds, engine);
      const results: Record<string, Result>[] = [];
      for (let i = 0; i < this.#repeat; i++) {
        const own = Object.entries(feeds).map(([name, value]) => [name, part(value, i, this.#repeat)]);
        results.push(await this.#runOnce(Object.fromEntries(own), engine));
      }
      return Object.fromEntries(
        this.outputs.map(({ name }) => [name, stacked(results.map((r) => r[name]!))]),
      );
    });
  }

  /** Frees the session and the state. The program cannot be used afterwards. */
  async dispose(): Promise<void> {
    const engine = this.#engine;
    if (!engine) return;
    if (this.#busy) throw new Error('the program is still running a step; await it before disposing');
    this.#engine = undefined;
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
    await engine.release();
    await this.#copies?.release();
  }

  #keep({ name }: StateValue, tensor: Value): void {
    const old = this.#tensors.get(name);
    this.#tensors.set(name, tensor);
    if (old !== tensor) old?.dispose();
  }

  #stateFeeds(): Record<string, Value> {
    const feeds: Record<string, Value> = {};
    for (const { name, input, shape } of this.#declared.values()) {
      const tensor = this.#tensors.get(name);
      if (!tensor)
        throw new UserError(`state '${name}' ${showShape(shape)} was never set; call setState first`);
      feeds[input] = tensor;
    }
    return feeds;
  }

  /** Moves state that the steps only read to the GPU, once, instead of sending it with every call. */
  async #uploaded(): Promise<Record<string, Value>> {
    const constant = [...this.#declared.values()].filter(({ output }) => output === undefined);
    if (!this.#copies || constant.length === 0) return {};
    const held = Object.fromEntries(constant.map(({ name, input }) => [input, this.#tensors.get(name)!]));
    if (Object.values(held).every(({ location }) => location === 'gpu-buffer')) return {};
    const uploaded = await this.#copies.upload(held);
    for (const declared of constant) this.#keep(declared, uploaded[declared.input]!);
    return uploaded;
  }

  async #runOnce(feeds: Feeds, engine: Engine): Promise<Record<string, Result>> {
    const all: Record<string, Value> = {};
    for (const { name, dtype, shape } of this.#fed)
      all[name] = engine.feed(name, dtype, feeds[name]!, shape as number[]);
    Object.assign(all, this.#stateFeeds(), await this.#uploaded());
    const fetched = await engine.run(all, this.#fetches);
    for (const declared of this.#declared.values()) {
      if (declared.output !== undefined) this.#keep(declared, fetched[declared.output]!);
    }
    return Object.fromEntries(
      this.outputs.map(({ name }) => {
        const result = resultOf(fetched[name]!);
        fetched[name]!.dispose();
        return [name, result];
      }),
    );
  }

  #idle(): Engine {
    if (!this.#engine) throw new Error('the program was disposed');
    if (this.#busy) throw new Error('the program is still running a step; await it first');
    return this.#engine;
  }

  async #exclusive<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    const engine = this.#idle();
    this.#busy = true;
    try {
      return await work(engine);
    } finally {
      this.#busy = false;
    }
  }
}

/** The i-th of the `count` parts of a feed along its leading axis; a number is the same for all. */
const part = (value: Feed, i: number, count: number): Feed =>
  typeof value === 'number'
    ? value
    : value.subarray((i * value.length) / count, ((i + 1) * value.length) / count);

/** Results of one shape, one behind the other along a new leading axis. */
function stacked(results: readonly Result[]): Result {
  const { data, shape } = results[0]!;
  const all = new (data.constructor as Float32ArrayConstructor)(data.length * results.length);
  results.forEach((result, i) => {
    all.set(result.data, i * data.length);
  });
  return { data: all, shape: [results.length, ...shape] };
}

/** Whether outputs can stay where the device computes them, out of the CPU's memory. */
const keepsOutputs = async (target: Target): Promise<boolean> =>
  target === 'webgpu' || (isBindable(target) && (await cInterface()) !== undefined);

/** `resident` names the outputs that stay on the GPU. */
async function openEngine(model: Uint8Array, settings: SessionSettings, resident: string[]): Promise<Engine> {
  const { target } = settings;
  const c = await cInterface();
  if (c && target === 'cpu') return residentEngine(model, settings, c);
  if (c && isBindable(target)) return boundEngine(model, { ...settings, target }, c, { resident });
  return bindingEngine(model, settings, { resident });
}

/** Models that copy state between the CPU and the GPU, each opened when it is first needed. */
class StateCopies {
  #download: Promise<Engine> | undefined;
  #upload: Promise<Engine> | undefined;

  constructor(
    private readonly state: readonly StateValue[],
    private readonly settings: SessionSettings,
  ) {}

  /** To the CPU. Reading a GPU tensor directly aborts the process in ONNX Runtime 1.30. */
  async download(held: Record<string, Value>): Promise<Record<string, Value>> {
    this.#download ??= openEngine(copyModel(this.state), this.settings, []);
    return renamed(await (await this.#download).run(held, Object.keys(held).map(copied)));
  }

  /** The state without `output`, to the GPU. */
  async upload(held: Record<string, Value>): Promise<Record<string, Value>> {
    const constant = this.state.filter(({ output }) => output === undefined);
    const names = constant.map(({ input }) => copied(input));
    this.#upload ??= openEngine(copyModel(constant), this.settings, names);
    return renamed(await (await this.#upload).run(held, names));
  }

  async release(): Promise<void> {
    await (await this.#download)?.release();
    await (await this.#upload)?.release();
  }
}

/** The output of a copying model that belongs to an input. */
const copied = (input: string) => `${input}${copySuffix}`;
const copySuffix = ':copy';

/** The outputs of a copying model under the names of its inputs. */
function renamed(outputs: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => [name.slice(0, -copySuffix.length), tensor]),
  );
}

/** A model that copies state inputs to outputs, unchanged. */
function copyModel(state: readonly StateValue[]): Uint8Array {
  const value = (name: string, { physicalShape }: StateValue): OnnxValue => ({
    name,
    dtype: 'float32',
    shape: [...physicalShape],
  });
  return encodeModel({
    opset: 17,
    graph: {
      name: 'copy',
      inputs: state.map((s) => value(s.input, s)),
      outputs: state.map((s) => value(copied(s.input), s)),
      initializers: [],
      nodes: state.map((s) => ({ opType: 'Identity', inputs: [s.input], outputs: [copied(s.input)] })),
    },
  });
}

export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().split('\n')[0] ?? '';
}
