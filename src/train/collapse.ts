// Neural collapse, watched while a network trains: every so many steps the four measures of Papyan, Han and
// Donoho (2020) on a fixed sample of the training images, with the weights of that moment. They come into
// metrics.jsonl beside the loss, under names that begin with 'collapse.'.
import { random } from '../common/random.js';
import { type ImageSet, readPlanes } from '../data/index.js';
import type { Device, Program } from '../runtime/index.js';
import { neuralCollapse, type Vectors } from '../theory/index.js';
import { NAMES, type TrainingStep } from './step.js';

/** Images that are measured at most. */
const SAMPLE = 1024;

/** The network of a training step, made ready to be measured at any state. */
export class CollapseProbe {
  private constructor(
    private readonly program: Program,
    private readonly set: ImageSet,
    /** The sample, in whole batches. */
    private readonly sample: Int32Array,
    private readonly batch: number,
  ) {}

  static async open(
    device: Device,
    step: TrainingStep,
    set: ImageSet,
    { batch, seed }: { batch: number; seed: number },
  ): Promise<CollapseProbe> {
    const all = Int32Array.from({ length: set.labels.length }, (_, i) => i);
    const count = Math.max(1, Math.floor(Math.min(SAMPLE, all.length) / batch)) * batch;
    const sample = random(seed, 'collapse sample').shuffle(all).slice(0, count);
    return new CollapseProbe(await device.compile(step.probe), set, sample, batch);
  }

  /**
   * The measures at a state (parameters by name), those that are defined. Throws a `UserError` where an embedding has
   * no direction, or the sample shows one person only.
   */
  async measure(state: ReadonlyMap<string, Float32Array>): Promise<Record<string, number>> {
    const { program, set, sample, batch } = this;
    program.setState(new Map(program.state.map(({ name }) => [name, state.get(name)!])));
    const labels = Int32Array.from(sample, (index) => set.labels[index]!);
    const parts: Float32Array[] = [];
    const decisions: number[] = [];
    let classVectors: Vectors | undefined;
    for (let from = 0; from < sample.length; from += batch) {
      const results = await program.run({
        [NAMES.images]: await readPlanes(set, sample.subarray(from, from + batch)),
        [NAMES.labels]: labels.subarray(from, from + batch),
      });
      parts.push(results.embedding!.data as Float32Array);
      const { classVectors: vectors, decision } = results;
      if (decision) decisions.push(...(decision.data as Int32Array));
      if (vectors) classVectors = { length: vectors.shape[1]!, original: vectors.data as Float32Array };
    }
    const length = parts[0]!.length / batch;
    const original = new Float32Array(sample.length * length);
    parts.forEach((part, i) => {
      original.set(part, i * part.length);
    });
    const found = neuralCollapse({ length, original }, labels, {
      classVectors,
      ...(decisions.length > 0 && { decisions }),
    });
    const measures: Record<string, number | undefined> = {
      'collapse.variability': found.withinVariability,
      'collapse.within': found.withinOverBetween,
      'collapse.equinorm': found.means.equinorm,
      'collapse.equiangularity': found.means.equiangularity,
      'collapse.simplexAngle': found.means.simplexAngle,
      'collapse.selfDuality': found.selfDuality,
      'collapse.agreement': found.agreement,
    };
    const defined = Object.entries(measures).filter(([, value]) => Number.isFinite(value));
    return Object.fromEntries(defined) as Record<string, number>;
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }
}
