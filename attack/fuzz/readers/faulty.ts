// A reader with every fault that the runner must notice, each at a case of its own: for the runner's test.
import process from 'node:process';
import { UserError } from '../../../src/common/errors.js';
import type { Reader } from '../reader.js';

/** Its name; it is none of the project's readers, and no run over all of them has it. */
export const FAULTY = 'faulty';

/** What case n does, from 0 on. */
const behaviours: readonly (() => unknown)[] = [
  () => 'a value',
  () => {
    throw new TypeError('no UserError');
  },
  () => {
    for (;;);
  },
  () => process.kill(process.pid, 'SIGSEGV'),
  () => Buffer.alloc(2 ** 29, 1).length,
  () => {
    throw new UserError('');
  },
];

export const faulty: Reader = {
  name: FAULTY,
  onDisk: false,
  valid: () => [],
  // The first cases are these files as they are.
  hostile: () => [...behaviours.keys()].map((i) => ({ file: Uint8Array.of(i) })),
  read({ file }) {
    const act = file?.length === 1 ? behaviours[file[0]!] : undefined;
    if (act) return act();
    throw new UserError('faulty: is refused');
  },
};
