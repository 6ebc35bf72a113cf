// A safetensors file of any size, of which only parts are read.
import type { FileHandle } from 'node:fs/promises';
import { openToRead, unreadableFile } from '../common/files.js';
import {
  readSafetensorsHeader,
  type SafetensorsHeader,
  safetensorsHeaderLength,
} from './safetensors-header.js';

/** An open file and its header. The caller closes the handle. */
export interface OpenSafetensors {
  handle: FileHandle;
  header: SafetensorsHeader;
}

/** Opens a file and reads its header. Throws a UserError that begins with its name when it is missing or damaged. */
export async function openSafetensors(file: string): Promise<OpenSafetensors> {
  const { handle, size } = await openToRead(file);
  try {
    const start = await readAt(handle, 0, Math.min(8, size));
    const header = await readAt(handle, 0, Math.min(safetensorsHeaderLength(start, file), size));
    return { handle, header: readSafetensorsHeader(header, size, file) };
  } catch (error) {
    await handle.close();
    throw unreadableFile(file, error);
  }
}

/** The bytes of one tensor; undefined when the file has none of that name. Throws a UserError as `openSafetensors`. */
export async function readSafetensorsTensor(file: string, name: string): Promise<Uint8Array | undefined> {
  const { handle, header } = await openSafetensors(file);
  try {
    const place = header.tensors.get(name);
    return place && (await readAt(handle, place.from, place.to - place.from));
  } catch (error) {
    throw unreadableFile(file, error);
  } finally {
    await handle.close();
  }
}

/** `size` bytes from `position` on, or as many as there are. */
async function readAt(handle: FileHandle, position: number, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let done = 0;
  while (done < size) {
    const { bytesRead } = await handle.read(bytes, done, size - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
