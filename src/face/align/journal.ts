// What an alignment remembers in the folder that it writes: the settings, so that a folder never holds faces of two
// kinds; a line for every photograph that is done, so that it goes on where it was stopped; and a report.
import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../common/errors.js';
import { PRIVATE, PRIVATE_FOLDER, readText, writeWhole } from '../../common/files.js';
import { makeFolder } from '../../common/folders.js';
import { jsonText } from '../../common/json.js';
import { LOCK_NAME } from '../../common/lock.js';
import { systemError } from '../../common/system-error.js';
import { isTemporary } from '../../common/temporary.js';
import type { Detection } from '../detect/detection.js';
import type { Turn } from '../detect/turn.js';

/** Bytes of a journal: half a gigabyte is some two million photographs. */
const LARGEST_JOURNAL = 2 ** 29;

export const ALIGN_FILES = { settings: 'align.json', journal: 'faces.jsonl', report: 'report.json' } as const;

/** An aligned face: its file, relative to the folder, and where it was, in pixels of the upright original. */
export interface AlignedFace extends Detection {
  readonly file: string;
  /** 0 to 1, and what is wrong; see faceQuality. */
  readonly quality: number;
  readonly reasons: readonly string[];
}

/** A photograph that is done: its aligned faces, or why it has none. Its path is relative to the data. */
export interface JournalEntry {
  readonly path: string;
  /** By how many degrees clockwise the people in it are turned, where they are. */
  readonly turned?: Turn;
  readonly faces: readonly AlignedFace[];
  readonly skipped?: string;
  /** The file could not be read; it is tried again when the alignment goes on. */
  readonly unreadable?: true;
}

/**
 * Makes `folder` ready for faces of these settings, and returns what an earlier run has done there. Throws a
 * UserError when the folder holds something else, or faces that were made with other settings.
 */
export async function openJournal(
  folder: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<JournalEntry[]> {
  const names: string[] = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (!names.includes(ALIGN_FILES.settings)) {
    if (names.some((name) => !isTemporary(name) && !name.startsWith(LOCK_NAME)))
      throw new UserError(`${folder}: is not empty, and not a folder of align's; name another with --out`);
    await makeFolder(folder, PRIVATE_FOLDER);
    await writeWhole(join(folder, ALIGN_FILES.settings), `${JSON.stringify(settings, null, 1)}\n`, PRIVATE);
    return [];
  }
  const stored = parse<Record<string, unknown>>(
    await readText(join(folder, ALIGN_FILES.settings)),
    `${folder}/${ALIGN_FILES.settings}`,
  );
  const asText = (value: unknown): string => (value === undefined ? 'not set' : jsonText(value));
  for (const name of new Set([...Object.keys(stored), ...Object.keys(settings)])) {
    if (asText(stored[name]) === asText(settings[name])) continue;
    throw new UserError(
      `${folder}: its faces were made with ${name} ${asText(stored[name])}, not ${asText(settings[name])}; name another --out or keep the setting`,
    );
  }
  const journal = join(folder, ALIGN_FILES.journal);
  const text = await readText(journal, { limit: LARGEST_JOURNAL }).catch((error: unknown) => {
    if (error instanceof UserError && error.code === 'not-found') return '';
    throw error;
  });
  // A process that was killed may have left half a line; the next is not to be joined to it.
  const lines = text.split('\n');
  if (lines.at(-1) !== '') {
    await writeWhole(
      join(folder, ALIGN_FILES.journal),
      lines
        .slice(0, -1)
        .map((line) => `${line}\n`)
        .join(''),
      PRIVATE,
    );
  }
  return lines
    .slice(0, -1)
    .map((line, i) => parse<JournalEntry>(line, `${folder}/${ALIGN_FILES.journal}, line ${i + 1}`));
}

/** Adds a photograph that is done, whose faces are written. */
export async function addToJournal(folder: string, entry: JournalEntry): Promise<void> {
  const file = join(folder, ALIGN_FILES.journal);
  await appendFile(file, `${JSON.stringify(entry)}\n`, PRIVATE).catch((error: unknown) => {
    throw systemError(file, error);
  });
}

function parse<T>(text: string, source: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new UserError(`${source}: is damaged (not JSON); start over with another --out`);
  }
}
