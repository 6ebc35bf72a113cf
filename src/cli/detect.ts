// hypersphere detect: the faces in photographs.

import { mkdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { Command, Option } from 'commander';
import { UserError } from '../common/errors.js';
import { writeWholeSync } from '../common/files.js';
import { requireWritable } from '../common/folders.js';
import { ignoredLine, listPhotographs } from '../data/index.js';
import {
  type Detection,
  findFaces,
  openDetector,
  scaled,
  type Turn,
  type Unreadable,
} from '../face/index.js';
import { drawFaces } from '../report/draw-faces.js';
import { type DeviceName, deviceNames, openDevice } from '../runtime/index.js';
import { DETECTORS, type DetectorFlags, turnedNote, withDetectorFlags } from './detector-flags.js';
import { whole } from './flags.js';
import { endWith, note, progress, result } from './output.js';

const HELP = `
Boxes and landmarks are in pixels of the photograph as it is seen upright, whatever its file's orientation note says.
Landmarks: left eye, right eye, nose, left and right corner of the mouth, left and right as seen. A photograph in which
no good face is found is looked at on its side and upside down too, unless --upright says that all are upright; boxes
and landmarks stay in its pixels as it is, and 'turned' says by how many degrees clockwise its people are turned.
${DETECTORS}

Examples:
  hypersphere detect party.jpg
  hypersphere detect photos --draw drawn --json
  hypersphere detect party.jpg --detector yunet.onnx --min-face 40`;

interface Flags extends DetectorFlags {
  draw?: string;
  device?: DeviceName;
  threads?: number;
  json?: boolean;
}

/** What is said of one photograph. */
type Entry = ReadEntry | Unreadable;
interface ReadEntry {
  path: string;
  width: number;
  height: number;
  turned: Turn;
  faces: readonly Detection[];
  drawn?: string;
}

export function detectCommand(): Command {
  const command = new Command('detect')
    .description('find the faces in photographs')
    .argument('<image...>', 'photographs, or folders of them');
  return withDetectorFlags(command, 'all')
    .option('--draw <dir>', 'write every photograph with its faces drawn in, as NAME.faces.jpg')
    .addOption(new Option('--device <name>', 'where to compute (default: cpu)').choices(deviceNames))
    .option('--threads <n>', 'threads on the CPU (default: all)', whole(1))
    .option('--json', 'print one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(images: string[], flags: Flags): Promise<void> {
  const { draw, json } = flags;
  if (draw !== undefined) requireWritable(draw, '--draw');
  const { photographs: paths, ignored } = await listPhotographs(images);
  const passed = ignoredLine(ignored);
  if (passed !== undefined) note(passed);
  const device = await openDevice(flags.device ?? 'cpu', flags.threads ? { threads: flags.threads } : {});
  const entries: Entry[] = [];
  try {
    const detector = await openDetector(flags.detector, {
      device,
      minFace: flags.minFace,
      threshold: flags.score,
      upright: flags.upright,
    });
    const shown = paths.length > 8 ? progress(paths.length, 'photographs') : undefined;
    if (draw !== undefined) mkdirSync(draw, { recursive: true });
    const names = new Set<string>();
    try {
      for await (const looked of findFaces(detector, paths, { choice: flags.face })) {
        if ('problem' in looked) {
          const line = looked.problem;
          if (shown) shown.note(line);
          else note(line);
          entries.push(looked);
        } else {
          const { path, photograph, turned, chosen } = looked;
          const { scale } = photograph;
          const entry = {
            path,
            width: Math.round(photograph.width * scale),
            height: Math.round(photograph.height * scale),
            turned,
            faces: chosen.map((face) => scaled(face, scale)),
          };
          if (draw === undefined) entries.push(entry);
          else {
            const drawn = join(draw, freeName(basename(path, extname(path)), names));
            const faces = chosen.map((detection, i) => ({
              detection,
              label: `${i + 1}  ${detection.score.toFixed(2)}`,
            }));
            writeWholeSync(drawn, await drawFaces(photograph, faces));
            entries.push({ ...entry, drawn });
          }
        }
        shown?.update(entries.length, '');
      }
    } finally {
      shown?.stop();
    }
    const read = entries.filter((entry): entry is ReadEntry => 'faces' in entry);
    if (read.length === 0) endWith('bad-input');
    if (read.length === 0 && !json) {
      if (entries.length > 1)
        throw new UserError(
          `none of the ${entries.length} files is a photograph that can be read (see above)`,
        );
      return;
    }
    result(
      { detector: detector.name, threshold: detector.threshold, ignored, images: entries },
      read.flatMap(text),
      json,
    );
  } finally {
    await device.close();
  }
}

/**
 * A file name that has not been given yet, as photographs of several folders may be called the same. It is never a
 * photograph's own, which may lie in the folder that is drawn to.
 */
function freeName(stem: string, taken: Set<string>): string {
  let name = `${stem}.faces.jpg`;
  for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${stem}-${n}.faces.jpg`;
  taken.add(name.toLowerCase());
  return name;
}

function text(entry: ReadEntry): string[] {
  const { path, width, height, turned, faces, drawn } = entry;
  const turn = turnedNote(turned);
  const count = faces.length === 0 ? 'no face' : faces.length === 1 ? '1 face' : `${faces.length} faces`;
  const lines = faces.map(({ box, score, landmarks: [left, right] }, i) => {
    const at = `${box.x.toFixed(0)},${box.y.toFixed(0)}`.padEnd(10);
    const size = `${box.width.toFixed(0)}x${box.height.toFixed(0)}`.padEnd(9);
    const eyes = Math.hypot(right[0] - left[0], right[1] - left[1]).toFixed(0);
    return `  ${i + 1}  at ${at} ${size} score ${score.toFixed(3)}  eyes ${eyes} px apart`;
  });
  return [
    `${path}  ${width}x${height}: ${count}${turn === undefined ? '' : `, ${turn}`}${drawn ? `, drawn in ${drawn}` : ''}`,
    ...lines,
  ];
}
