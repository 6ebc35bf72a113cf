// MTCNN opened from the published weights, with its options and their defaults.
import { UserError } from '../../../common/errors.js';
import type { Detector, DetectorOptions } from '../detection.js';
import { Cascade } from './cascade.js';
import type { NetworkName } from './networks.js';
import { mtcnnModels } from './weights.js';

export interface MtcnnOptions extends DetectorOptions {
  /** From one step of the image pyramid to the next, above 0 and below 1; default 0.709, half the area. */
  readonly factor?: number;
  /** Least probability of a face behind P-, R- and O-Net; default 0.6, 0.7, 0.9. `threshold` is the last of them. */
  readonly thresholds?: readonly [number, number, number];
}

/**
 * Opens MTCNN with the weights in `folder`: det1, det2 and det3, as .npy or as .caffemodel. Throws a UserError when
 * a file is missing or wrong, or an option is out of its range.
 */
export async function openMtcnn(folder: string, options: MtcnnOptions): Promise<Detector> {
  const { device, minFace = 20, factor = 0.709, thresholds = [0.6, 0.7, 0.9] } = options;
  const [first, second, third] = thresholds;
  const threshold = options.threshold ?? third;
  if (!(minFace >= 1)) throw new UserError(`the least face must be 1 pixel or more, not ${minFace}`);
  if (!(factor > 0 && factor < 1))
    throw new UserError(`the factor of MTCNN's pyramid must lie between 0 and 1, not be ${factor}`);
  for (const t of [first, second, threshold])
    if (!(t >= 0 && t <= 1))
      throw new UserError(`a threshold of MTCNN must lie between 0 and 1, not be ${t}`);
  const models = mtcnnModels(folder);
  const open = (name: NetworkName) => device.load(models[name], `${name} of MTCNN`);
  const [pnet, rnet, onet] = [await open('det1'), await open('det2'), await open('det3')];
  const cascade = new Cascade(pnet, rnet, onet, { minFace, factor, thresholds: [first, second, threshold] });
  return {
    name: 'MTCNN',
    threshold,
    trust: { upright: 0.95, face: 0.8 },
    detect: (photographs) => cascade.detect(photographs),
    close: async () => {
      for (const model of [pnet, rnet, onet]) await model.dispose();
    },
  };
}
