// A reader by its name, in a process that runs its cases.
import type { Reader } from '../reader.js';
import { FAULTY, faulty } from './faulty.js';

export async function loadReader(name: string): Promise<Reader> {
  if (name === FAULTY) return faulty;
  const [reader] = (await import('./index.js')).readersNamed([name]);
  return reader!;
}
