// hypersphere losses, and how a loss is named and set by flags.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { assignment, lossOptionsOf } from '../../src/cli/loss-flags.js';
import { losses } from '../../src/losses/index.js';
import { temporaryFolder } from '../train/faces.js';
import { hypersphere } from './hypersphere.js';

it('lists every loss with formula, options and defaults', async () => {
  const { code, stdout } = await hypersphere('losses', '--json');
  expect(code).toBe(0);
  const listed = JSON.parse(stdout).losses as {
    name: string;
    formula: string;
    options: { name: string }[];
  }[];
  expect(listed.map(({ name }) => name)).toEqual(Object.keys(losses));
  for (const { name, formula, options } of listed) {
    expect(formula.length, name).toBeGreaterThan(5);
    expect(options.map((option) => option.name)).toEqual(Object.keys(losses[name]!.options));
  }
});

it('shows one loss, or the parts of a joint one', async () => {
  const { stdout } = await hypersphere('losses', 'arcface');
  expect(stdout).toMatch(/cos\(theta_y \+ m\)/);
  expect(stdout).toMatch(/margin +0\.5; a number from 0 to/);
  expect((await hypersphere('losses', 'softmax+center')).stdout).toMatch(/center 0\.003/);
  const unknown = await hypersphere('losses', 'arcfase');
  expect(unknown.code).toBe(3);
  expect(unknown.stderr).toMatch(/no loss is called 'arcfase'; use one of softmax, /);
});

it('every loss has its line on the page of the losses', () => {
  const page = readFileSync(new URL('../../docs/losses.md', import.meta.url), 'utf8');
  for (const name of Object.keys(losses)) expect(page, name).toContain(`\n| \`${name}\` |`);
});

it('flags become the options of the part that takes them', () => {
  const option = ['center.rate=0.3', 'triplet.mining=hard'].reduce(
    (before, text) => assignment(text, before),
    [] as ReturnType<typeof assignment>,
  );
  const weight = assignment('center=0.008');
  expect(lossOptionsOf({ margin: 0.3, option, weight }, 'softmax+center+triplet')).toEqual({
    triplet: { margin: 0.3, mining: 'hard' },
    center: { rate: 0.3 },
    weights: { center: 0.008 },
  });
  expect(lossOptionsOf({ margin: 3, lambdaMin: 2 }, 'a-softmax')).toEqual({
    margin: 3,
    annealing: { minimum: 2 },
  });
  expect(() => lossOptionsOf({ gradient: 'caffe' }, 'softmax+center')).toThrow(/no part of softmax\+center/);
  expect(() => lossOptionsOf({ margin: 1 }, 'a-softmax+triplet')).toThrow(/a-softmax and triplet/);
  expect(() => lossOptionsOf({ weight }, 'softmax')).toThrow(/softmax stands alone.*softmax\+center/);
  const parts = assignment('margin.most=1', assignment('margin=0.4'));
  expect(() => lossOptionsOf({ option: parts }, 'arcface')).toThrow(
    /'margin' is 0.4 already.*no part 'most'/,
  );
});

it('what a loss does not take is told before anything is opened', async () => {
  const out = join(temporaryFolder(), 'run');
  const run = (...flags: string[]) =>
    hypersphere('train', '--data', 'nowhere', '--net', 'sphereface-4', '--out', out, ...flags);
  const strange = await run('--loss', 'arcface', '--option', 'angle=1');
  expect(strange).toMatchObject({ code: 2 });
  expect(strange.stderr).toMatch(/arcface has no option 'angle'; it takes scale, margin, easyMargin/);
  const range = await run('--loss', 'arcface', '--margin', '3');
  expect(range.stderr).toMatch(/arcface: margin is 3; it must be a number from 0 to pi \/ 2/);
  const form = await run('--loss', 'arcface', '--option', 'margin');
  expect(form.stderr).toMatch(/must be NAME=VALUE/);
  const weight = await run('--loss', 'softmax+center', '--weight', 'centre=1');
  expect(weight.stderr).toMatch(/a weight is given for 'centre', which is not part of it/);
});
