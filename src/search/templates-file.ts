// Unit templates in a file that is read in blocks, so that a gallery need not fit into memory. It is a safetensors
// file with a tensor 'templates' [N, D] (F32, F16 or I8) and for I8 a tensor 'scales' [N], so anything that reads
// safetensors opens it. Reads are positioned reads through the page cache, the system's memory for files: a file
// that was read a moment ago costs no disk, and one that was cut off since is a sentence, not the end of the process.
import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { UserError } from '../common/errors.js';
import { openSafetensors, type SafetensorsHeader, type TensorPlace } from '../data/index.js';
import { unpackRows } from './pack.js';
import type { StoredRows, TemplateSource, TemplateType } from './source.js';

/** What the metadata of such a file call its format. */
export const TEMPLATES_FORMAT = 'hypersphere-templates/1';

/** How each type is called in the file, and the array that holds it. */
export const storedTypes = {
  float32: { code: 'F32', array: Float32Array },
  float16: { code: 'F16', array: Uint16Array },
  int8: { code: 'I8', array: Int8Array },
} as const satisfies Record<TemplateType, unknown>;

/** Bytes up to which a read is made at once: waiting for another thread takes longer than the read. */
const SMALL_READ = 2 ** 16;

/** Templates in a file. */
export interface TemplatesFile extends TemplateSource {
  readonly file: string;
  readonly type: TemplateType;
  close(): Promise<void>;
}

/**
 * Opens a file that `writeTemplates` made. Memory: the header. Throws a UserError that begins with the file's name
 * when it is missing, damaged, cut off or of another kind; so do reads of one that was cut off since.
 */
export async function openTemplates(file: string): Promise<TemplatesFile> {
  const { handle, header } = await openSafetensors(file);
  try {
    return new StoredTemplates(file, handle, layoutOf(header, file));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Where things lie in a file of templates. */
interface Layout {
  type: TemplateType;
  count: number;
  length: number;
  templates: TensorPlace;
  scales?: TensorPlace;
}

function layoutOf({ tensors, metadata }: SafetensorsHeader, file: string): Layout {
  const templates = tensors.get('templates');
  const scales = tensors.get('scales');
  const make = 'make it with: hypersphere search --build';
  if (!templates) throw new UserError(`${file}: it has no tensor 'templates'; ${make}`);
  if (metadata.format !== TEMPLATES_FORMAT)
    throw new UserError(
      `${file}: its metadata do not say format '${TEMPLATES_FORMAT}', which promises unit rows; ${make}`,
    );
  const { code, shape } = templates;
  const type = (Object.keys(storedTypes) as TemplateType[]).find((name) => storedTypes[name].code === code);
  const [count = 0, length = 0] = shape;
  if (!type || shape.length !== 2 || length === 0)
    throw new UserError(
      `${file}: its tensor 'templates' is ${code} [${shape}]; needed is F32, F16 or I8 [N, D]`,
    );
  if (type !== 'int8') return { type, count, length, templates };
  if (scales?.code !== 'F32' || String(scales.shape) !== String([count]))
    throw new UserError(
      `${file}: its tensor 'scales' is ${scales ? `${scales.code} [${scales.shape}]` : 'missing'}; needed is F32 [${count}]`,
    );
  return { type, count, length, templates, scales };
}

class StoredTemplates implements TemplatesFile {
  readonly type: TemplateType;
  readonly count: number;
  readonly length: number;
  readonly packed?: NonNullable<TemplateSource['packed']>;

  constructor(
    readonly file: string,
    private readonly handle: FileHandle,
    private readonly layout: Layout,
  ) {
    const { type, count, length } = layout;
    this.type = type;
    this.count = count;
    this.length = length;
    if (type !== 'float32') this.packed = { type, read: (first, n, into) => this.readStored(first, n, into) };
  }

  async read(first: number, count: number, into: Float32Array): Promise<void> {
    const { type, length } = this;
    if (type === 'float32') return this.readStored(first, count, { values: into });
    const stored: StoredRows = {
      values: new storedTypes[type].array(count * length),
      ...(type === 'int8' && { scales: new Float32Array(count) }),
    };
    await this.readStored(first, count, stored);
    unpackRows(stored, count, length, into);
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  private async readStored(first: number, count: number, { values, scales }: StoredRows): Promise<void> {
    const { templates, scales: place } = this.layout;
    const row = this.length * values.BYTES_PER_ELEMENT;
    await this.fill(values, templates.from + first * row, count * row);
    if (place && scales) await this.fill(scales, place.from + first * 4, count * 4);
  }

  /** Reads `size` bytes from `position` on to the start of `into`. */
  private async fill(into: ArrayBufferView, position: number, size: number): Promise<void> {
    const bytes = new Uint8Array(into.buffer, into.byteOffset, size);
    for (let done = 0; done < size; ) {
      const read =
        size <= SMALL_READ
          ? readSync(this.handle.fd, bytes, done, size - done, position + done)
          : (await this.handle.read(bytes, done, size - done, position + done)).bytesRead;
      if (read === 0)
        throw new UserError(
          `${this.file}: cut off while it was read; nothing may write to it during a search`,
        );
      done += read;
    }
  }
}
