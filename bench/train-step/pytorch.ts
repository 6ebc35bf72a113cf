// PyTorch's training step, in both memory layouts of every Python that is named.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { StepServer } from '../step-server.js';
import type { Case } from './candidate.js';

/** Those of HYPERSPHERE_PYTHON (default python3) that start; of the others `say` is told why not. */
export async function pytorch(
  { depth, batch, classes, threads }: Case,
  say: (line: string) => void,
): Promise<StepServer[]> {
  const script = fileURLToPath(new URL('./pytorch_server.py', import.meta.url));
  const sizes = Object.entries({ depth, batch, classes, threads }).flatMap(([k, v]) => [`--${k}`, String(v)]);
  const servers: StepServer[] = [];
  for (const python of (process.env.HYPERSPHERE_PYTHON ?? 'python3').split(path.delimiter)) {
    for (const layout of [[], ['--channels-last']]) {
      try {
        servers.push(await StepServer.start('PyTorch', python, [script, ...sizes, ...layout]));
      } catch (error) {
        say(`PyTorch left out: ${path.basename(python)}: ${(error as Error).message}`);
        break;
      }
      const server = servers.at(-1)!;
      server.name = `PyTorch ${server.version.replace(/\+.*/, '')}${layout.length > 0 ? ' channels last' : ''}`;
    }
  }
  return servers;
}
