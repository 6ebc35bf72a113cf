// Libraries written in C, called through koffi. Its settings can be chosen only before the first library is loaded,
// so all who call such libraries come by here.
import { createRequire } from 'node:module';

type Koffi = typeof import('koffi');

/** Bytes of stack for a call; libraries are written for threads as the system makes them (8 MiB). */
const STACK = 2 ** 23;

let loaded: Koffi | undefined;

/** koffi, loaded when it is first needed, at once. Throws where it has no build for the platform. */
export function foreignNow(): Koffi {
  if (!loaded) {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    koffi.config({ sync_stack_size: STACK, async_stack_size: STACK });
    loaded = koffi;
  }
  return loaded;
}

/** The same. Rejects where koffi has no build for the platform. */
export async function foreign(): Promise<Koffi> {
  return foreignNow();
}
