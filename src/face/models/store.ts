// The models on this machine that were fetched or added, each a folder of its own below the cache folder, and how a
// name becomes a path. Nothing here reaches for the network.
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { z } from 'zod';
import { cacheFolder } from '../../common/cache.js';
import { UserError } from '../../common/errors.js';
import { readText } from '../../common/files.js';
import { builtIn, registry } from './registry.js';

/** In a model's folder, written last: without it the folder is a try that was cut. */
export const ABOUT = '.about.json';

const aboutSchema = z.object({
  kind: z.string(),
  licence: z.string(),
  source: z.string(),
  files: z.array(z.object({ name: z.string().min(1), bytes: z.number(), sha256: z.string() })).nonempty(),
});

/** What is noted of a model when it is put into the store. */
export type About = z.infer<typeof aboutSchema>;

/** A model in the store. */
export interface StoredModel extends About {
  readonly name: string;
  /** Its file, or the folder of its files where it has several. */
  readonly path: string;
}

/** The folder of all stored models; it may not exist yet. */
export const modelsFolder = (): string => join(cacheFolder(), 'models');

/** Refuses a name that would not be a folder of its own, or that is another model's. */
export function requireName(name: string): void {
  if (!/^[a-z0-9][a-z0-9._-]*$/i.test(name))
    throw new UserError(
      `'${name}' cannot be a model's name; use letters, digits, '.', '_' and '-', as in --name my-model`,
    );
  if (builtIn.some((model) => model.name === name))
    throw new UserError(`'${name}' is built in; give another name`);
}

/** The models in the store, by name. */
export async function storedModels(): Promise<StoredModel[]> {
  const names = await readdir(modelsFolder()).catch((): string[] => []);
  const found = await Promise.all(names.sort().map(storedModel));
  return found.filter((model) => model !== undefined);
}

/** The model of this name in the store. Throws a UserError when what is noted of it cannot be read. */
export async function storedModel(name: string): Promise<StoredModel | undefined> {
  const folder = join(modelsFolder(), name);
  const text = await readText(join(folder, ABOUT)).catch(() => undefined);
  if (text === undefined) return undefined;
  let about: About;
  try {
    about = aboutSchema.parse(JSON.parse(text));
  } catch {
    throw new UserError(
      `${join(folder, ABOUT)} is damaged; 'hypersphere models remove ${name}' and install it again`,
    );
  }
  const [first, ...more] = about.files;
  return { name, path: more.length > 0 ? folder : join(folder, first!.name), ...about };
}

/**
 * What a user means by a model: the name of one that is built in stays as it is, the name of a stored one becomes
 * the path of its file (the folder of its files where it has several), and a path stays a path. Names come before
 * files of the same name. Throws a UserError that lists the names when it is none of these.
 */
export async function modelFile(nameOrPath: string): Promise<string> {
  if (builtIn.some(({ name }) => name === nameOrPath)) return nameOrPath;
  const asName = /^[a-z0-9][a-z0-9._-]*$/i.test(nameOrPath);
  const stored = asName ? await storedModel(nameOrPath) : undefined;
  if (stored) return stored.path;
  if (existsSync(nameOrPath)) return nameOrPath;
  if (registry.some(({ name }) => name === nameOrPath))
    throw new UserError(
      `'${nameOrPath}' is not installed; 'hypersphere models install ${nameOrPath}' fetches it`,
    );
  if (!asName || extname(nameOrPath) !== '')
    throw new UserError(`${nameOrPath}: no such file`, { code: 'not-found' });
  throw new UserError(`'${nameOrPath}' is neither a file nor a model: ${await knownNames()}`, {
    code: 'not-found',
  });
}

/** Removes a stored model, or what came of one before it was cut. Returns its folder. */
export async function removeModel(name: string): Promise<string> {
  if (builtIn.some((model) => model.name === name))
    throw new UserError(`'${name}' is built in and cannot be removed`);
  requireName(name);
  const folder = join(modelsFolder(), name);
  if (!existsSync(folder)) throw new UserError(`no model '${name}' is installed: ${await knownNames()}`);
  await rm(folder, { recursive: true });
  return folder;
}

/** All names, in words. */
async function knownNames(): Promise<string> {
  const listed = (models: readonly { name: string }[]) => models.map(({ name }) => name).join(', ');
  const folders = await storedModels();
  const rest = registry.filter(({ name }) => folders.every((model) => model.name !== name));
  return [
    `${listed(builtIn)} are built in`,
    ...(folders.length > 0 ? [`${listed(folders)} installed`] : []),
    ...(rest.length > 0 ? [`'hypersphere models install' fetches ${listed(rest)}`] : []),
  ].join('; ');
}
