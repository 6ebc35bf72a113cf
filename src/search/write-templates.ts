// Writing a file of templates row by row, whatever its size: the header comes first, so the number of rows is said
// beforehand, and the file appears whole or not at all.
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../common/errors.js';
import { writeSafetensorsHeader } from '../data/index.js';
import { packRows } from './pack.js';
import { countRows, type TemplateType, toUnit } from './source.js';
import { storedTypes, TEMPLATES_FORMAT } from './templates-file.js';

/** Rows packed at a time, in numbers: 4 MiB as float32. */
const PIECE = 2 ** 20;

/**
 * Writes `count` templates of `length` numbers to `file`. `pieces` gives them in order, whole rows [n, length] at a
 * time; each row is scaled to unit length. Memory: what `pieces` holds, and 12 MiB. Throws UserError when a row has
 * no direction or when there are fewer or more rows than `count`; the file is then not there.
 */
export async function writeTemplates(
  file: string,
  { count, length, type }: { count: number; length: number; type: TemplateType },
  pieces: Iterable<Float32Array> | AsyncIterable<Float32Array>,
): Promise<void> {
  const { code, array } = storedTypes[type];
  const header = writeSafetensorsHeader(
    new Map([
      ['templates', { code, shape: [count, length] }],
      ...(type === 'int8' ? [['scales', { code: 'F32', shape: [count] }] as const] : []),
    ]),
    { format: TEMPLATES_FORMAT },
  );
  const row = length * array.BYTES_PER_ELEMENT;
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(`${file}.tmp`, 'w');
  const put = async (values: ArrayBufferView, position: number) => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let done = 0; done < bytes.length; )
      done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  };
  const step = Math.max(1, Math.floor(PIECE / length)) * length;
  let done = 0;
  try {
    await put(header, 0);
    for await (const piece of pieces) {
      done += countRows(piece, length, 'templates');
      if (done > count) break;
      let first = done - piece.length / length;
      for (let start = 0; start < piece.length; start += step) {
        const rows = toUnit(piece.slice(start, start + step), length, 'template', first);
        const { values, scales } = packRows(rows, length, type);
        await put(values, header.length + first * row);
        if (scales) await put(scales, header.length + count * row + first * 4);
        first += rows.length / length;
      }
    }
    if (done !== count)
      throw new UserError(
        `${file}: ${count} templates were announced and ${done > count ? 'more' : `only ${done}`} came`,
      );
    await handle.close();
    await rename(`${file}.tmp`, file);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(`${file}.tmp`, { force: true });
    throw error;
  }
}
