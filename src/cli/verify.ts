// hypersphere verify: whether two photographs show the same person.
import { Command } from 'commander';
import { UserError } from '../common/errors.js';
import {
  answerFor,
  type Doubt,
  doubtsAbout,
  evidenceOf,
  posterior,
  type ReadFace,
  type Turn,
} from '../face/index.js';
import { cosineAt, degrees } from '../theory/vectors.js';
import { DETECTORS, turnedNote } from './detector-flags.js';
import { FOREIGN_MODELS } from './embedder-flags.js';
import { result } from './output.js';
import {
  CALIBRATED,
  type CalibrationFlags,
  calibrationOf,
  chance,
  DECISIONS,
  decisionOf,
  FITNESS,
  type FitnessFlags,
  limitsOf,
  onlyFace,
  type ReaderFlags,
  readerOf,
  standing,
  withCalibrationFlags,
  withDecisionFlags,
  withFitnessFlags,
  withReaderFlags,
} from './reader-flags.js';

const HELP = `
${DECISIONS.trim()}
${CALIBRATED}
${FITNESS.trim()}
The exit code is 0 whatever the answer is.
${DETECTORS}
${FOREIGN_MODELS}

Examples:
  hypersphere verify passport.jpg selfie.jpg
  hypersphere verify a.jpg b.jpg --fmr 0.0001 --json
  hypersphere verify a.jpg b.jpg --calibration dlib.calibration.json --prior 0.1
  hypersphere verify a.jpg b.jpg --model runs/first/model.onnx --template arcface --threshold 0.4`;

interface Flags extends ReaderFlags, CalibrationFlags, FitnessFlags {
  json?: boolean;
}

/** The face that is meant in a photograph. */
interface Seen extends ReadFace {
  path: string;
  turned: Turn;
}

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('tell whether two photographs show the same person')
    .argument('<a>', 'a photograph')
    .argument('<b>', 'another');
  return withCalibrationFlags(
    withFitnessFlags(withDecisionFlags(withReaderFlags(command, 'largest', ['largest', 'central', 'best']))),
    'probability of the same person before the photographs are seen',
  )
    .option('--json', 'print one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(a: string, b: string, flags: Flags): Promise<void> {
  const reader = await readerOf(flags);
  try {
    const open = await calibrationOf(reader, flags);
    const calibrated = open?.decide(1);
    const decision = calibrated ?? decisionOf(reader, flags);
    const faces: Seen[] = [];
    for await (const photograph of reader.read([a, b], { choice: flags.face })) {
      if ('problem' in photograph) throw new UserError(photograph.problem, { code: photograph.code });
      const { path, turned } = photograph;
      faces.push({ path, turned, ...onlyFace(reader, photograph, flags.face) });
    }
    const [left, right] = faces as [Seen, Seen];
    const similarity = cosineAt(left.embedding, 0, right.embedding, 0, left.embedding.length);
    const limits = limitsOf(reader, flags);
    const reasons = faces.flatMap((face) =>
      doubtsAbout(face, limits).map((doubt) => ({ path: face.path, ...doubt })),
    );
    const answer = answerFor(similarity, decision.threshold, reasons);
    const evidence = open && evidenceOf(open.calibration, similarity);
    const belief = open && { probability: posterior(evidence!.llr, open.prior), prior: open.prior };
    const answerLine = (): string => {
      if (answer === 'unknown')
        return `cannot tell: ${doubtful(reasons)} (similarity ${similarity.toFixed(3)}, threshold ${decision.threshold.toFixed(3)}; --any-quality decides nevertheless)`;
      const same = answer === 'same';
      const reached = `similarity ${similarity.toFixed(3)}, ${same ? 'at least' : 'below'} the threshold of ${decision.threshold.toFixed(3)}`;
      if (belief && calibrated)
        return `${same ? 'the same person' : 'not taken for the same person'}: probability ${evidence!.limited ? (evidence!.llr > 0 ? 'at least ' : 'at most ') : ''}${chance(belief.probability)} (prior ${chance(belief.prior)}); at FMR ${calibrated.fmr}: ${reached}${standing(calibrated)}`;
      return `${same ? 'the same person' : 'different people'}: ${reached}${decision.fmr === undefined ? '' : ` (${decision.fmr} of pairs of different people reach it, measured on ${decision.on})`}`;
    };
    result(
      {
        decision: answer,
        reasons,
        same: answer === 'same',
        similarity,
        angle: degrees(similarity),
        ...decision,
        ...evidence,
        ...belief,
        model: reader.manifest.name,
        detector: reader.detector.name,
        faces: faces.map(({ path, turned, detection, quality }) => ({ path, turned, ...detection, quality })),
      },
      [answerLine(), ...faces.flatMap((face) => remarks(face, reasons))],
      flags.json,
    );
  } finally {
    await reader.close();
  }
}

/** The reasons, each photograph named once. */
const doubtful = (reasons: readonly (Doubt & { path: string })[]): string =>
  [...new Set(reasons.map(({ path }) => path))]
    .map((path) => {
      const own = reasons.filter((reason) => reason.path === path);
      return `${path}: ${own.map(({ message }) => message).join(', ')}`;
    })
    .join('; ');

/** What a user should know of a photograph beside the answer. */
function remarks({ path, turned, quality }: Seen, reasons: readonly { path: string }[]): string[] {
  const turn = turnedNote(turned);
  const given = reasons.some((reason) => reason.path === path);
  return [
    ...(turn === undefined ? [] : [`${path}: ${turn}`]),
    ...(given || quality.reasons.length === 0
      ? []
      : [`${path}: quality ${quality.score.toFixed(2)}: ${quality.reasons.join(', ')}`]),
  ];
}
