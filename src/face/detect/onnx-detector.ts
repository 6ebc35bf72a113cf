// Detectors by path to their ONNX files: the names and shapes of inputs and outputs tell which network it is, so
// nobody has to say.
import { basename } from 'node:path';
import { UserError } from '../../common/errors.js';
import type { Detector, DetectorOptions } from './detection.js';
import { scrfd } from './scrfd.js';
import { type SingleShot, singleShotDetector } from './single-shot.js';
import { yunet } from './yunet.js';

const kinds: readonly SingleShot[] = [yunet, scrfd];

/** The kind of detector that a model's inputs and outputs are those of, if any. */
export function detectorKind(model: Parameters<SingleShot['fits']>[0]): SingleShot | undefined {
  return kinds.find((candidate) => candidate.fits(model));
}

/**
 * Opens the YuNet or SCRFD detector in an ONNX file. Throws a UserError when the file cannot be opened, or is
 * another network; the message lists what was found in it.
 */
export async function openOnnxDetector(file: string, options: DetectorOptions): Promise<Detector> {
  const model = await options.device.load(file);
  const kind = detectorKind(model);
  if (kind) return singleShotDetector(kind, model, options);
  await model.dispose();
  const shown = (values: typeof model.inputs) =>
    values.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ');
  throw new UserError(
    `${basename(file)}: neither a YuNet nor an SCRFD detector with five landmarks (inputs ${shown(model.inputs)}; outputs ${shown(model.outputs)})`,
  );
}
