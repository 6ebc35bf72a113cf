// What takes the steps of a run: a program in one process, or one rank of several with its part of it. The training
// loop sees one thing that it feeds, and that can be saved and continued.
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { nameOf } from '../graph/index.js';
import type { Communicator } from '../mpi/index.js';
import type { Device, Feeds, Result } from '../runtime/index.js';
import { checkpointName, type FoundCheckpoint, saveCheckpoint, startCheckpoint } from './checkpoint.js';
import { type ClassFile, type ClassRows, readClassRows, writeClassRows } from './class-rows.js';
import type { Config } from './config.js';
import { type ClassPlan, RankProgram, stepOnRank } from './rank-program.js';
import { checkpointOf, freshState } from './start.js';
import { type TrainingStep, trainingStep } from './step.js';

/** Takes steps, together with all other ranks. */
export interface Runner {
  readonly step: TrainingStep;
  /** Takes the step (0-based) or steps of one call; `labels` gives those of the whole batch. */
  run(step: number, feeds: Feeds, labels: () => Int32Array): Promise<Record<string, Result>>;
  /** A copy of what all ranks have alike. */
  getState(): Promise<Map<string, Float32Array>>;
  /** What this rank has of the classes, where they are shared out. */
  readonly classRows?: ClassRows;
  dispose(): Promise<void>;
}

/** How the classes of a run are kept on so many ranks. A sample of them is always shared out. */
export const classPlanOf = (
  { shardClasses = false, sampleClasses = 1 }: Pick<Config, 'shardClasses' | 'sampleClasses'>,
  ranks: number,
): ClassPlan => ({ shared: ranks > 1 && (shardClasses || sampleClasses < 1), sampled: sampleClasses });

/** Whether a run is one program in one process. */
const isPlain = ({ shared, sampled }: ClassPlan, { size }: Communicator): boolean =>
  size === 1 && !shared && sampled === 1;

/** The step of this rank, before anything is compiled: refuses what cannot be built. */
export function stepOf(config: Config, classes: number, communicator: Communicator): TrainingStep {
  const plan = classPlanOf(config, communicator.size);
  if (isPlain(plan, communicator)) return trainingStep({ ...config, classes });
  if (config.stepsPerCall > 1) {
    throw new UserError(
      `several ranks, or sampled classes, take one step a call: use --steps-per-call 1 instead of ${config.stepsPerCall}`,
    );
  }
  if (plan.shared && classes < communicator.size) {
    throw new UserError(
      `${classes} people cannot be shared out between ${communicator.size} ranks: start at most ${classes}, or leave out --shard-classes and --sample-classes`,
    );
  }
  if (plan.shared && config.collapseSteps > 0) {
    throw new UserError('--collapse-steps needs all class vectors on one rank: leave out --shard-classes');
  }
  return stepOnRank({ ...config, classes, classPlan: plan }, communicator);
}

/** Compiles a step and gives it the state of a checkpoint, or a fresh one. */
export async function openRunner(
  device: Device,
  config: Config,
  step: TrainingStep,
  classes: number,
  communicator: Communicator,
  from: FoundCheckpoint | undefined,
): Promise<Runner> {
  const { formulations, stepsPerCall, seed } = config;
  const classPlan = classPlanOf(config, communicator.size);
  if (isPlain(classPlan, communicator)) {
    const program = await device.compile(step.graph, { formulations, stepsPerCall });
    await program.setState(from ? wholeState(from, classes) : freshState(step, seed));
    return {
      step,
      run: (_, feeds) => program.run(feeds),
      getState: () => program.getState(),
      dispose: () => program.dispose(),
    };
  }
  const options = { ...config, classes, classPlan };
  const program = await RankProgram.open(device, step, options, communicator);
  if (from) program.setState(from.state, rowsOf(from, classes, program.range));
  else program.begin();
  return {
    step,
    run: (number, feeds, labels) => program.run(number, feeds, labels()),
    getState: () => program.getState(),
    get classRows() {
      return program.classRows;
    },
    dispose: () => program.dispose(),
  };
}

/** Everything in one place, from a checkpoint of any number of ranks. */
function wholeState(checkpoint: FoundCheckpoint, classes: number): Map<string, Float32Array> {
  if (checkpoint.classes.length === 0) return checkpoint.state;
  const { tensors } = readRows(checkpoint, { from: 0, to: classes });
  return new Map([...checkpoint.state, ...tensors]);
}

/** The rows of this rank's classes, from a checkpoint of any number of ranks. */
function rowsOf(
  checkpoint: FoundCheckpoint,
  classes: number,
  range: { from: number; to: number } | undefined,
): ClassRows | undefined {
  if (!range) return undefined;
  if (checkpoint.classes.length > 0) return readRows(checkpoint, range);
  // All classes were on one rank: theirs are the tensors that have as many rows as there are classes.
  const { from, to } = range;
  const tensors = [...checkpoint.state].map(([name, values]): [string, Float32Array] => {
    const length = values.length / classes;
    return [name, values.subarray(from * length, to * length)];
  });
  return { from, to, tensors: new Map(tensors) };
}

function readRows(checkpoint: FoundCheckpoint, range: { from: number; to: number }): ClassRows {
  try {
    return readClassRows(checkpoint.path, checkpoint.classes, range);
  } catch (error) {
    throw new UserError(
      `${checkpoint.path}: ${(error as Error).message}; all ranks must see the run folder, and a damaged checkpoint must be removed to continue from the one before it`,
    );
  }
}

/** Saves checkpoints and finds them again, whatever the number of ranks then and now. */
export class Checkpoints {
  constructor(
    private readonly folder: string,
    private readonly step: TrainingStep,
    private readonly communicator: Communicator,
  ) {}

  /** All ranks call it; rank 0 writes what they have alike, each rank its classes. */
  async save(at: { step: number; seconds: number }, state: Map<string, Float32Array>, rows?: ClassRows) {
    const { communicator, folder } = this;
    const first = communicator.rank === 0;
    let classes: ClassFile[] = [];
    if (rows) {
      if (first) startCheckpoint(folder, at.step);
      await communicator.barrier();
      const own = writeClassRows(join(folder, `${checkpointName(at.step)}.tmp`), rows);
      const texts = await communicator.allGather(new TextEncoder().encode(`${JSON.stringify(own)}\n`));
      const lines = Buffer.from(texts).toString().trim().split('\n');
      classes = lines.map((line) => JSON.parse(line) as ClassFile);
    }
    if (first) saveCheckpoint(folder, { ...at, state, classes }, this.#shapes);
    await communicator.barrier();
  }

  /** One rank alone, when others are gone: what all ranks had alike; false where the classes are shared out. */
  saveAlone(
    at: { step: number; seconds: number },
    state: Map<string, Float32Array>,
    rows?: ClassRows,
  ): boolean {
    if (rows && this.communicator.size > 1) return false;
    saveCheckpoint(this.folder, { ...at, state }, this.#shapes);
    return true;
  }

  /** Shapes of the state by name. */
  get #shapes(): Map<string, readonly number[]> {
    return new Map(this.step.graph.state.map(({ parameter }) => [nameOf(parameter), parameter.shape]));
  }
}

/**
 * The newest whole checkpoint as rank 0 finds it, on all ranks; `say` hears of damaged ones. What the ranks have
 * alike comes from rank 0; the folder itself need be seen by all only where the classes are shared out.
 */
export async function newestOnAllRanks(
  out: string,
  communicator: Communicator,
  say: (line: string) => void,
): Promise<FoundCheckpoint | undefined> {
  if (communicator.size === 1) return checkpointOf(out, say);
  const first = communicator.rank === 0;
  const found = first ? checkpointOf(out, say) : undefined;
  const names = found ? [...found.state].map(([name, { length }]) => [name, length] as const) : [];
  const { step = -1, seconds = 0, classes = [], path = '' } = found ?? {};
  const text = first ? JSON.stringify({ step, seconds, classes, path, names }) : '';
  const all = Buffer.from(await communicator.allGather(new TextEncoder().encode(text))).toString();
  const head = JSON.parse(all) as { names: [string, number][] } & Omit<FoundCheckpoint, 'state'>;
  if (head.step < 0) return undefined;
  const state = new Map<string, Float32Array>();
  for (const [name, length] of head.names) {
    const values = found?.state.get(name) ?? new Float32Array(length);
    await communicator.broadcast(values, 0);
    state.set(name, values);
  }
  return { step: head.step, seconds: head.seconds, classes: head.classes, path: head.path, state };
}
