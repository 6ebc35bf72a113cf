import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FILES, readMetrics } from '../../src/train/run-folder.js';
import { HARD, temporaryFolder, writeFaces } from '../train/faces.js';
import { hypersphere, start, until } from './hypersphere.js';

let data: string;
beforeAll(async () => {
  data = await writeFaces(6, 6);
});

const recipe = (out: string, steps: number): string[] => [
  ...['train', '--data', data, '--net', 'sphereface-4', '--loss', 'a-softmax', '--out', out],
  ...['--size', '32x32', '--embedding', '16', '--batch', '4', '--lr', '0.01', '--threads', '1'],
  ...['--steps', String(steps)],
];

const losses = (out: string) => readMetrics(out).map(({ step, loss }) => ({ step, loss }));

describe('hypersphere train', () => {
  it('leaves a run folder and prints one JSON object', async () => {
    const out = join(temporaryFolder(), 'run');
    const { code, stdout } = await hypersphere(...recipe(out, 4), '--holdout', '3', '--json');
    expect(code).toBe(0);
    const results = JSON.parse(stdout);
    expect(results).toMatchObject({ finished: true, step: 4, seed: 1, heldOut: { people: 3 } });
    expect(results.trained.angularFisher).toBeGreaterThan(0);
    for (const file of [
      FILES.config,
      FILES.identities,
      FILES.metrics,
      FILES.model,
      FILES.manifest,
      FILES.page,
    ]) {
      expect(existsSync(join(out, file)), file).toBe(true);
    }

    const model = await hypersphere('info', join(out, FILES.model), '--json');
    const network = await hypersphere('info', 'sphereface-4', '--size', '32x32', '--json');
    const [file, net] = [JSON.parse(model.stdout), JSON.parse(network.stdout)];
    expect(file.embedding).toBe(16);
    expect(file.manifest.input).toMatchObject({ width: 32, height: 32 });
    // All but the last layer, whose embedding is shorter here.
    const convolutions = (layers: { multiplyAdds: number }[]) =>
      layers
        .map(({ multiplyAdds }) => multiplyAdds)
        .filter((count) => count > 0)
        .slice(0, 4);
    expect(convolutions(file.layers)).toEqual(convolutions(net.layers));
  });

  it('saves and stops at Ctrl-C, says how to go on, and goes on', async () => {
    const out = join(temporaryFolder(), 'run');
    const { child, finished } = start(...recipe(out, 100_000));
    await until(() => readMetrics(out).length >= 3);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await finished;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toMatch(
      /stopped after step \d+ of 100000; continue with: hypersphere train --resume --out/,
    );
    const before = losses(out);
    const [checkpoint] = readdirSync(join(out, FILES.checkpoints));
    expect(checkpoint).toBe(`checkpoint-${String(before.length).padStart(7, '0')}`);

    const again = start('train', '--resume', '--out', out);
    await until(() => readMetrics(out).length > before.length);
    again.child.kill('SIGTERM');
    expect((await again.finished).stderr).toMatch(`continuing after step ${before.length}`);
    expect(losses(out).slice(0, before.length)).toEqual(before);
  });

  it('killed in mid-write again and again ends where an undisturbed run ends', async () => {
    const [whole, killed] = [join(temporaryFolder(), 'whole'), join(temporaryFolder(), 'killed')];
    const steps = 12;
    expect((await hypersphere(...recipe(whole, steps))).code).toBe(0);
    // Each sitting is killed as soon as a checkpoint of its own is half written: a temporary folder is there.
    const unfinished = () => {
      const folder = join(killed, FILES.checkpoints);
      return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.tmp')) : [];
    };
    const flags = [...recipe(killed, steps), '--checkpoint-steps', '2'];
    let kills = 0;
    for (let sitting = 0; sitting < 3; sitting++) {
      const before = unfinished();
      const { child, finished } = start(...flags, ...(sitting > 0 ? ['--resume'] : []));
      await until(() => child.exitCode !== null || unfinished().some((name) => !before.includes(name)));
      if (child.exitCode === null) kills++;
      child.kill('SIGKILL');
      await finished;
    }
    expect(kills).toBeGreaterThan(0);
    const last = await hypersphere(...flags, '--resume');
    expect(last.code, last.stderr).toBe(0);
    expect(losses(killed)).toEqual(losses(whole));
    const model = (out: string) => readFileSync(join(out, FILES.model));
    expect(model(killed).equals(model(whole))).toBe(true);
  });

  it('whose loss is no longer finite ends with 10 and one line, and has a page', async () => {
    const out = join(temporaryFolder(), 'run');
    const { code, stdout, stderr } = await hypersphere(...recipe(out, 6), '--lr', '1e9', '--json');
    expect(code).toBe(10);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'diverged' } });
    expect(stderr).toMatch(/\nhypersphere: step \d+: .*; lower the rate .*\n$/);
    expect(readFileSync(join(out, FILES.page), 'utf8')).toContain('of 6 steps done');
  });

  it('whose embeddings collapse ends with a code and one line, and has a page that says so', async () => {
    const out = join(temporaryFolder(), 'run');
    const bad = ['--lr', '0.01', '--option', 'annealing.base=0', '--lambda-min', '0'];
    const { code, stderr } = await hypersphere(
      ...['train', '--data', await writeFaces(20, 8, HARD), '--net', 'sphereface-4', '--loss', 'a-softmax'],
      ...['--size', '16x16', '--embedding', '128', '--steps', '60', '--threads', '1', '--out', out, ...bad],
    );
    expect(code).toBe(10);
    expect(stderr).toMatch(
      /\nhypersphere: step \d+: the embeddings have collapsed .*; let lambda wait .*\n$/,
    );
    expect(readFileSync(join(out, FILES.page), 'utf8')).toContain('the run no longer learned');
  });

  it('refuses settings out of range and a place it cannot write to before it reads an image', async () => {
    const momentum = await hypersphere(...recipe(join(temporaryFolder(), 'run'), 4), '--momentum', '1');
    expect(momentum).toMatchObject({ code: 2, stdout: '' });
    expect(momentum.stderr).toMatch(/^hypersphere: settings: momentum: .*\n$/);
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    for (const out of [file, join(file, 'run')]) {
      const { code, stderr } = await hypersphere(...recipe(out, 4));
      expect(code).toBe(3);
      expect(stderr).toMatch(/^hypersphere: .*file.*and a folder is needed; name another with --out\n$/);
    }
  });

  it('ends with 1 and a line that says what to mend when there is nothing to train on', async () => {
    const empty = temporaryFolder();
    const run = (folder: string) =>
      hypersphere(
        'train',
        '--data',
        folder,
        '--net',
        'sphereface-4',
        '--loss',
        'softmax',
        '--out',
        join(empty, 'out'),
      );
    expect(await run(empty)).toMatchObject({ code: 3, stdout: '' });
    mkdirSync(join(empty, 'nobody'));
    const nobody = await run(empty);
    expect(nobody.code).toBe(3);
    expect(nobody.stderr.trim().split('\n').length).toBe(1);
    const alone = await writeFaces(1, 3);
    const one = await run(alone);
    expect(one.code).toBe(3);
    expect(one.stderr).toMatch(/training needs at least 2/);
  });
});
