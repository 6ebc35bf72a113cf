// Detectors by name: those that are built in, and others by the file or folder of their weights.
import { stat } from 'node:fs/promises';
import { UserError } from '../../common/errors.js';
import { modelFile } from '../models/store.js';
import type { Detector, DetectorOptions } from './detection.js';
import { openFaceApi } from './face-api/open.js';
import { openMtcnn } from './mtcnn/open.js';
import { openOnnxDetector } from './onnx-detector.js';

/** Detectors that need no file: their weights come with an npm package that is installed anyway. */
export const builtInDetectors: Readonly<Record<string, (options: DetectorOptions) => Promise<Detector>>> = {
  'face-api': (options) => openFaceApi(options),
  'face-api-tiny': (options) => openFaceApi({ ...options, net: 'tiny' }),
};

/** The detector that is used when none is named. */
export const DEFAULT_DETECTOR = 'face-api';

/**
 * Opens a detector: a built-in one by its name, MTCNN by the folder of its three weight files, YuNet or SCRFD by its
 * ONNX file, or any of these by the name under which it was installed. Throws a UserError when there is no such
 * thing or it is not a detector.
 */
export async function openDetector(
  name: string | undefined,
  { upright = false, ...options }: DetectorOptions,
): Promise<Detector> {
  const detector = await openNamed(name, options);
  if (!upright || !detector.trust) return detector;
  return { ...detector, trust: { ...detector.trust, upright: 0 } };
}

async function openNamed(
  name: string | undefined,
  { device, minFace, threshold }: DetectorOptions,
): Promise<Detector> {
  const wanted = name ?? DEFAULT_DETECTOR;
  const options = {
    device,
    ...(minFace !== undefined && { minFace }),
    ...(threshold !== undefined && { threshold }),
  };
  const builtIn = Object.hasOwn(builtInDetectors, wanted) ? builtInDetectors[wanted] : undefined;
  if (builtIn) return builtIn(options);
  const place = await modelFile(wanted);
  const found = await stat(place).catch(() => undefined);
  if (found?.isDirectory()) return openMtcnn(place, options);
  if (found && /\.onnx$/i.test(place)) return openOnnxDetector(place, options);
  throw new UserError(
    `${wanted}: not a detector; name ${Object.keys(builtInDetectors).join(' or ')}, an ONNX file (YuNet, SCRFD), or the folder of MTCNN's weights`,
  );
}
