// When two folders name the same person: 'George_W_Bush' and 'George W. Bush' do, 'm.0123ab' (MS1M), 'n000001'
// (VGGFace2), '7398' (CelebA) and 'subject 12' are numbers that a data set gave, and say nothing of another one.

/** Letters that Unicode does not take apart into a plain one and a mark. */
const PLAIN: Record<string, string> = {
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', ł: 'l', ı: 'i', þ: 'th' },
};

/** Words that stand before a number and name nobody. */
const COUNTED = new Set([
  ...[
    'person',
    'people',
    'subject',
    'subj',
    'identity',
    'ident',
    'id',
    'class',
    'label',
    'face',
    'user',
    'actor',
  ],
  ...['speaker', 'cluster', 'folder', 'img', 'image', 'unknown', 'celeb', 'celebrity', 'player', 'nobody'],
]);

/**
 * What the spellings of one name have in common: its letters and digits, lower case, without marks, separators and
 * the order of 'Family, Given'. Undefined for what is no name: without a word of letters, or only with words that
 * are counted.
 */
export function nameKey(folder: string): string | undefined {
  const [family, given, ...more] = folder.split(',');
  const ordered = given !== undefined && more.length === 0 ? `${given} ${family}` : folder;
  const plain = ordered
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[ßæœøđðłıþ]/g, (letter) => PLAIN[letter]!);
  const words = plain.match(/[\p{L}\p{N}]+/gu) ?? [];
  const named = words.some((word) => /^\p{L}{2,}$/u.test(word) && !COUNTED.has(word));
  return named ? words.join('') : undefined;
}
