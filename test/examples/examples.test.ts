// The examples run as a reader would run them, and print what they promise.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const run = (example: string) =>
  execFileSync('npx', ['--no-install', 'tsx', `examples/${example}`], { encoding: 'utf8' });

test('least squares finds the weights that made its data', () => {
  expect(run('least-squares.ts')).toContain('w = 1.000, -2.000, 3.000');
});
