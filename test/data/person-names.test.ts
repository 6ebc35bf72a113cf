// Spellings of one name, and labels that are no names.
import { describe, expect, test } from 'vitest';
import { nameKey } from '../../src/data/person-names.js';

describe('a name', () => {
  const spellings: [string, string][] = [
    ['George_W_Bush', 'George W. Bush'],
    ['george-w-bush', 'GEORGE.W.BUSH'],
    ['Gerhard_Schroder', 'Gerhard Schröder'],
    ['Jelena_Đokić', 'jelena dokic'],
    ['Lech_Wałęsa', 'Lech_Walesa'],
    ['Bush, George W', 'George_W_Bush'],
    ['J.K._Rowling', 'JK Rowling'],
    // The same letters, composed and taken apart.
    ['Ren\u00e9e', 'Rene\u0301e'],
    ['Madonna', 'madonna'],
    ['李小龙', '李 小龙'],
  ];
  test.each(spellings)('%s is %s', (a, b) => {
    expect(nameKey(a)).toBeDefined();
    expect(nameKey(a)).toBe(nameKey(b));
  });

  test('is not another one', () => {
    const names = ['George_W_Bush', 'George_HW_Bush', 'Laura_Bush', 'George_Bush', 'George_Bush_2'];
    expect(new Set(names.map(nameKey)).size).toBe(names.length);
  });

  const numbers = [
    '7398',
    '0001_2',
    'm.0123ab',
    'm.03_x7',
    'n000001',
    'id10001',
    's1',
    'subject 12',
    'Person_3',
  ];
  test.each([...numbers, 'subject07', 'class-4', 'x', '', '_', 'face 12 b', 'unknown'])(
    'is not what a data set counts by: %s',
    (label) => expect(nameKey(label)).toBeUndefined(),
  );
});
