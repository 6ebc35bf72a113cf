// hypersphere verify: whether two photographs show the same person.
import { Command } from 'commander';
import { UserError } from '../common/errors.js';
import { evidenceOf, posterior, type ReadFace } from '../face/index.js';
import { cosineAt, degrees } from '../theory/vectors.js';
import { DETECTORS } from './detector-flags.js';
import { FOREIGN_MODELS } from './embedder-flags.js';
import { result } from './output.js';
import {
  CALIBRATED,
  type CalibrationFlags,
  calibrationOf,
  chance,
  DECISIONS,
  decisionOf,
  onlyFace,
  type ReaderFlags,
  readerOf,
  standing,
  withCalibrationFlags,
  withDecisionFlags,
  withReaderFlags,
} from './reader-flags.js';

const HELP = `
${DECISIONS.trim()}
${CALIBRATED}
The exit code is 0 whatever the answer is.
${DETECTORS}
${FOREIGN_MODELS}

Examples:
  hypersphere verify passport.jpg selfie.jpg
  hypersphere verify a.jpg b.jpg --fmr 0.0001 --json
  hypersphere verify a.jpg b.jpg --calibration dlib.calibration.json --prior 0.1
  hypersphere verify a.jpg b.jpg --model runs/first/model.onnx --template arcface --threshold 0.4`;

interface Flags extends ReaderFlags, CalibrationFlags {
  json?: boolean;
}

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('tell whether two photographs show the same person')
    .argument('<a>', 'a photograph')
    .argument('<b>', 'another');
  return withCalibrationFlags(
    withDecisionFlags(withReaderFlags(command, 'largest', ['largest', 'central', 'best'])),
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
    const faces: ReadFace[] = [];
    for await (const photograph of reader.read([a, b], { choice: flags.face })) {
      if ('problem' in photograph) throw new UserError(photograph.problem);
      faces.push(onlyFace(reader, photograph, flags.face));
    }
    const [left, right] = faces as [ReadFace, ReadFace];
    const similarity = cosineAt(left.embedding, 0, right.embedding, 0, left.embedding.length);
    const same = similarity >= decision.threshold;
    const evidence = open && evidenceOf(open.calibration, similarity);
    const belief = open && { probability: posterior(evidence!.llr, open.prior), prior: open.prior };
    const about = ({ detection, quality }: ReadFace, path: string) => ({ path, ...detection, quality });
    result(
      {
        same,
        similarity,
        angle: degrees(similarity),
        ...decision,
        ...evidence,
        ...belief,
        model: reader.manifest.name,
        detector: reader.detector.name,
        faces: [about(left, a), about(right, b)],
      },
      [
        belief && calibrated
          ? `${same ? 'the same person' : 'not taken for the same person'}: probability ${evidence!.limited ? (evidence!.llr > 0 ? 'at least ' : 'at most ') : ''}${chance(belief.probability)} (prior ${chance(belief.prior)}); at FMR ${calibrated.fmr}: similarity ${compared(similarity, same, calibrated.threshold)}${standing(calibrated)}`
          : `${same ? 'the same person' : 'different people'}: similarity ${compared(similarity, same, decision.threshold)}${decision.fmr === undefined ? '' : ` (${decision.fmr} of pairs of different people reach it, measured on ${decision.on})`}`,
        ...[left, right].flatMap(({ quality }, i) =>
          quality.reasons.length === 0
            ? []
            : [`${[a, b][i]}: quality ${quality.score.toFixed(2)}: ${quality.reasons.join(', ')}`],
        ),
      ].join('\n'),
      flags.json,
    );
  } finally {
    await reader.close();
  }
}

const compared = (similarity: number, same: boolean, threshold: number): string =>
  `${similarity.toFixed(3)}, ${same ? 'at least' : 'below'} the threshold of ${threshold.toFixed(3)}`;
