// What is kept a class (class vectors, their velocities, biases), of the classes that one rank has, and the files in
// which ranks leave it: each rank writes its own rows, and reads whatever rows it has next time, whoever wrote them.
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeAllSync } from '../common/files.js';
import { readSafetensorsHeader, safetensorsHeaderLength, writeSafetensorsHeader } from '../data/index.js';

/** Rows of tensors that have one a class, of the classes from `from` to `to` - 1. */
export interface ClassRows {
  readonly from: number;
  readonly to: number;
  /** By name, [to - from, length] row-major; a bias has length 1. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** The classes of a rank when `ranks` share out `classes`: as even as they go. */
export function classesOf({ rank, ranks }: { rank: number; ranks: number }, classes: number) {
  const start = (r: number) => Math.floor((r * classes) / ranks);
  return { from: start(rank), to: start(rank + 1) };
}

/** Bytes read or written at once: system calls take less than 2 GiB. */
const PIECE = 2 ** 26;

const bytesOf = (data: Float32Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** One file of a checkpoint with some of the classes. */
export interface ClassFile {
  readonly file: string;
  readonly from: number;
  readonly to: number;
  readonly sha256: string;
}

/** Writes rows into `folder`, forced to disk; returns what the checkpoint says of the file. */
export function writeClassRows(folder: string, { from, to, tensors }: ClassRows): ClassFile {
  const file = `classes-${from}-${to}.safetensors`;
  const shapes = [...tensors].map(([name, data]): [string, { code: string; shape: number[] }] => [
    name,
    { code: 'F32', shape: [to - from, data.length / (to - from)] },
  ]);
  const hash = createHash('sha256');
  const handle = openSync(join(folder, file), 'w');
  try {
    const write = (bytes: Uint8Array) => {
      hash.update(bytes);
      writeAllSync(handle, bytes);
    };
    write(writeSafetensorsHeader(new Map(shapes)));
    for (const data of tensors.values()) {
      const bytes = bytesOf(data);
      for (let at = 0; at < bytes.length; at += PIECE) write(bytes.subarray(at, at + PIECE));
    }
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return { file, from, to, sha256: hash.digest('hex') };
}

/**
 * The rows from `from` to `to` - 1 of every tensor, from the files of a checkpoint. Throws an `Error` that says what
 * is wrong: rows that no file has, a damaged file.
 */
export function readClassRows(
  folder: string,
  files: readonly ClassFile[],
  { from, to }: { from: number; to: number },
): ClassRows {
  const tensors = new Map<string, Float32Array>();
  let rows = 0;
  for (const part of files) {
    const [first, last] = [Math.max(from, part.from), Math.min(to, part.to)];
    if (first >= last) continue;
    rows += last - first;
    const path = join(folder, part.file);
    requireHash(path, part.sha256);
    const handle = openSync(path, 'r');
    try {
      const read = (bytes: Uint8Array, at: number) => {
        for (let done = 0; done < bytes.length; ) {
          const count = readSync(handle, bytes, done, Math.min(PIECE, bytes.length - done), at + done);
          if (count === 0) throw new Error(`${part.file} is cut off`);
          done += count;
        }
      };
      const start = new Uint8Array(8);
      read(start, 0);
      const head = new Uint8Array(safetensorsHeaderLength(start, part.file));
      read(head, 0);
      const header = readSafetensorsHeader(head, statSync(path).size, part.file);
      for (const [name, place] of header.tensors) {
        const length = place.shape[1]!;
        const data = tensors.get(name) ?? new Float32Array((to - from) * length);
        tensors.set(name, data);
        const own = data.subarray((first - from) * length, (last - from) * length);
        read(bytesOf(own), place.from + (first - part.from) * length * 4);
      }
    } finally {
      closeSync(handle);
    }
  }
  if (rows !== to - from)
    throw new Error(`it has ${rows} of the ${to - from} classes from ${from} to ${to - 1}`);
  return { from, to, tensors };
}

function requireHash(path: string, expected: string): void {
  const hash = createHash('sha256');
  const handle = openSync(path, 'r');
  try {
    const piece = new Uint8Array(PIECE);
    for (let count = readSync(handle, piece); count > 0; count = readSync(handle, piece))
      hash.update(piece.subarray(0, count));
  } finally {
    closeSync(handle);
  }
  if (hash.digest('hex') !== expected) throw new Error(`${path} does not match its hash`);
}
