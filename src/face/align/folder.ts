// A folder of photographs becomes a folder of aligned faces of the same structure. A photograph that cannot be read
// or has no face costs nothing but itself; a run that was stopped goes on where it was.
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import sharp from 'sharp';
import { isOfInput, UserError } from '../../common/errors.js';
import { PRIVATE, writeWhole } from '../../common/files.js';
import { inOrder } from '../../common/in-order.js';
import { locked, lockFolder } from '../../common/lock.js';
import { type Ignored, isImageName, listBelow, readPhotograph } from '../../data/index.js';
import { chooseFaces, type FaceChoice } from '../detect/choose.js';
import { type Detector, scaled } from '../detect/detection.js';
import { findFaces, type LookedAt, type Unreadable } from '../detect/find.js';
import { faceQuality } from '../quality.js';
import { type AlignOptions, alignFace } from './face.js';
import { ALIGN_FILES, type AlignedFace, addToJournal, type JournalEntry, openJournal } from './journal.js';
import type { LandmarkTable } from './landmark-file.js';
import { type Template, templateLabel } from './template.js';

export interface AlignFolderOptions extends AlignOptions {
  readonly template: Template;
  /** What finds the faces, or where they are known to be. */
  readonly faces: { readonly detector: Detector } | { readonly landmarks: LandmarkTable };
  /** Which of several faces is meant (default: the largest). */
  readonly choice?: FaceChoice;
  /** Files of aligned faces (default 'jpg'). */
  readonly format?: 'jpg' | 'png';
  /** Of JPEG files, 1 to 100 (default 95). */
  readonly quality?: number;
  /** What else the faces depend on: kept with them, and compared when the run goes on. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Stops after the photographs at hand. */
  readonly signal?: AbortSignal;
  /** Called after every photograph: how many are done, of all, those of earlier runs included. */
  onProgress?(progress: { done: number; total: number; earlier: number }): void;
  /** Called for every photograph that is skipped, with a line that says why. */
  onSkip?(path: string, reason: string): void;
}

/** What has become of the photographs; also report.json in the folder. */
export interface AlignReport {
  readonly out: string;
  readonly template: string;
  /** Whether all photographs are done. */
  readonly finished: boolean;
  /** Of those there are, how many are done, and how many of these by earlier runs. */
  readonly photographs: number;
  readonly done: number;
  readonly earlier: number;
  readonly faces: number;
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** What the folder holds beside photographs; paths as in `skipped`. */
  readonly ignored: readonly Ignored[];
}

/** Faces that are encoded and written while the next photographs are looked at. */
const WRITES = 8;
/** Photographs that are decoded ahead when landmarks are known. */
const AHEAD = 4;

/**
 * Aligns the faces of all photographs below `data` into `out`: a/b.png becomes a/b.jpg; with the choice 'all',
 * further faces become a/b.face2.jpg and so on. Photographs that are done are left as they are. Throws a UserError
 * when there are no photographs, or `out` lies in `data` or holds something else.
 */
export async function alignFolder(
  data: string,
  out: string,
  options: AlignFolderOptions,
): Promise<AlignReport> {
  const { photographs: paths, ignored } = await listBelow(data);
  await requireApart(data, out);
  return locked(lockFolder(out), () => alignHere(data, out, { paths, ignored }, options));
}

/** Aligns once the folder is that of this run alone. */
async function alignHere(
  data: string,
  out: string,
  { paths, ignored }: { readonly paths: readonly string[]; readonly ignored: readonly Ignored[] },
  options: AlignFolderOptions,
): Promise<AlignReport> {
  const { template, choice = 'largest', format = 'jpg', quality = 95, signal } = options;
  const { border = 'black', antialias = 'area', reflection = false } = options;
  const entries = await openJournal(out, {
    ...{
      format: 'hypersphere-align/1',
      data: relative(resolve(out), resolve(data)),
      template: templateLabel(template),
    },
    ...{ face: choice, file: format, ...(format === 'jpg' && { quality }), border, antialias, reflection },
    ...options.settings,
  });
  const done = new Map<string, JournalEntry>();
  const there = ({ faces }: JournalEntry) => faces.every(({ file }) => existsSync(join(out, file)));
  for (const entry of entries) if (!entry.unreadable && there(entry)) done.set(entry.path, entry);
  const left = paths.filter((path) => !done.has(path));
  const earlier = paths.length - left.length;
  const stems = targets(paths);

  const finish = async ({ entry, files }: Cut): Promise<void> => {
    for (const { file, pixels } of files)
      await writeWhole(join(out, file), await encode(pixels, template, format, quality), PRIVATE);
    await addToJournal(out, entry);
    done.set(entry.path, entry);
    if (entry.skipped !== undefined) options.onSkip?.(entry.path, entry.skipped);
    options.onProgress?.({ done: done.size, total: paths.length, earlier });
  };

  // Photographs are finished in their order, and while the faces of the last are written the next are looked at.
  let writing: Promise<void> = Promise.resolve();
  let waiting = 0;
  let failure: { error: unknown } | undefined;
  for await (const looked of looksAt(data, left, options.faces, choice)) {
    const path = relative(data, looked.path).split(sep).join('/');
    // Cut at once, so that the photograph itself need not wait in memory.
    const cut = cutFaces(looked, path, stems.get(path)!, options);
    waiting++;
    writing = writing
      .then(() => (failure ? undefined : finish(cut)))
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => waiting--);
    if (waiting >= WRITES) await writing;
    if (signal?.aborted || failure) break;
  }
  await writing;
  if (failure) throw failure.error;

  const ended = paths.flatMap((path) => done.get(path) ?? []);
  const report: AlignReport = {
    out,
    template: templateLabel(template),
    finished: ended.length === paths.length,
    photographs: paths.length,
    done: ended.length,
    earlier,
    faces: ended.reduce((sum, { faces }) => sum + faces.length, 0),
    skipped: ended.flatMap(({ path, skipped }) => (skipped === undefined ? [] : [{ path, reason: skipped }])),
    ignored,
  };
  await writeWhole(join(out, ALIGN_FILES.report), `${JSON.stringify(report, null, 1)}\n`, PRIVATE);
  return report;
}

/** A photograph's line of the journal, and the faces to write before it. */
interface Cut {
  readonly entry: JournalEntry;
  readonly files: readonly { readonly file: string; readonly pixels: Uint8Array }[];
}

/** Aligns the chosen faces of a photograph. */
function cutFaces(
  looked: LookedAt | Unreadable,
  path: string,
  stem: string,
  options: AlignFolderOptions,
): Cut {
  if ('problem' in looked) {
    const skipped = looked.problem.replace(`${looked.path}: `, '');
    return { entry: { path, faces: [], skipped, unreadable: true }, files: [] };
  }
  const { template, format = 'jpg' } = options;
  const { photograph, turned, chosen } = looked;
  const faces: AlignedFace[] = [];
  const files: { file: string; pixels: Uint8Array }[] = [];
  let skipped = 'landmarks' in options.faces ? 'no landmarks are given for it' : 'no face found';
  for (const [i, seen] of chosen.entries()) {
    const file = `${stem}${i === 0 ? '' : `.face${i + 1}`}.${format}`;
    try {
      const pixels = alignFace(photograph, seen.landmarks, template, options);
      const detection = scaled(seen, photograph.scale);
      const { score, reasons } = faceQuality(detection, pixels, template, turned);
      faces.push({ file, ...detection, quality: Number(score.toFixed(4)), reasons });
      files.push({ file, pixels });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      skipped = error.message;
    }
  }
  return {
    entry: { path, ...(turned !== 0 && { turned }), faces, ...(faces.length === 0 && { skipped }) },
    files,
  };
}

/** The photographs with their faces, found or known. */
function looksAt(
  data: string,
  paths: readonly string[],
  faces: AlignFolderOptions['faces'],
  choice: FaceChoice,
): AsyncIterable<LookedAt | Unreadable> {
  if ('detector' in faces)
    return findFaces(
      faces.detector,
      paths.map((path) => join(data, path)),
      { choice },
    );
  return inOrder(paths, AHEAD, async (inside): Promise<LookedAt | Unreadable> => {
    const path = join(data, inside);
    try {
      const photograph = await readPhotograph(path);
      const known = faces.landmarks.get(inside) ?? [];
      const found = known.map((face) => scaled(face, 1 / photograph.scale));
      return { path, photograph, turned: 0, found, chosen: chooseFaces(found, photograph, choice) };
    } catch (error) {
      if (isOfInput(error)) return { path, problem: error.message, code: error.code };
      throw error;
    }
  });
}

/**
 * The file of each photograph's face without its ending. Where two would be the same (a.jpg and a.png), or one might
 * be taken for a further face of another, the photograph's own ending stays in it.
 */
function targets(paths: readonly string[]): Map<string, string> {
  const stem = (path: string) => path.slice(0, path.length - extname(path).length);
  const count = new Map<string, number>();
  for (const path of paths) {
    const name = stem(path).toLowerCase();
    count.set(name, (count.get(name) ?? 0) + 1);
  }
  const clear = (path: string) =>
    count.get(stem(path).toLowerCase()) === 1 && !/\.face\d+$/i.test(stem(path)) && !isImageName(stem(path));
  return new Map(paths.map((path) => [path, clear(path) ? stem(path) : path]));
}

function encode(
  pixels: Uint8Array,
  { width, height }: Template,
  format: 'jpg' | 'png',
  quality: number,
): Promise<Buffer> {
  const image = sharp(pixels, { raw: { width, height, channels: 3 } });
  // Colours at full resolution: a face of this size has none to lose.
  return format === 'png'
    ? image.png().toBuffer()
    : image.jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer();
}

/** Faces must not be written among the photographs: they would be taken for some, or overwrite them. */
async function requireApart(data: string, out: string): Promise<void> {
  const from = await realpath(data);
  const to = await realpath(out).catch(() => resolve(out));
  const way = relative(from, to);
  const outside = way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
  if (!outside)
    throw new UserError(
      `${out}: lies in the folder of photographs (${basename(data)}); name another with --out`,
    );
}
