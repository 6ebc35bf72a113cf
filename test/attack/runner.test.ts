// The fuzzer's runner notices every way to fail and goes on after it; a failure is found again by its number.
import { expect, test } from 'vitest';
import { problemOf } from '../../attack/fuzz/outcome.js';
import { FAULTY } from '../../attack/fuzz/readers/faulty.js';
import { fuzzReader } from '../../attack/fuzz/runner.js';
import { UserError } from '../../src/common/errors.js';

test('every fault of a reader is noticed, found again by its number, and the rest is run', async () => {
  const limits = { seconds: 2, memory: 2 ** 28, idle: 600 };
  const { failures, unconfirmed, ...result } = await fuzzReader(FAULTY, { seed: 1, count: 20, limits });
  expect(Object.fromEntries(failures.map(({ number, problem }) => [number, problem]))).toEqual({
    1: 'exception',
    2: 'time',
    3: 'crash',
    4: 'memory',
    5: 'message',
  });
  expect(unconfirmed).toEqual([]);
  expect(result.cases).toBe(20);
  expect(failures.find(({ number }) => number === 1)!.detail).toMatch(/^TypeError: no UserError/);
  expect(failures.find(({ number }) => number === 3)!.detail).toMatch(/SIGSEGV/);
});

test('an error is a failure unless it is one line for the user', () => {
  expect(problemOf(new UserError('a.npy: is cut off'))).toBeUndefined();
  expect(problemOf(new UserError(' '))?.problem).toBe('message');
  const long = Object.assign(new UserError('x'), { message: 'x'.repeat(5000) });
  expect(problemOf(long)?.problem).toBe('message');
  expect(problemOf(new RangeError('Invalid typed array length'))?.problem).toBe('exception');
  expect(problemOf('text')?.problem).toBe('exception');
});
