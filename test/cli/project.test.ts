import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readEmbeddings } from '../../src/face/index.js';
import { applyProjection, PROJECTION_FILES, readProjection } from '../../src/train/projection-model.js';
import { FILES, readMetrics } from '../../src/train/run-folder.js';
import { DIMENSIONS, writeMadeUp } from '../train/embeddings.js';
import { temporaryFolder } from '../train/faces.js';
import { hypersphere, start, until } from './hypersphere.js';

let file: string;
beforeAll(async () => {
  ({ file } = await writeMadeUp(30, 6, '.npy'));
});

const recipe = (out: string, ...more: string[]): string[] => [
  ...['project', '--embeddings', file, '--loss', 'tpe', '--out', out, '--batch', '16', '--lr', '0.03'],
  ...more,
];

describe('hypersphere project', () => {
  it('leaves a folder, prints one JSON object, and applies what it has learned', async () => {
    const out = join(temporaryFolder(), 'run');
    const flags = ['--steps', '60', '--holdout', '10', '--length', '8', '--json'];
    const { code, stdout, stderr } = await hypersphere(...recipe(out, ...flags));
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /tpe on 120 embeddings of 20 people \(10 held out, 0 with one image left out\), 16 -> 8/,
    );
    expect(stderr).toMatch(/60\/60 steps .*loss .*hard .*left/);
    expect(JSON.parse(stdout)).toMatchObject({
      finished: true,
      step: 60,
      config: { loss: 'tpe', lossOptions: { mining: 'all' }, length: 8, start: 'pca', seed: 1 },
      heldOut: { people: 10, raw: { length: 16 }, pca: { length: 8 }, projected: { length: 8 } },
    });
    const files = [FILES.config, FILES.identities, FILES.metrics, FILES.results];
    for (const name of [...files, PROJECTION_FILES.tensor, PROJECTION_FILES.model])
      expect(existsSync(join(out, name)), name).toBe(true);

    const target = join(temporaryFolder(), 'projected.safetensors');
    const applied = await hypersphere('project', '--apply', out, '--embeddings', file, '--out', target);
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    expect(applied.stdout).toMatch(/180 embeddings of 16 numbers projected to 8/);
    const [before, after] = [await readEmbeddings(file), await readEmbeddings(target)];
    expect(after.images).toEqual(before.images);
    expect(after.manifest).toMatchObject({ name: 'made-up', projection: { embeddingsOf: 'made-up' } });
    const expected = applyProjection(readProjection(out), {
      length: DIMENSIONS,
      original: before.embeddings,
    });
    expect(after.embeddings).toEqual(expected.original);

    const twice = await hypersphere(
      'project',
      '--apply',
      out,
      '--embeddings',
      target,
      '--out',
      `${target}.npy`,
    );
    expect(twice).toMatchObject({ code: 3, stdout: '' });
    expect(twice.stderr).toMatch(
      /its projection takes embeddings of 16 numbers; those of .*projected.* have 8/,
    );
  });

  it('saves and stops at Ctrl-C, says how to go on, and goes on', async () => {
    const out = join(temporaryFolder(), 'run');
    const { child, finished } = start(...recipe(out, '--steps', '1000000'));
    await until(() => readMetrics(out).length >= 20);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await finished;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toMatch(
      /stopped after step \d+ of 1000000; continue with: hypersphere project --resume --out/,
    );
    const before = readMetrics(out);
    const again = start('project', '--resume', '--out', out);
    await until(() => readMetrics(out).length > before.length);
    again.child.kill('SIGINT');
    expect((await again.finished).stderr).toMatch(`continuing after step ${before.length}`);
    expect(readMetrics(out).slice(0, before.length)).toEqual(before);
  });

  it('says in one line what is missing or wrong', async () => {
    const out = join(temporaryFolder(), 'run');
    for (const [flags, code, words] of [
      [['project', '--loss', 'tse', '--out', out], 2, /--embeddings FILE is missing/],
      [recipe(out, '--mining', 'semi-hard'), 2, /tpe: mining is "semi-hard"/],
      [recipe(out, '--loss', 'softmax'), 2, /Allowed choices are tse, tpe/],
      [recipe(out, '--length', '20'), 3, /--length 20.*use 1 to 16/],
      [recipe(out, '--embeddings', `${file}.json`), 3, /its ending must be one of/],
      [
        ['project', '--apply', out, '--embeddings', file, '--out', 'x.npy'],
        3,
        /no finished projection there/,
      ],
      [['project', '--apply', out, '--loss', 'tse'], 2, /'--apply <dir>' cannot be used with option '--loss/],
      [['project', '--apply', out, '--embeddings', file], 2, /--out FILE is missing/],
      [['project', '--resume', '--out', out], 2, /no projection there/],
    ] as const) {
      const ended = await hypersphere(...flags);
      expect(ended.stderr).toMatch(words);
      expect({ flags, code: ended.code, stdout: ended.stdout }).toEqual({ flags, code, stdout: '' });
      expect(existsSync(out)).toBe(false);
    }
  });
});
