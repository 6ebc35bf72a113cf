// The flags of every command that goes from photographs to templates, and the reader they open.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../common/errors.js';
import {
  type CalibratedDecision,
  type Calibration,
  DEFAULT_FMR,
  DEFAULT_MODEL,
  type Decision,
  decideBy,
  decisionFor,
  type FaceChoice,
  type FaceLimits,
  type FaceReader,
  faceLimits,
  NO_LIMITS,
  openReader,
  type ReadFace,
  type ReadPhotograph,
  readCalibration,
  requireCalibrated,
} from '../face/index.js';
import { type DetectorFlags, withDetectorFlags } from './detector-flags.js';
import { type EmbedderFlags, embedderOptions, withEmbedderFlags } from './embedder-flags.js';
import { number } from './flags.js';
import { note, UsageError } from './output.js';

export interface ReaderFlags extends DetectorFlags, EmbedderFlags {
  model: string;
}

export interface DecisionFlags {
  threshold?: number;
  fmr?: number;
}

export interface FitnessFlags {
  minEyes?: number;
  anyQuality?: boolean;
}

export interface CalibrationFlags extends DecisionFlags {
  calibration?: string;
  prior?: number;
}

export const DECISIONS = `
The similarity is the cosine of the two templates, -1 to 1. Without --threshold the one is taken that the model's
manifest gives for --fmr: the share of pairs of different people that reach it.`;

export const FITNESS = `
Where a face is too small, blurred, turned away or dark, or may be none, the answer is that nothing can be told:
thresholds do not hold for such faces. --any-quality answers all the same. A photograph in which no good face is found
is looked at on its side and upside down too, unless --upright says that all are upright.`;

export const CALIBRATED = `With --calibration FILE, which 'hypersphere calibrate' wrote of the same model, the threshold is the calibration's for
--fmr, and the answer comes with its probability at --prior; it says so when the threshold is extrapolated.`;

/** Adds --model and the flags of detector and embedder; `face` is the default among `choices`. */
export function withReaderFlags(
  command: Command,
  face: FaceChoice,
  choices?: readonly FaceChoice[],
): Command {
  command.option(
    '--model <name|file>',
    'what embeds faces: an ONNX file or a name of: hypersphere models; several with commas are an ensemble',
    DEFAULT_MODEL,
  );
  return withEmbedderFlags(withDetectorFlags(command, face, choices));
}

/** Adds --threshold and --fmr. */
export function withDecisionFlags(command: Command): Command {
  return command
    .option('--threshold <t>', 'least similarity of the same person (default: by --fmr)', cosine)
    .addOption(
      new Option('--fmr <rate>', 'false match rate to decide at (default: 0.001)')
        .argParser(rate)
        .conflicts('threshold'),
    );
}

/** Adds --min-eyes and --any-quality: which faces are too poor for a decision. */
export function withFitnessFlags(command: Command): Command {
  return command
    .option(
      '--min-eyes <pixels>',
      'least pixels between the eyes of a face that something is decided by (default: 12)',
      number(0),
    )
    .addOption(
      new Option('--any-quality', 'decide by small, blurred and doubtful faces as well').conflicts('minEyes'),
    );
}

/** Which faces a decision needs, by the flags. */
export const limitsOf = (reader: FaceReader, { minEyes, anyQuality }: FitnessFlags): FaceLimits =>
  anyQuality ? NO_LIMITS : faceLimits(reader.detector, minEyes === undefined ? {} : { eyes: minEyes });

/** Adds --calibration and --prior, of which `meaning` is said. */
export function withCalibrationFlags(command: Command, meaning: string): Command {
  return command
    .addOption(
      new Option('--calibration <file>', "decide by a file of 'hypersphere calibrate'").conflicts(
        'threshold',
      ),
    )
    .option('--prior <p>', `${meaning} (default: the calibration's)`, probability);
}

/** A calibration as a command decides by it. */
export interface OpenCalibration {
  calibration: Calibration;
  /** Before anything is seen. */
  prior: number;
  /** For a search of so many comparisons. */
  decide(comparisons: number): CalibratedDecision;
}

/** The calibration that the flags name; undefined for none. Throws a UserError unless it is of the reader's model. */
export async function calibrationOf(
  reader: FaceReader,
  { calibration: file, prior, fmr = DEFAULT_FMR }: CalibrationFlags,
): Promise<OpenCalibration | undefined> {
  if (file === undefined) {
    if (prior !== undefined)
      throw new UsageError('--prior is for probabilities: give --calibration FILE as well');
    return undefined;
  }
  const calibration = await readCalibration(file);
  requireCalibrated(calibration, reader.manifest, file);
  return {
    calibration,
    prior: prior ?? calibration.probability.prior,
    decide: (comparisons) => decideBy(calibration, fmr, comparisons),
  };
}

/** 0.9934 as '99.3 %': as many digits as tell it from certainty. */
export function chance(share: number): string {
  const rest = Math.min(share, 1 - share);
  const digits = rest <= 0 ? 0 : Math.min(6, Math.max(0, Math.ceil(-Math.log10(100 * rest))));
  return `${(100 * share).toFixed(digits)} %`;
}

/** What a calibrated threshold stands on, in a few words. */
export function standing({ interval, extrapolated, on }: CalibratedDecision): string {
  const range = interval ? ` (95 %: ${interval.map((bound) => bound.toFixed(3)).join(' .. ')})` : '';
  const beyond = `, extrapolated and rather too low${interval ? ' (so is its interval)' : ''}`;
  return `${range}${extrapolated ? beyond : ''}, by a calibration on ${on}`;
}

/** The reader that the flags ask for. */
export async function readerOf(flags: ReaderFlags): Promise<FaceReader> {
  const { model, detector, minFace, score, upright } = flags;
  const models = model.split(',').map((name) => name.trim());
  if (models.includes('')) throw new UsageError(`--model '${model}': a name or a file is missing`);
  return openReader({ model: models, detector, minFace, score, upright, ...embedderOptions(flags) });
}

/** What the flags decide at, for this model. */
export const decisionOf = (reader: FaceReader, flags: DecisionFlags): Decision =>
  decisionFor(reader.manifest, flags);

/** The one face of a photograph that must have one; says so when there are others. Throws a UserError for none. */
export function onlyFace(reader: FaceReader, photograph: ReadPhotograph, choice: FaceChoice): ReadFace {
  const [face] = photograph.faces;
  if (!face) throw new UserError(noFace(reader, photograph));
  if (photograph.found.length > 1)
    note(
      `${photograph.path}: ${photograph.found.length} faces; taken is the ${CHOSEN[choice]} (--face chooses)`,
    );
  return face;
}

const CHOSEN: Record<FaceChoice, string> = {
  largest: 'largest',
  central: 'one nearest to the centre',
  best: 'one with the best score',
  all: 'first',
};

/** What to say of a photograph without a face, or without one whose landmarks could be laid on the template. */
export const noFace = (
  { detector }: FaceReader,
  { path, found }: Pick<ReadPhotograph, 'path' | 'found'>,
): string =>
  found.length > 0
    ? `${path}: no face can be aligned (${detector.name} sees eyes, nose and mouth of a face in one place); try another --detector`
    : `${path}: no face found (by ${detector.name}, with a score of at least ${Number(detector.threshold.toFixed(3))}); try --score lower, or another --detector`;

function cosine(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= -1 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a cosine, from -1 to 1.');
}

/** A share above 0, up to 1. */
export function rate(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a share above 0, up to 1, as in 0.001.');
}

/** A probability that is neither 0 nor 1. */
export function probability(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError('It must be a probability between 0 and 1, as in 0.5.');
}
