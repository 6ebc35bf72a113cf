// A reader under attack: valid files to begin with, and the call that reads one.

/** Files by their path below a folder. */
export type Files = Readonly<Record<string, Uint8Array>>;

export interface Reader {
  readonly name: string;
  /** Cases for one of an ordinary reader; below 1 for readers that take long. Default 1. */
  readonly share?: number;
  /** Small files that are read without an error. */
  valid(): Promise<Files[]> | Files[];
  /** Files that are not valid and were or may be a danger; they are cases as they are, and changed. */
  hostile?(): Promise<Files[]> | Files[];
  /**
   * Files that are never changed, or that follow from the changed ones, such as a hash; default none.
   */
  complete?(files: Files): Files;
  /** Reads the files, which are in `folder` if `onDisk`. Whatever it returns is thrown away. */
  read(files: Files, folder: string): unknown;
  /** Whether the files are written into the folder before. */
  readonly onDisk: boolean;
}

const FILE = 'file';

/** A reader of one file's bytes. */
export function ofBytes(
  name: string,
  read: (bytes: Uint8Array) => unknown,
  valid: () => Promise<Uint8Array[]> | Uint8Array[],
  more: { hostile?: () => Promise<Uint8Array[]> | Uint8Array[]; share?: number } = {},
): Reader {
  const asFiles = (list: Uint8Array[]): Files[] => list.map((bytes) => ({ [FILE]: bytes }));
  const { hostile, share } = more;
  return {
    name,
    onDisk: false,
    ...(share !== undefined && { share }),
    valid: async () => asFiles(await valid()),
    ...(hostile && { hostile: async () => asFiles(await hostile()) }),
    read: (files) => read(files[FILE]!),
  };
}

/** A reader of text. */
export const ofText = (name: string, read: (text: string) => unknown, valid: readonly string[]): Reader =>
  ofBytes(
    name,
    (bytes) => read(Buffer.from(bytes).toString('utf8')),
    () => valid.map((text) => Buffer.from(text)),
  );

/** A reader of files in a folder. */
export const ofFiles = (
  name: string,
  read: (folder: string) => unknown,
  valid: () => Promise<Files[]> | Files[],
  more: Partial<Pick<Reader, 'hostile' | 'complete' | 'share'>> = {},
): Reader => ({ name, onDisk: true, valid, read: (_, folder) => read(folder), ...more });
