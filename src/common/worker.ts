// Worker threads whose code is a file of ours.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts the worker `name` (without its ending) beside the file `from` (its `import.meta.url`): compiled JavaScript
 * as it is, TypeScript sources through tsx.
 */
export function startWorker(name: string, from: string, options: WorkerOptions = {}): Worker {
  if (!from.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, from), options);
  // tsx's own --import does not reach worker threads, so its hooks are registered inside.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm'));
  const loader = new URL('api/index.mjs', tsx).href;
  const source = new URL(`./${name}.ts`, from).href;
  const start = `import('${loader}').then(({ register }) => (register(), import('${source}')))`;
  return new Worker(start, { ...options, eval: true });
}
