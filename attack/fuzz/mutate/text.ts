// Changes of lists and other text by the line, the field and the number.
import { LARGEST, latin, type Mutator, pick, type Structure, splice, unlatin } from './mutator.js';

/** Numbers as text that a reader may take for something else. */
export const NUMBERS = [
  ...['0', '-1', '1', '00', '1e9', '1e309', '-1e-400', '0x10', '1_000', '١', 'NaN', 'Infinity', '-0', '.'],
  ...['2147483648', '4294967295', '4294967296', '9007199254740993', '18446744073709551616', '9'.repeat(400)],
];

/** Words that end a line, a column, a path or a terminal's patience. */
export const WORDS = [
  ...['', ' ', '\t', ',', '#', '"', "'", '\\', '/', '..', '../../etc/passwd', '\u0000', '\r', '\u2028'],
  ...['\u001b[2J', '\u202e', '\ufeff', '__proto__', 'constructor', 'toString', 'null', 'true', '\u{1f600}'],
  'x'.repeat(5000),
];

/** The bytes of a text, a letter each. */
export const utf8 = (text: string): string => latin(Buffer.from(text, 'utf8'));

/** A change of the text's lines, the line ends of which stay as they are. */
const byLines =
  (change: (lines: string[], random: Parameters<Mutator>[1]) => void): Mutator =>
  (bytes, random) => {
    const lines = latin(bytes).split('\n');
    change(lines, random);
    return unlatin(lines.join('\n'));
  };

const dropLine = byLines((lines, random) => void lines.splice(random.integer(lines.length), 1));
const swapLines = byLines((lines, random) => {
  const [a, b] = [random.integer(lines.length), random.integer(lines.length)];
  [lines[a], lines[b]] = [lines[b]!, lines[a]!];
});
const repeatLine = byLines((lines, random) => {
  const at = random.integer(lines.length);
  const times = Math.min(pick([1, 2, 1000], random), Math.floor(LARGEST / (lines[at]!.length + 1)));
  lines.splice(at, 0, ...Array.from({ length: times }, () => lines[at]!));
});
const oddLine = byLines((lines, random) => {
  const word = () => utf8(pick(random.uniform() < 0.5 ? WORDS : NUMBERS, random));
  const line = Array.from({ length: 1 + random.integer(4) }, word).join(pick(['\t', ',', ' '], random));
  lines.splice(random.integer(lines.length + 1), 0, line);
});

/** What stands between separators, replaced, doubled or left out. */
const changeField = byLines((lines, random) => {
  const at = random.integer(lines.length);
  const fields = lines[at]!.split(/([\t ,:=]+)/);
  const field = 2 * random.integer((fields.length + 1) / 2);
  const word = utf8(pick(random.uniform() < 0.5 ? WORDS : NUMBERS, random));
  if (random.uniform() < 0.7) fields[field] = word;
  else fields.splice(field, random.uniform() < 0.5 ? 2 : 0, word, ' ');
  lines[at] = fields.join('');
});

const changeNumber: Mutator = (bytes, random) => {
  const found = [...latin(bytes).matchAll(/-?\d+(\.\d+)?/g)];
  if (found.length === 0) return bytes.slice();
  const { 0: number, index } = pick(found, random);
  const near = String(Number(number) + random.integer(5) - 2);
  const text = random.uniform() < 0.6 ? pick(NUMBERS, random) : near;
  return splice(bytes, index!, number.length, unlatin(utf8(text)));
};

const lineEnds: Mutator = (bytes, random) =>
  unlatin(latin(bytes).replaceAll('\n', pick(['\r\n', '\r', '\n\n', '\u0000\n'], random)));
const byteOrderMark: Mutator = (bytes) => Buffer.concat([Buffer.from('\ufeff'), bytes]);
const wide: Mutator = (bytes) => Buffer.from(`\ufeff${latin(bytes)}`, 'utf16le');

/** Text files, by their first bytes. */
export const text: Structure = {
  fits: (bytes) =>
    bytes.length > 0 &&
    bytes.subarray(0, 200).every((byte) => byte === 9 || byte === 10 || byte === 13 || byte >= 32),
  mutators: [
    ...[dropLine, swapLines, repeatLine, oddLine, changeField, changeField, changeField],
    ...[changeNumber, changeNumber, lineEnds, byteOrderMark, wide],
  ],
};
