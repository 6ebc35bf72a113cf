// The flags of every command that looks for faces in photographs.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_DETECTOR, type FaceChoice, faceChoices, type Turn } from '../face/index.js';
import { whole } from './flags.js';

export interface DetectorFlags {
  detector: string;
  minFace?: number;
  score?: number;
  upright?: boolean;
  face: FaceChoice;
}

export const DETECTORS = `
Detectors: 'face-api' (the default, from the npm package) and 'face-api-tiny' (smaller) are built in. YuNet and
SCRFD by their ONNX file, MTCNN by the folder of its three weight files (det1, det2, det3 as .npy or .caffemodel),
or any of them by the name under which 'hypersphere models' has it.`;

/** Adds --detector, --min-face, --score and --face, whose default `face` is one of `choices`. */
export function withDetectorFlags(
  command: Command,
  face: FaceChoice,
  choices: readonly FaceChoice[] = faceChoices,
): Command {
  return command
    .option('--detector <name|file>', 'what finds faces (see below)', DEFAULT_DETECTOR)
    .option(
      '--min-face <pixels>',
      "least width of a face that is looked for (default: the detector's)",
      whole(1),
    )
    .option('--score <s>', "least score of a face, between 0 and 1 (default: the detector's)", share)
    .option('--upright', 'photographs are upright: do not look for faces on their side or upside down')
    .addOption(
      new Option('--face <which>', 'which of several faces is meant').choices(choices).default(face),
    );
}

/** What is shown of a photograph whose people are not upright. */
export const turnedNote = (turned: Turn): string | undefined =>
  turned === 0 ? undefined : `turned by ${turned} degrees${turned === 180 ? '' : ' clockwise'}`;

function share(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError('It must be a number between 0 and 1.');
}
