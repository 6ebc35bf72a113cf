// Models into the store: fetched by URL and checked, or copied from a file. A model counts as there once all of its
// files are, so a try that was cut leaves nothing but parts to resume.
import { existsSync } from 'node:fs';
import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { UserError } from '../../common/errors.js';
import { fetchFile } from '../../common/fetch-file.js';
import { copyWhole, readText, readWhole, writeWhole } from '../../common/files.js';
import { makeFolder } from '../../common/folders.js';
import { decodeModel } from '../../lower/index.js';
import { detectorKind } from '../detect/onnx-detector.js';
import { openEmbedder } from '../embed/open.js';
import { MANIFEST_KEY, manifestFile, parseManifestJson, sha256 } from './manifest.js';
import { type RegistryFile, type RegistryModel, registry } from './registry.js';
import { ABOUT, type About, modelsFolder, requireName, type StoredModel, storedModel } from './store.js';

export interface InstallOptions {
  /** Another address than the registry's: of the file, or of the folder of several files. */
  url?: string;
  /** SHA-256 of the file; a model of the registry has its own. */
  sha256?: string;
  /** Whether plain http to another machine is accepted without a hash. */
  allowHttp?: boolean;
  /** Bytes that a file may have, where its size is not known. Default {@link LARGEST_FETCHED}. */
  limit?: number;
  signal?: AbortSignal;
  /** Bytes that are there of all the model's files, of how many. */
  onProgress?: (done: number, total: number | undefined) => void;
}

/**
 * Fetches a model into the store: one of the registry by its name, or any by an address. One that is there is left
 * as it is. Throws a UserError when the name is unknown, or as `fetchFile` does.
 */
export async function installModel(name: string, options: InstallOptions = {}): Promise<StoredModel> {
  requireName(name);
  const present = await storedModel(name);
  if (present) return present;
  const model = registry.find((candidate) => candidate.name === name);
  const wanted = model ? registered(model, options) : addressed(name, options);
  const folder = join(modelsFolder(), name);
  const files = await fetchAll(wanted.files, folder, options).catch(async (error: unknown) => {
    // Parts stay to be resumed; a folder without any is nothing.
    await rmdir(folder).catch(() => {});
    throw error;
  });
  const { licence, source } = wanted;
  const kind = wanted.kind ?? (await kindOf(join(folder, files[0]!.name)).catch(refuse));
  return finish(name, folder, { kind, licence, source, files });

  async function refuse(error: unknown): Promise<never> {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function fetchAll(
  wanted: Wanted['files'],
  folder: string,
  { allowHttp, limit, signal, onProgress }: InstallOptions,
): Promise<About['files']> {
  const sum = wanted.reduce((total, { bytes = Number.NaN }) => total + bytes, 0);
  const total = Number.isNaN(sum) ? undefined : sum;
  const files: About['files'][number][] = [];
  let before = 0;
  for (const { name, url, bytes, sha256 } of wanted) {
    const file = join(folder, name);
    const whole =
      (await wholeAlready(file, sha256)) ??
      (await fetchFile({
        url,
        file,
        ...(sha256 !== undefined && { sha256 }),
        ...(bytes !== undefined && { bytes }),
        ...(allowHttp !== undefined && { allowHttp }),
        ...(limit !== undefined && { limit }),
        ...(signal && { signal }),
        onProgress: (done, size) => onProgress?.(before + done, total ?? size),
      }));
    before += whole.bytes;
    files.push({ name, ...whole });
  }
  return files;
}

/** A file of a try that was cut later, if its hash is right. */
async function wholeAlready(file: string, sha256: string | undefined) {
  if (sha256 === undefined || !existsSync(file)) return undefined;
  const found = { bytes: (await stat(file)).size, sha256: await hashOf(file) };
  return found.sha256 === sha256 ? found : undefined;
}

interface Wanted extends Pick<About, 'licence' | 'source'> {
  readonly kind?: string;
  readonly files: readonly (Pick<RegistryFile, 'name' | 'url'> & Partial<RegistryFile>)[];
}

function registered(model: RegistryModel, { url, sha256 }: InstallOptions): Wanted {
  if (sha256 !== undefined && model.files.length > 1)
    throw new UserError(
      `'${model.name}' has ${model.files.length} files, whose SHA-256 are known; leave out --sha256`,
      { code: 'usage' },
    );
  if (url === undefined && sha256 === undefined) return model;
  const files = model.files.map((file) => ({
    ...file,
    ...(url !== undefined && {
      url: model.files.length > 1 ? `${url.replace(/\/$/, '')}/${file.name}` : url,
    }),
    // Another hash means another file, of another size.
    ...(sha256 !== undefined && { sha256, bytes: undefined }),
  }));
  return { ...model, source: url ?? model.source, files };
}

function addressed(name: string, { url, sha256 }: InstallOptions): Wanted {
  if (url === undefined) {
    const names = registry.map((model) => model.name).join(', ');
    throw new UserError(`no model '${name}' is known (known: ${names}); give its address with --url`, {
      code: 'not-found',
    });
  }
  const last = URL.canParse(url) ? basename(new URL(url).pathname) : '';
  const file = /^[\w.-]+\.onnx$/i.test(last) ? last : `${name}.onnx`;
  return { licence: 'not stated', source: url, files: [{ name: file, url, ...(sha256 && { sha256 }) }] };
}

/** Endings of the files that a folder of weights is made of. */
const WEIGHTS = ['.npy', '.caffemodel'];

/**
 * Copies a model into the store: an ONNX file with its manifest (the file `manifest`, else a JSON file of its name
 * beside it), or a folder of weights as MTCNN's. Throws a UserError when the name is taken, the file is no model, or
 * the manifest is none or another file's.
 */
export async function addModel(
  path: string,
  { name = basename(path, extname(path)), manifest }: { name?: string; manifest?: string } = {},
): Promise<StoredModel> {
  requireName(name);
  if (await storedModel(name))
    throw new UserError(`a model '${name}' is installed already; give another --name, or remove it first`);
  if (registry.some((model) => model.name === name))
    throw new UserError(`'${name}' is the name of a model that can be installed; give another --name`);
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new UserError(`${path}: no such file`, { code: 'not-found' });
  const copies = found.isDirectory() ? await weightsIn(path) : [path];
  if (found.isDirectory() && manifest !== undefined)
    throw new UserError('--manifest is for a single file; a folder of weights has none');
  const kind = found.isDirectory() ? 'detector' : await kindOf(path);
  const text = found.isDirectory() ? undefined : await manifestText(path, manifest);
  const folder = join(modelsFolder(), name);
  await rm(folder, { recursive: true, force: true });
  await makeFolder(folder);
  const files: About['files'][number][] = [];
  for (const from of copies) {
    const to = join(folder, basename(from));
    await copyWhole(from, to);
    files.push({ name: basename(from), bytes: (await stat(to)).size, sha256: await hashOf(to) });
  }
  if (text !== undefined) await writeWhole(join(folder, manifestFile(basename(path))), text);
  const about: About = {
    kind: text !== undefined ? 'recogniser' : kind,
    licence: licenceIn(text),
    source: path,
    files,
  };
  return finish(name, folder, about);
}

async function weightsIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder))
    .filter((name) => WEIGHTS.includes(extname(name).toLowerCase()))
    .sort();
  if (names.length < 2)
    throw new UserError(
      `${folder}: holds no weights (files that end in ${WEIGHTS.join(' or ')}); name an ONNX file`,
    );
  return names.map((name) => join(folder, name));
}

/** What an ONNX file is for, as far as it tells. Throws a UserError when it is none. */
async function kindOf(file: string): Promise<string> {
  if (extname(file).toLowerCase() !== '.onnx')
    throw new UserError(`${file}: a model is an ONNX file, whose name ends in .onnx`);
  const bytes = await readWhole(file);
  let model: ReturnType<typeof decodeModel>;
  try {
    model = decodeModel(bytes);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${file}: ${error.message}`) : error;
  }
  if (model.metadata?.[MANIFEST_KEY] !== undefined) return 'recogniser';
  return detectorKind(model.graph) ? 'detector' : 'not stated';
}

/** The manifest that is given, or that lies beside the model; it is checked against the model. */
async function manifestText(model: string, given: string | undefined): Promise<string | undefined> {
  const file = given ?? manifestFile(model);
  if (given === undefined && !existsSync(file)) return undefined;
  const text = await readText(file);
  const { format } = parseManifestJson(text, file);
  if (given !== undefined && decodeModel(await readWhole(model)).metadata?.[MANIFEST_KEY] !== undefined)
    throw new UserError(`${model}: carries a manifest, which comes first; leave out --manifest`);
  if (given === undefined && !String(format).startsWith('hypersphere-model/')) return undefined;
  const embedder = await openEmbedder(resolve(model), { threads: 1, manifest: file });
  await embedder.close();
  return text;
}

function licenceIn(manifest: string | undefined): string {
  const licence = manifest === undefined ? undefined : parseManifestJson(manifest, 'manifest').licence;
  return typeof licence === 'string' ? licence : 'not stated';
}

/** Notes what the model is, which makes it one. */
async function finish(name: string, folder: string, about: About): Promise<StoredModel> {
  await writeWhole(join(folder, ABOUT), `${JSON.stringify(about, null, 2)}\n`);
  return (await storedModel(name))!;
}

const hashOf = async (file: string) => sha256(await readWhole(file));
