// hypersphere align: a folder of photographs in, a folder of aligned faces out.
import { Command, InvalidArgumentError, Option } from 'commander';
import { requireWritable } from '../common/folders.js';
import { ignoredLine } from '../data/index.js';
import {
  type AlignFolderOptions,
  type AlignReport,
  alignFolder,
  openDetector,
  patchNamed,
  patchTemplate,
  readLandmarkFile,
  sha256,
  templateNamed,
} from '../face/index.js';
import { type DeviceName, deviceNames, openDevice } from '../runtime/index.js';
import { DETECTORS, type DetectorFlags, withDetectorFlags } from './detector-flags.js';
import { whole } from './flags.js';
import { interruptible } from './interrupt.js';
import { duration, endWith, note, type Progress, progress, result, usage } from './output.js';

const HELP = `
Photographs of any depth below the data folder; the folders are kept. In the output, faces.jsonl says for every
photograph where its faces were, how good they are, or why it was skipped; report.json sums it up. The same command
again goes on where it was stopped, and does what is new.

Templates: 'arcface' (112 x 112) and 'sphereface' (112 x 96) by their published numbers; --origin says what the first
pixel is called in these, as most networks have it: 0 for ArcFace, 1 (Matlab) for SphereFace.
Patches: whole, upper (eyes), lower (nose and mouth), left, right, or x,y,width,height in fractions of the template.
Landmark files: path, then in the last ten columns x and y of left eye, right eye, nose, left and right corner of the
mouth as seen; with tabs between.
${DETECTORS}

Examples:
  hypersphere align --data photographs --out faces
  hypersphere align --data lfw --out lfw-aligned --face central --template sphereface
  hypersphere align --data lfw --out lfw-aligned --landmarks landmarks.tsv`;

interface Flags extends DetectorFlags {
  data: string;
  out: string;
  template: string;
  origin?: '0' | '1';
  patch?: string;
  landmarks?: string;
  border: 'black' | 'replicate';
  antialias: 'area' | 'none';
  format: 'jpg' | 'png';
  quality: number;
  device?: DeviceName;
  threads?: number;
  json?: boolean;
}

export function alignCommand(): Command {
  const command = new Command('align')
    .description('cut the faces out of a folder of photographs, aligned')
    .requiredOption('--data <dir>', 'folder of photographs')
    .requiredOption('--out <dir>', 'folder to write the aligned faces to')
    .option('--template <name>', 'where the landmarks go: arcface or sphereface', 'arcface')
    .addOption(
      new Option('--origin <n>', "what the template's numbers call the first pixel").choices(['0', '1']),
    )
    .option('--patch <which>', 'a part of the template (see below)');
  return withDetectorFlags(command, 'largest')
    .addOption(
      new Option('--landmarks <file>', 'tab-separated landmarks to use in place of a detector').conflicts([
        ...['detector', 'minFace', 'score', 'upright'],
      ]),
    )
    .addOption(
      new Option('--border <how>', 'what lies beyond a photograph')
        .choices(['black', 'replicate'])
        .default('black'),
    )
    .addOption(
      new Option('--antialias <how>', 'of faces over 3 times as large as the template')
        .choices(['area', 'none'])
        .default('area'),
    )
    .addOption(new Option('--format <format>', 'of the faces').choices(['jpg', 'png']).default('jpg'))
    .option('--quality <n>', 'of JPEG files, 1 to 100', percent, 95)
    .addOption(new Option('--device <name>', 'where to compute (default: cpu)').choices(deviceNames))
    .option('--threads <n>', 'threads on the CPU (default: all)', whole(1))
    .option('--json', 'print the report as one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const { data, out, origin, patch, face: choice, border, antialias, format, quality, json } = flags;
  const template = usage(() => {
    const named = templateNamed(flags.template, origin === undefined ? undefined : origin === '1' ? 1 : 0);
    return patch === undefined ? named : patchTemplate(named, patchNamed(patch));
  });
  requireWritable(out);
  const options = { template, choice, border, antialias, format, quality };
  const started = performance.now();
  const report = await withFaces(flags, (faces, settings) =>
    align(data, out, { ...options, faces, settings }),
  );
  const passed = ignoredLine(report.ignored);
  if (passed !== undefined) note(passed);
  const seconds = (performance.now() - started) / 1000;
  if (!report.finished) {
    note(
      `stopped after ${report.done} of ${report.photographs} photographs; the same command again goes on from there`,
    );
    endWith('interrupted');
  } else if (report.faces === 0) endWith('bad-input');
  result({ ...report, seconds }, `${describe(report)}; ${duration(seconds)}`, json);
}

/** Opens what finds the faces, or reads where they are, for the time of `use`. */
async function withFaces<T>(
  { landmarks, detector: wanted, minFace, score, upright, device: name = 'cpu', threads }: Flags,
  use: (faces: AlignFolderOptions['faces'], settings: Record<string, unknown>) => Promise<T>,
): Promise<T> {
  if (landmarks !== undefined) {
    const table = await readLandmarkFile(landmarks);
    return use({ landmarks: table }, { landmarks: sha256(Buffer.from(JSON.stringify([...table]))) });
  }
  const device = await openDevice(name, threads ? { threads } : {});
  try {
    const detector = await openDetector(wanted, { device, minFace, threshold: score, upright });
    try {
      const { threshold } = detector;
      return await use({ detector }, { detector: detector.name, minFace, threshold, upright });
    } finally {
      await detector.close();
    }
  } finally {
    await device.close();
  }
}

async function align(data: string, out: string, options: AlignFolderOptions): Promise<AlignReport> {
  const interrupt = interruptible();
  let shown: Progress | undefined;
  const started = performance.now();
  try {
    return await alignFolder(data, out, {
      ...options,
      signal: interrupt.signal,
      onProgress({ done, total, earlier }) {
        shown ??= progress(total, 'photographs');
        const each = (performance.now() - started) / 1000 / (done - earlier);
        shown.update(done, `${duration(each * (total - done))} left`);
      },
      onSkip: (path, reason) => (shown ?? { note }).note(`skipped ${path}: ${reason}`),
    });
  } finally {
    shown?.stop();
    interrupt.end();
  }
}

function describe({ out, template, photographs, done, earlier, faces, skipped }: AlignReport): string {
  const reasons = new Map<string, number>();
  for (const { reason } of skipped) {
    const kind = reason === 'no face found' || reason.startsWith('no landmarks') ? reason : 'cannot be read';
    reasons.set(kind, (reasons.get(kind) ?? 0) + 1);
  }
  const why = [...reasons].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return (
    `${faces} faces of ${done === photographs ? photographs : `${done} of ${photographs}`} photographs in ${out} (${template})` +
    `${earlier > 0 ? `, ${earlier} photographs done before` : ''}` +
    `${skipped.length > 0 ? `; ${skipped.length} skipped: ${why} (report.json lists them)` : ''}`
  );
}

function percent(text: string): number {
  const value = whole(1)(text);
  if (value > 100) throw new InvalidArgumentError('It must be a whole number from 1 to 100.');
  return value;
}
