// Where a run begins: its newest whole checkpoint when it is resumed, or fresh parameters and velocities of zero.
import { join } from 'node:path';
import { nameOf, sizeOf, type Tensor } from '../graph/index.js';
import { initialParameters, type Parameter } from '../nn/index.js';
import { type FoundCheckpoint, newestCheckpoint } from './checkpoint.js';
import { FILES } from './run-folder.js';

/** Parameters by name as the seed starts them, and the optimiser's velocities at zero. */
export function freshState(
  { parameters, velocities }: { parameters: readonly Parameter[]; velocities: readonly Tensor[] },
  seed: number,
): Map<string, Float32Array> {
  const state = initialParameters(parameters, seed);
  for (const velocity of velocities) state.set(nameOf(velocity), new Float32Array(sizeOf(velocity.shape)));
  return state;
}

/** The newest whole checkpoint of a run folder; without one, `say` hears that the run starts at step 0. */
export function checkpointOf(out: string, say: (line: string) => void): FoundCheckpoint | undefined {
  const checkpoint = newestCheckpoint(join(out, FILES.checkpoints), say);
  if (!checkpoint) say(`${out}: no checkpoint yet; starting at step 0`);
  return checkpoint;
}
