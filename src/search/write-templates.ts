// Writing a file of templates row by row, whatever its size: the header comes first, so the number of rows is said
// beforehand, and the file appears whole or not at all.
import { UserError } from '../common/errors.js';
import { PRIVATE, replaceFile, writeAll } from '../common/files.js';
import { writeSafetensorsHeader } from '../data/index.js';
import { packRows } from './pack.js';
import { countRows, type TemplateType, toUnit } from './source.js';
import { storedTypes, TEMPLATES_FORMAT } from './templates-file.js';

/** Rows packed at a time, in numbers: 4 MiB as float32. */
const PIECE = 2 ** 20;

export interface TemplatesToWrite {
  count: number;
  /** Numbers of one template. */
  length: number;
  type: TemplateType;
  /** Who is in each row: UTF-8 JSON, kept as the tensor 'list'. */
  list?: Uint8Array;
}

/**
 * Writes `count` templates of `length` numbers to `file`, for its owner alone to read. `pieces` gives them in order,
 * whole rows [n, length] at a time; each row is scaled to unit length. Memory: what `pieces` holds, and 12 MiB. Throws
 * UserError when a row has no direction or when there are fewer or more rows than `count`; an older file then stays.
 */
export async function writeTemplates(
  file: string,
  { count, length, type, list }: TemplatesToWrite,
  pieces: Iterable<Float32Array> | AsyncIterable<Float32Array>,
): Promise<void> {
  const { code, array } = storedTypes[type];
  const header = writeSafetensorsHeader(
    new Map([
      ['templates', { code, shape: [count, length] }],
      ...(type === 'int8' ? [['scales', { code: 'F32', shape: [count] }] as const] : []),
      ...(list ? [['list', { code: 'U8', shape: [list.length] }] as const] : []),
    ]),
    { format: TEMPLATES_FORMAT },
  );
  const row = length * array.BYTES_PER_ELEMENT;
  const scalesAt = header.length + count * row;
  const listAt = scalesAt + (type === 'int8' ? 4 * count : 0);
  const step = Math.max(1, Math.floor(PIECE / length)) * length;
  await replaceFile(
    file,
    async (handle) => {
      const put = (values: ArrayBufferView, position: number) =>
        writeAll(handle, new Uint8Array(values.buffer, values.byteOffset, values.byteLength), position);
      let done = 0;
      await put(header, 0);
      for await (const piece of pieces) {
        done += countRows(piece, length, 'templates');
        if (done > count) break;
        let first = done - piece.length / length;
        for (let start = 0; start < piece.length; start += step) {
          const rows = toUnit(piece.slice(start, start + step), length, 'template', first);
          const { values, scales } = packRows(rows, length, type);
          await put(values, header.length + first * row);
          if (scales) await put(scales, scalesAt + first * 4);
          first += rows.length / length;
        }
      }
      if (done !== count)
        throw new UserError(
          `${file}: ${count} templates were announced and ${done > count ? 'more' : `only ${done}`} came`,
        );
      if (list) await put(list, listAt);
    },
    PRIVATE,
  );
}
