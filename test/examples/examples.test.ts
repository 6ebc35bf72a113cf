// The examples run as a reader would run them, and print what they promise.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const run = (example: string) =>
  execFileSync('npx', ['--no-install', 'tsx', `examples/${example}`], { encoding: 'utf8' });

test('least squares finds the weights that made its data', () => {
  expect(run('least-squares.ts')).toContain('w = 1.000, -2.000, 3.000');
});

test('of the nine faces in three photographs, the pair that shows one woman is found', () => {
  const lines = run('same-person.ts').trim().split('\n');
  expect(lines[0]).toMatch(/^9 faces/);
  expect(lines[1]).toMatch(/^face 3 of .*sample1.jpg and face 3 of .*sample3.jpg: 0.9/);
});
