// Libraries written in C, called through koffi. Its settings can be chosen only before the first library is loaded,
// so all who call such libraries come by here.

/** Bytes of stack for a call; libraries are written for threads as the system makes them (8 MiB). */
const STACK = 2 ** 23;

let loaded: Promise<typeof import('koffi')> | undefined;

/** koffi, loaded when it is first needed. Rejects where it has no build for the platform. */
export function foreign(): Promise<typeof import('koffi')> {
  loaded ??= import('koffi').then((koffi) => {
    koffi.config({ sync_stack_size: STACK, async_stack_size: STACK });
    return koffi;
  });
  return loaded;
}
