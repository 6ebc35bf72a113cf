// Names from outside cannot make a terminal do anything, nor look like another line.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, printableLines } from '../../src/common/display.js';

test('what a terminal would obey is shown as an escape', () => {
  expect(printable('a\u001b[2Jb')).toBe('a\\x1b[2Jb');
  expect(printable('one\ntwo\r\tthree\u0007')).toBe('one\\ntwo\\r\\tthree\\x07');
  expect(printable('\u009b31m')).toBe('\\x9b31m');
  expect(printable('photo\u202egpj.exe')).toBe('photo\\u202egpj.exe');
  expect(printable('\u2066a\u2069\u200f')).toBe('\\u2066a\\u2069\\u200f');
  expect(printable('half \ud800 pair')).toBe('half \\ud800 pair');
});

test('names of all scripts stay as they are', () => {
  const names = [
    'Åsa Öström',
    '山田太郎',
    'علی\u200cرضا',
    'नरेन्द्र',
    'Zoë 😀 👩\u200d🔬',
    "O'Brien",
    'a\\x1bb',
  ];
  for (const name of names) expect(printable(name)).toBe(name);
});

test('text of several lines keeps its lines', () => {
  expect(printableLines('one\n\ttwo\u001b')).toBe('one\n\ttwo\\x1b');
});

test('nothing that is shown holds a control character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(printable(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }),
  );
});
