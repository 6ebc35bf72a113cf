// Errors are told apart by codes: by programs, by scripts through the exit code, and by readers of the documentation.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errorCode, errorCodes, isOfInput, UserError } from '../../src/common/errors.js';
import { systemError } from '../../src/common/system-error.js';

const systemErrorOf = (code: string) => Object.assign(new Error(`${code}: something`), { code });

describe('the code of an error', () => {
  test('is its own, else that of the error behind it, else that of bad input', () => {
    expect(new UserError('x').code).toBe('bad-input');
    expect(new UserError('x', { code: 'limit' }).code).toBe('limit');
    const inner = new UserError('x', { code: 'no-space' });
    expect(new UserError('y: x', { cause: inner }).code).toBe('no-space');
    expect(new UserError('y: x', { code: 'usage', cause: inner }).code).toBe('usage');
    expect(new UserError('y', { cause: systemErrorOf('ENOENT') }).code).toBe('not-found');
    expect(new UserError('y', { cause: new TypeError('a fault') }).code).toBe('bad-input');
  });

  test('of anything else is internal, or what the system says', () => {
    expect(errorCode(new TypeError('a fault'))).toBe('internal');
    expect(errorCode(undefined)).toBe('internal');
    expect(errorCode(systemErrorOf('EROFS'))).toBe('not-permitted');
  });

  test('tells what is wrong with one input from what is wrong with all', () => {
    expect(isOfInput(new UserError('x'))).toBe(true);
    expect(isOfInput(systemError('x', systemErrorOf('EMFILE')))).toBe(false);
    expect(isOfInput(new TypeError('a fault'))).toBe(false);
  });
});

test('the documentation lists every code with its exit code and meaning', () => {
  const text = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8');
  const listed = Array.from(
    text.matchAll(/^\| `([a-z-]+)` \| (\d+) \| (.+) \|$/gm),
    ([, code, exit, meaning]) => [code, { exit: Number(exit), meaning }],
  );
  expect(Object.fromEntries(listed)).toEqual(errorCodes);
});

test('a message of any length is shown by its start and its end', () => {
  const { message } = new UserError(`a.npy: ${'x'.repeat(100_000)}; make it again`);
  expect(message.length).toBeLessThan(2100);
  expect(message).toMatch(/^a\.npy: x.*x \.\.\. x.*x; make it again$/);
});
