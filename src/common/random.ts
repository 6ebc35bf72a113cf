// Seeded random numbers as streams: a stream is named by a seed and any number of words ('shuffle', epoch),
// and always gives the same numbers. Nothing has to be saved to resume a run, because every stream can be
// made again from its name. The generator is sfc32 (Chris Doty-Humphrey's Small Fast Counter, 128-bit state).

/** A stream of random numbers. */
export interface Random {
  /** Uniform in [0, 1), 32 bits of randomness. */
  uniform(): number;
  /** Standard normal (Box and Muller). */
  normal(): number;
  /** Uniform integer in [0, n). */
  integer(n: number): number;
  /** Fisher-Yates shuffle in place; returns its argument. */
  shuffle<T extends { length: number; [index: number]: unknown }>(array: T): T;
}

/** FNV-1a over UTF-16 code units: spreads a stream's name over 32 bits. */
function hash(text: string, start: number): number {
  let h = start >>> 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** The stream that `seed` and `stream` name: equal names give equal numbers on every machine. */
export function random(seed: number, ...stream: (string | number)[]): Random {
  const name = [seed, ...stream].join('\u0000');
  let a = hash(name, 0x811c9dc5);
  let b = hash(name, 0x9e3779b9);
  let c = hash(name, 0x85ebca6b);
  let counter = 1;
  const next = (): number => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 16; i++) next();
  let spare: number | undefined;
  const uniform = () => next() / 2 ** 32;
  const integer = (n: number) => Math.floor(uniform() * n);
  return {
    uniform,
    integer,
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    shuffle(array) {
      for (let i = array.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        const held = array[i];
        array[i] = array[j];
        array[j] = held;
      }
      return array;
    },
  };
}
