// Everything between a photograph and a template, opened together on one device.
import { openDevice } from '../runtime/index.js';
import { openDetector } from './detect/open.js';
import type { Embedder } from './embed/embedder.js';
import { type EmbedderOptions, openEmbedder } from './embed/open.js';
import { DEFAULT_MODEL } from './models/built-in.js';
import { FaceReader } from './reader.js';

export interface ReaderOptions extends EmbedderOptions {
  /** A detector's name, file or folder (default: the built-in one). */
  detector?: string;
  /** Least width of a face in pixels, and least score of a detection; the detector's own defaults. */
  minFace?: number;
  score?: number;
  /** A model's name or ONNX file (default: the built-in one), or several, which work as an ensemble. */
  model?: string | readonly string[];
}

/**
 * Opens detector and model as a reader of photographs. Without options it works on the networks that come with the
 * npm dependencies. Throws a UserError when one of them is missing or does not say what it must.
 */
export async function openReader({
  detector,
  minFace,
  score,
  model = DEFAULT_MODEL,
  ...options
}: ReaderOptions = {}): Promise<FaceReader> {
  const { device: wanted = 'cpu', threads } = options;
  const owned = typeof wanted === 'string';
  const device = owned ? await openDevice(wanted, threads ? { threads } : {}) : wanted;
  const embedders: Embedder[] = [];
  try {
    for (const name of typeof model === 'string' ? [model] : model)
      embedders.push(await openEmbedder(name, { ...options, device }));
    const finder = await openDetector(detector, { device, minFace, threshold: score });
    return new FaceReader(finder, embedders, owned ? device : undefined);
  } catch (error) {
    for (const embedder of embedders) await embedder.close();
    if (owned) await device.close();
    throw error;
  }
}
