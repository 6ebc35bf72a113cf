// Everything between a photograph and a template, opened together on one device.
import { threadsOfRank } from '../mpi/index.js';
import { openDevice } from '../runtime/index.js';
import { openDetector } from './detect/open.js';
import type { Embedder, SharedModel } from './embed/embedder.js';
import { type EmbedderOptions, openEmbedder, requireSameOnAll } from './embed/open.js';
import { DEFAULT_MODEL } from './models/built-in.js';
import { FaceReader } from './reader.js';

export interface ReaderOptions extends EmbedderOptions {
  /** A detector's name, file or folder (default: the built-in one). */
  detector?: string;
  /** Least width of a face in pixels, and least score of a detection; the detector's own defaults. */
  minFace?: number;
  score?: number;
  /** Whether all photographs are upright, so that faces are not looked for in other orientations. */
  upright?: boolean;
  /** A model's name or ONNX file (default: the built-in one), or several, which work as an ensemble. */
  model?: string | readonly string[];
}

/**
 * Opens detector and model as a reader of photographs. Without options it works on the networks that come with the
 * npm dependencies. Throws a UserError when one of them is missing or does not say what it must.
 */
export async function openReader({ leader, ...options }: ReaderOptions = {}): Promise<FaceReader> {
  if (!leader || typeof (options.device ?? '') !== 'string') return openHere(options);
  const key = JSON.stringify(options);
  let reader: FaceReader | undefined;
  try {
    const parts = await leader.ask('reader', { key, options }, async () => {
      reader = await openHere(options, { leader, model: key });
      return { told: JSON.stringify(reader.manifest), numbers: new Float32Array(0) };
    });
    requireSameOnAll(
      String(options.model ?? DEFAULT_MODEL),
      parts.map(({ told }) => told),
    );
    return reader!;
  } catch (error) {
    await reader?.close();
    throw error;
  }
}

async function openHere(
  { detector, minFace, score, upright, model = DEFAULT_MODEL, ...options }: ReaderOptions,
  shared?: SharedModel,
): Promise<FaceReader> {
  const { device: wanted = 'cpu', threads = threadsOfRank() } = options;
  const owned = typeof wanted === 'string';
  const device = owned ? await openDevice(wanted, threads ? { threads } : {}) : wanted;
  const embedders: Embedder[] = [];
  try {
    for (const name of typeof model === 'string' ? [model] : model)
      embedders.push(await openEmbedder(name, { ...options, device }));
    const finder = await openDetector(detector, { device, minFace, threshold: score, upright });
    return new FaceReader(finder, embedders, owned ? device : undefined, shared);
  } catch (error) {
    for (const embedder of embedders) await embedder.close();
    if (owned) await device.close();
    throw error;
  }
}
