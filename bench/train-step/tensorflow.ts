// TensorFlow.js, where it can train at all: its steps take so long that they are timed one after another within a
// budget instead of in turns.
import { fileURLToPath } from 'node:url';
import { StepServer } from '../step-server.js';
import type { Case } from './candidate.js';

/** What came of one backend. */
export interface TensorflowResult {
  backend: 'wasm' | 'cpu';
  version?: string;
  /** Milliseconds of each step that ended within the budget, the first included. */
  steps: number[];
  /** Why there are none, or no more. */
  note?: string;
}

/** Times up to three steps of each backend found in `folder`, at most `seconds` each. */
export async function timeTensorflow(
  folder: string,
  { depth, batch, classes }: Case,
  seconds: number,
): Promise<TensorflowResult[]> {
  const results: TensorflowResult[] = [];
  for (const backend of ['wasm', 'cpu'] as const) {
    const result: TensorflowResult = { backend, steps: [] };
    results.push(result);
    try {
      const script = fileURLToPath(new URL('./tfjs_server.mjs', import.meta.url));
      const server = await StepServer.start(`TensorFlow.js ${backend}`, process.execPath, [
        script,
        folder,
        ...[backend, depth, batch, classes].map(String),
      ]);
      result.version = server.version;
      try {
        const end = performance.now() + seconds * 1000;
        while (result.steps.length < 3 && performance.now() < end) {
          const milliseconds = await server.stepWithin(end - performance.now());
          if (milliseconds === undefined) break;
          result.steps.push(milliseconds);
        }
        if (result.steps.length === 0) result.note = `no step ended within ${seconds} s`;
      } finally {
        await server.close();
      }
    } catch (error) {
      result.note = (error as Error).message;
    }
  }
  return results;
}
