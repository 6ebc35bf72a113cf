// A training step on one rank, fed and kept: the labels that the rank's graph wants, its classes where they are
// shared out, and of these only a sample where that is asked for. The class vectors of a sampled run lie in this
// process's memory, and a step takes its rows from there and brings them back.
import { nameOf, sizeOf, type Tensor } from '../graph/index.js';
import { lowerStages } from '../lower/index.js';
import { type Communicator, localRanks } from '../mpi/index.js';
import { initialRows } from '../nn/index.js';
import { type Device, type Feeds, type Result, requireBelow, StagedProgram } from '../runtime/index.js';
import { type ClassRows, classesOf } from './class-rows.js';
import { placeIn, placesOf, sampleClasses, sampleSize } from './class-sampling.js';
import { SHARD_NAMES } from './parallel.js';
import { velocityName } from './sgd.js';
import { freshState } from './start.js';
import { NAMES, type StepOptions, type TrainingStep, trainingStep } from './step.js';

/** How the classes of a run are kept. */
export interface ClassPlan {
  /** Shared out between the ranks. */
  readonly shared: boolean;
  /** Share of them that takes part in a step, in (0, 1]. */
  readonly sampled: number;
}

export interface RankOptions extends StepOptions {
  classPlan: ClassPlan;
  /** Batch normalisation goes by the whole batch. Default: by each rank's own rows. */
  syncBatchNorm?: boolean;
  seed: number;
  formulations: 'fast' | 'plain';
  /**
   * Into how many parts the backward pass is cut, so that the gradients of one travel while the next is computed.
   * Default 1 between ranks of one machine, where a cut costs more than it hides, and 2 between machines
   * (docs/scale.md).
   */
  backwardParts?: number;
}

/** The classes of a rank. */
interface OwnClasses {
  readonly from: number;
  readonly to: number;
  /** How many take part in a step. */
  readonly count: number;
  /** How many take part in a step on all ranks together. */
  readonly total: number;
}

type Ranks = Pick<Communicator, 'rank' | 'size'>;

function ownClasses(options: RankOptions, { rank, size }: Ranks): OwnClasses | undefined {
  const { classes, batch, classPlan } = options;
  if (!classPlan.shared && classPlan.sampled === 1) return undefined;
  const counts = Array.from({ length: size }, (_, r) => {
    const { from, to } = classesOf({ rank: r, ranks: size }, classes);
    return classPlan.sampled === 1 ? to - from : sampleSize(classPlan.sampled, to - from, batch);
  });
  const total = counts.reduce((a, b) => a + b, 0);
  return { ...classesOf({ rank, ranks: size }, classes), count: counts[rank]!, total };
}

/** The step of one rank. */
export function stepOnRank(options: RankOptions, { rank, size }: Ranks): TrainingStep {
  const own = ownClasses(options, { rank, size });
  const shard = own && { classes: own.count, total: own.total };
  const { syncBatchNorm = false } = options;
  const parallel = { rank, ranks: size, syncBatchNorm, ...(shard && { shard }) };
  return trainingStep({ ...options, parallel });
}

/** A program like a `Program`, of one rank. */
export class RankProgram {
  private constructor(
    private readonly options: RankOptions,
    private readonly step: TrainingStep,
    private readonly program: StagedProgram,
    /** Where the classes are shared out or sampled. */
    private readonly own: OwnClasses | undefined,
    /** Of a run with sampled classes: the rows of all classes of this rank. */
    private rows: Map<string, Float32Array>,
  ) {}

  /** Compiles the step of `stepOnRank`. */
  static async open(
    device: Device,
    step: TrainingStep,
    options: RankOptions,
    communicator: Communicator,
  ): Promise<RankProgram> {
    const { formulations } = options;
    const lowered = lowerStages(step.graph, {
      target: device.name,
      formulations,
      inOrder: backwardParts(step, options.backwardParts ?? (communicator.size > localRanks().size ? 2 : 1)),
    });
    const settings = { target: device.name, threads: device.threads, spin: false };
    const program = await StagedProgram.open(lowered, settings, communicator);
    return new RankProgram(options, step, program, ownClasses(options, communicator), new Map());
  }

  /** The classes of this rank, where they are shared out or sampled. */
  get range(): { from: number; to: number } | undefined {
    return this.own && { from: this.own.from, to: this.own.to };
  }

  /** Where the time of the steps went. */
  get spent() {
    return this.program.spent;
  }

  /** Names of the state that has one row a class, of those here, with their shapes in a step. */
  get #perClass(): { name: string; shape: readonly number[] }[] {
    if (!this.own) return [];
    return this.step.parameters
      .filter(({ perClass }) => perClass)
      .flatMap(({ name, shape, rate }) => [
        { name, shape },
        ...(rate === 0 ? [] : [{ name: velocityName(name), shape }]),
      ]);
  }

  get #sampled(): boolean {
    return this.own !== undefined && this.own.count < this.own.to - this.own.from;
  }

  /** Parameters as the seed starts them, on any number of ranks alike, and velocities of zero. */
  begin(): void {
    const { seed } = this.options;
    const rows = new Map<string, Float32Array>();
    for (const { name, shape, perClass, initializer, rate } of this.own ? this.step.parameters : []) {
      if (!perClass) continue;
      const { from, to } = this.own!;
      const all = { name, initializer, shape: [this.options.classes, ...shape.slice(1)] };
      const start = initialRows(all, seed, { from, to });
      rows.set(name, start);
      // Filled, so that a lack of memory shows now and not after hours.
      if (rate !== 0) rows.set(velocityName(name), new Float32Array(start.length).fill(0));
    }
    const parameters = this.step.parameters.filter(({ name }) => !rows.has(name));
    const velocities = this.step.velocities.filter((velocity) => !rows.has(nameOf(velocity)));
    const state = freshState({ parameters, velocities }, seed);
    this.setState(state, this.own && { from: this.own.from, to: this.own.to, tensors: rows });
  }

  /** Continues from what all ranks have alike and from the rows of this rank's classes. */
  setState(state: ReadonlyMap<string, Float32Array>, rows?: ClassRows): void {
    const perClass = this.#perClass;
    const names = new Set(perClass.map(({ name }) => name));
    this.program.setState(new Map([...state].filter(([name]) => !names.has(name))));
    if (!rows) return;
    const own = new Map([...rows.tensors].filter(([name]) => names.has(name)));
    if (!this.#sampled) {
      this.program.setState(own);
      return;
    }
    this.rows = own;
    this.program.setState(
      new Map(perClass.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))])),
    );
  }

  /** A copy of what all ranks have alike, in logical layout. It may be asked for while a step is taken. */
  async getState(): Promise<Map<string, Float32Array>> {
    const names = new Set(this.#perClass.map(({ name }) => name));
    const all = this.program.state.map(({ name }) => name);
    return this.program.getState(all.filter((name) => !names.has(name)));
  }

  /** What this rank keeps of its classes; none where every rank has them all. */
  get classRows(): ClassRows | undefined {
    if (!this.own) return undefined;
    const { from, to } = this.own;
    const tensors = this.#sampled
      ? this.rows
      : new Map(this.#perClass.map(({ name }) => [name, this.program.viewState(name)]));
    return { from, to, tensors };
  }

  /**
   * Takes one step (0-based) with all other ranks. `feeds` are those of a step in one process, with this rank's
   * images; `labels` [B] are those of the whole batch.
   */
  async run(step: number, feeds: Feeds, labels: Int32Array): Promise<Record<string, Result>> {
    const { own, options } = this;
    const given: Record<string, Feeds[string]> = { ...feeds };
    if (this.step.wholeBatch) given[NAMES.labels] = labels;
    if (!own) return this.program.run(given);
    requireBelow(NAMES.labels, labels, options.classes);
    const sample = this.#sampled
      ? sampleClasses(own, labels, own.count, { seed: options.seed, step })
      : undefined;
    const { places, here } = placesOf(labels, (label) => {
      if (sample) return placeIn(sample, label);
      return label >= own.from && label < own.to ? label - own.from : -1;
    });
    given[SHARD_NAMES.places] = places;
    given[SHARD_NAMES.here] = here;
    if (!sample) return this.program.run(given);
    this.#copyRows(sample, 'in');
    const result = await this.program.run(given);
    this.#copyRows(sample, 'out');
    return result;
  }

  async dispose(): Promise<void> {
    await this.program.dispose();
  }

  /** Copies every sampled class's rows from memory into the program, or out of it. */
  #copyRows(sample: Int32Array, way: 'in' | 'out'): void {
    const { from } = this.own!;
    for (const { name, shape } of this.#perClass) {
      const length = sizeOf(shape.slice(1));
      const view = this.program.viewState(name);
      const stored = this.rows.get(name)!;
      for (let i = 0; i < sample.length; i++) {
        const [here, there] = [i * length, (sample[i]! - from) * length];
        if (way === 'in') view.set(stored.subarray(there, there + length), here);
        else stored.set(view.subarray(here, here + length), there);
      }
    }
  }
}

/** The gradients in parts of about equal size, those that the backward pass meets first in the first. */
function backwardParts({ parameters, gradients }: TrainingStep, parts: number): Tensor[][] {
  if (parts <= 1) return [];
  const sizes = parameters.map(({ shape }) => sizeOf(shape));
  const whole = sizes.reduce((a, b) => a + b, 0);
  const groups: Tensor[][] = Array.from({ length: parts }, () => []);
  let before = 0;
  for (let i = parameters.length - 1; i >= 0; i--) {
    groups[Math.min(parts - 1, Math.floor((parts * before) / whole))]!.push(gradients[i]!);
    before += sizes[i]!;
  }
  return groups.filter((group) => group.length > 0).slice(0, -1);
}
