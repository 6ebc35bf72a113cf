// hypersphere identify: who of some known people is in photographs, if anyone.
import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import { UserError } from '../common/errors.js';
import { type Ignored, ignoredLine, listPeople, listPhotographs } from '../data/index.js';
import {
  CalibratedGallery,
  type Candidate,
  doubtsAbout,
  type EnrolledFace,
  type FaceLimits,
  type FaceReader,
  falsePositiveRate,
  Gallery,
  type Identity,
  identifyFaces,
  modelDifference,
  type ReadFace,
  type ReadPhotograph,
  readEmbeddings,
  type Unreadable,
} from '../face/index.js';
import { DETECTORS, turnedNote } from './detector-flags.js';
import { FOREIGN_MODELS } from './embedder-flags.js';
import { whole } from './flags.js';
import { endWith, note, progress, result } from './output.js';
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
  noFace,
  type ReaderFlags,
  readerOf,
  standing,
  withCalibrationFlags,
  withDecisionFlags,
  withFitnessFlags,
  withReaderFlags,
} from './reader-flags.js';

const HELP = `
The gallery is a folder with one folder of photographs a person, of each of which the largest face is enrolled, or a
file of embeddings that 'hypersphere embed --photographs' made of such a folder with the same model. A face that is
not similar enough to anybody is 'unknown'. A face is compared with every photograph of everybody, so the more are
enrolled, the likelier a stranger is taken for one of them: the answer says how likely, if every comparison has the
false match rate.

A photograph shows a person once: where several of its faces are similar enough to one person, the people are shared
out so that the sum of what similarities have over the threshold is greatest, and a face that is left over is
'unknown'. --allow-repeats turns that off, for mirrors and collages.
${FITNESS.trimEnd()}
${DECISIONS}
${CALIBRATED}
Of a search --fmr is the chance that a stranger is taken for anybody enrolled. A face is then compared with every
enrolled photograph, as that is what was calibrated, and the threshold is the one for so many comparisons; of a
person the most alike photograph counts. --prior is shared equally by the people, and a person's part by the
photographs, so that the more there are the more evidence one of them needs; what is left of 100 % is a stranger's.
${DETECTORS}
${FOREIGN_MODELS}

Examples:
  hypersphere identify --gallery people party.jpg
  hypersphere identify --gallery people photos --fmr 0.0001 --json
  hypersphere identify --gallery people party.jpg --calibration dlib.calibration.json --fmr 0.01`;

interface Flags extends ReaderFlags, CalibrationFlags, FitnessFlags {
  gallery: string;
  allowRepeats?: boolean;
  top: number;
  json?: boolean;
}

/** A candidate, with a probability where there is a calibration. */
type Named = Candidate & { probability?: number };

/** One face of a photograph with who it is. */
interface Identified extends Identity<Named> {
  face: ReadFace;
}
type Entry = (Pick<ReadPhotograph, 'path' | 'turned' | 'found'> & { faces: Identified[] }) | Unreadable;

export function identifyCommand(): Command {
  const command = new Command('identify')
    .description('tell who of some known people is in photographs; unknown is an answer')
    .requiredOption(
      '--gallery <dir|file>',
      'the known people: a folder with one folder a person, or embeddings',
    )
    .argument('<image...>', 'photographs, or folders of them');
  return withCalibrationFlags(
    withFitnessFlags(withDecisionFlags(withReaderFlags(command, 'all'))),
    'probability that a face is of anybody enrolled, before it is seen',
  )
    .option('--allow-repeats', 'a person may be in a photograph more than once (mirrors, collages)')
    .option('--top <n>', 'candidates listed for each face', whole(1), 3)
    .option('--json', 'print one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(images: string[], flags: Flags): Promise<void> {
  const { photographs: paths, ignored } = await listPhotographs(images);
  const reader = await readerOf(flags);
  try {
    const open = await calibrationOf(reader, flags);
    // A model without thresholds is refused before the gallery is read.
    const stated = open ? undefined : decisionOf(reader, flags);
    const limits = limitsOf(reader, flags);
    const enrolment = await enrol(reader, flags.gallery, limits);
    const { faces: enrolled, skipped } = enrolment;
    ignored.unshift(...enrolment.ignored);
    const passed = ignoredLine(ignored);
    if (passed !== undefined) note(passed);
    const gallery = open ? new CalibratedGallery(enrolled, open.calibration) : new Gallery(enrolled);
    const calibrated = open?.decide(enrolled.length);
    const decision = calibrated ?? stated!;
    const { threshold } = decision;
    const { allowRepeats } = flags;
    const known = {
      people: gallery.people,
      nearest: (embedding: Float32Array, count: number): Named[] =>
        gallery.nearest(embedding, count, open?.prior),
    };
    const people = gallery.people.length;
    const stranger =
      calibrated?.fmr ??
      (decision.fmr === undefined ? undefined : falsePositiveRate(decision.fmr, enrolled.length));
    const entries: Entry[] = [];
    const shown = paths.length > 8 ? progress(paths.length, 'photographs') : undefined;
    try {
      for await (const photograph of reader.read(paths, { choice: flags.face })) {
        if ('problem' in photograph) {
          (shown?.note ?? note)(photograph.problem);
          entries.push(photograph);
        } else {
          const { path, turned, found } = photograph;
          const faces = identifyFaces(photograph.faces, known, { threshold, limits, allowRepeats }).map(
            (identity, i): Identified => ({
              ...identity,
              candidates: identity.candidates.slice(0, flags.top),
              face: photograph.faces[i]!,
            }),
          );
          entries.push({ path, turned, found, faces });
        }
        shown?.update(entries.length, '');
      }
    } finally {
      shown?.stop();
    }
    if (entries.every((entry) => 'problem' in entry)) {
      endWith('bad-input');
      if (!flags.json && entries.length > 1)
        throw new UserError(`none of the ${entries.length} files can be read (see above)`);
      if (!flags.json) return;
    }
    result(
      {
        ...decision,
        people,
        photographs: enrolled.length,
        ...(open && { prior: open.prior }),
        ...(stranger !== undefined && { falsePositiveRate: stranger }),
        model: reader.manifest.name,
        detector: reader.detector.name,
        skipped,
        ignored,
        images: entries.map(described),
      },
      [
        [
          `${people} ${people === 1 ? 'person' : 'people'} enrolled${enrolled.length > people ? ` with ${enrolled.length} photographs` : ''}; threshold ${decision.threshold.toFixed(3)}`,
          calibrated && standing(calibrated),
          stranger !== undefined &&
            `: a stranger is taken for one of them about ${percent(stranger)} of the time`,
          open && `; the prior that a face is of one of them is ${chance(open.prior)}`,
        ]
          .filter(Boolean)
          .join(''),
        ...entries.flatMap((entry) => ('faces' in entry ? text(reader, entry) : [])),
      ],
      flags.json,
    );
  } finally {
    await reader.close();
  }
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(2))} %`;

/** The faces of the gallery's people, from photographs or from embeddings that were made of them. */
async function enrol(
  reader: FaceReader,
  source: string,
  limits: FaceLimits,
): Promise<{
  faces: EnrolledFace[];
  skipped: { path: string; reason: string }[];
  ignored: Ignored[];
}> {
  const { manifest } = reader;
  if (/\.(safetensors|npy|jsonl)$/i.test(source)) {
    const { embeddings, images, length, manifest: theirs } = await readEmbeddings(source);
    const difference = theirs && modelDifference(theirs, manifest);
    if (difference !== undefined)
      throw new UserError(
        `${source}: its embeddings are of ${difference}; give the same --model and flags, or make it again with: hypersphere embed`,
      );
    if (length !== reader.length)
      throw new UserError(
        `${source}: its embeddings have ${length} numbers, those of ${manifest.name} ${reader.length}; give the --model that made them`,
      );
    const faces = images.flatMap(({ person }, i): EnrolledFace[] =>
      person === null ? [] : [{ person, embedding: embeddings.subarray(i * length, (i + 1) * length) }],
    );
    if (faces.length === 0)
      throw new UserError(
        `${source}: none of its rows names a person; embed a folder with one folder a person: hypersphere embed --photographs`,
      );
    return { faces, skipped: [], ignored: [] };
  }
  if ((await stat(source).catch(() => undefined))?.isFile())
    throw new UserError(
      `${source}: not a gallery, which is a folder with one folder a person, or embeddings (.safetensors, .npy or .jsonl)`,
    );
  const ignored: Ignored[] = [];
  const people = await listPeople(source, (passed) => ignored.push(passed));
  const owner = new Map(people.flatMap(({ name, paths }) => paths.map((path) => [path, name] as const)));
  const faces: EnrolledFace[] = [];
  const skipped: { path: string; reason: string }[] = [];
  const shown = progress(owner.size, 'photographs enrolled');
  let done = 0;
  try {
    for await (const photograph of reader.read([...owner.keys()], { choice: 'largest' })) {
      const { path } = photograph;
      const problem = 'problem' in photograph ? photograph.problem : noFace(reader, photograph);
      const face = 'problem' in photograph ? undefined : photograph.faces[0];
      if (face) {
        faces.push({ person: owner.get(path)!, embedding: face.embedding });
        const doubts = doubtsAbout(face, limits);
        if (doubts.length > 0)
          shown.note(`${path}: enrolled, but poor: ${doubts.map(({ message }) => message).join(', ')}`);
      } else {
        skipped.push({ path, reason: problem.replace(`${path}: `, '') });
        shown.note(`skipped ${problem}`);
      }
      shown.update(++done, '');
    }
  } finally {
    shown.stop();
  }
  const missing = people.filter(({ name }) => !faces.some(({ person }) => person === name));
  for (const { name } of missing) note(`${name}: not enrolled, as none of the photographs can be used`);
  if (faces.length === 0)
    throw new UserError(
      `${source}: the gallery is empty, as none of its photographs can be used (see above)`,
    );
  return { faces, skipped, ignored };
}

function described(entry: Entry): object {
  if ('problem' in entry) return entry;
  return {
    path: entry.path,
    turned: entry.turned,
    faces: entry.faces.map(({ person, decision, reasons, candidates, face: { detection, quality } }) => ({
      person,
      decision,
      reasons,
      similarity: candidates[0]!.similarity,
      candidates,
      ...detection,
      quality,
    })),
  };
}

function text(reader: FaceReader, { path, turned, found, faces }: Exclude<Entry, Unreadable>): string[] {
  if (faces.length === 0) return [noFace(reader, { path, found })];
  const one = ({ person, reasons, candidates, face: { detection, quality } }: Identified): string => {
    const { x, y } = detection.box;
    const others = candidates.slice(person === null ? 0 : 1);
    const how = ({ similarity, probability }: Named) =>
      `${similarity.toFixed(3)}${probability === undefined ? '' : `, probability ${chance(probability)}`}`;
    const nearest = others
      .map((other) => `${other.person} ${how(other)}`)
      .join(candidates.some(({ probability }) => probability !== undefined) ? '; ' : ', ');
    return [
      `  ${person ?? 'unknown'}${person === null ? '' : ` ${how(candidates[0]!)}`}  (face at ${x.toFixed(0)},${y.toFixed(0)}`,
      nearest && `; ${person === null ? 'nearest' : 'then'} ${nearest}`,
      reasons.length > 0
        ? `; cannot tell: ${reasons.map(({ message }) => message).join(', ')}`
        : quality.reasons.length > 0 && `; ${quality.reasons.join(', ')}`,
      ')',
    ]
      .filter(Boolean)
      .join('');
  };
  const turn = turnedNote(turned);
  return [`${path}${turn === undefined ? '' : ` (${turn})`}:`, ...faces.map(one)];
}
