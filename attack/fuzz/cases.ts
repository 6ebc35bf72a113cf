// A case is (reader, seed, number): the same three give the same files on every machine.
import { random } from '../../src/common/random.js';
import { mutate, plain } from './mutate/index.js';
import { pick } from './mutate/mutator.js';
import type { Files, Reader } from './reader.js';

/** The files that a reader's cases come from. */
export interface Corpus {
  reader: Reader;
  /** Valid files first. */
  files: readonly Files[];
  valid: number;
  /** All of them in one list, to take parts from. */
  pool: readonly Uint8Array[];
}

export async function corpusOf(reader: Reader): Promise<Corpus> {
  const valid = await reader.valid();
  const files = [...valid, ...((await reader.hostile?.()) ?? [])].map((one) =>
    Object.fromEntries(Object.entries(one).map(([name, bytes]) => [name, plain(bytes)])),
  );
  return { reader, files, valid: valid.length, pool: files.flatMap((one) => Object.values(one)) };
}

/** The files of a case. The first cases are the corpus as it is. */
export function caseOf({ reader, files, pool }: Corpus, seed: number, number: number): Files {
  const complete = (one: Files) => ({ ...one, ...reader.complete?.(one) });
  if (number < files.length) return complete(files[number]!);
  const stream = random(seed, reader.name, number);
  const before = pick(files, stream);
  const names = Object.keys(before);
  const changed: Record<string, Uint8Array> = { ...before };
  // A file more or less is a change as well.
  if (names.length > 1 && stream.uniform() < 0.05) delete changed[pick(names, stream)];
  const times = stream.uniform() < 0.8 ? 1 : 2;
  for (let i = 0; i < times; i++) {
    const name = pick(names, stream);
    if (changed[name]) changed[name] = mutate(changed[name], stream, pool);
  }
  return complete(changed);
}
