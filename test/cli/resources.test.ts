// Where a shell or a service manager has limited the process, one line says which limit is too low.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { limitsOf } from '../../src/cli/resources.js';
import { errorCodes } from '../../src/common/errors.js';
import { encode, noise, temporaryFolder, write } from '../data/pictures.js';
import { command } from './hypersphere.js';
import { meansModel } from './means-model.js';

const { exit } = errorCodes['no-resources'];

/** The command in a shell that has set a limit, in both of its kinds. */
const limited = (limit: string, ...words: string[]) =>
  spawnSync('bash', ['-c', `${limit} && exec "$0" "$@"`, process.execPath, command, ...words], {
    encoding: 'utf8',
  });

test("Linux's list of limits", () => {
  const listed = `Limit                     Soft Limit           Hard Limit           Units
Max address space         1024000000           unlimited            bytes
Max open files            64                   64                   files
`;
  expect(limitsOf(listed)).toEqual({ openFiles: 64, addresses: 1024000000 });
  expect(limitsOf('Max address space         unlimited            unlimited            bytes')).toEqual({
    ...{ openFiles: Infinity, addresses: Infinity },
  });
});

describe.skipIf(process.platform !== 'linux')('on Linux', () => {
  test.each([
    ['ulimit -n 64', /^hypersphere: 64 files may be open at once, and 256 are needed: .*ulimit -n 256/],
    [
      'ulimit -v 1500000',
      /^hypersphere: 1464 MiB of addresses may be used, and 2048 are needed: .*ulimit -v/,
    ],
  ])('%s', (limit, problem) => {
    const { status, stdout, stderr } = limited(limit, 'info', 'sphereface-4', '--json');
    expect(stderr).toMatch(problem);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(status).toBe(exit);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'no-resources' } });
  });

  test('what is needed is enough for a folder of more images than may be open', async () => {
    const folder = temporaryFolder();
    const picture = await encode(noise(112, 112, 3), 112, 112, 'png');
    for (let i = 0; i < 400; i++) write(join(folder, 'faces', `${i}.png`), picture);
    const out = join(folder, 'out.npy');
    const flags = [...meansModel(join(folder, 'model.onnx')), '--data', join(folder, 'faces'), '--out', out];
    // Faces on another template are read by another way.
    for (const more of [[], ['--template', 'dlib', '--aligned', 'arcface']]) {
      const { status, stdout } = limited('ulimit -n 256', 'embed', ...flags, ...more, '--json');
      expect(JSON.parse(stdout)).toMatchObject({ images: 400, skipped: [] });
      expect(status).toBe(0);
    }
  });

  test('no image is skipped because files have run out in the middle', async () => {
    const folder = temporaryFolder();
    const picture = await encode(noise(8, 8, 3), 8, 8, 'png');
    const paths = Array.from({ length: 20 }, (_, i) => write(join(folder, 'faces', `${i}.png`), picture));
    meansModel(join(folder, 'model.onnx'));
    const program = write(
      join(folder, 'program.mjs'),
      `import { openSync } from 'node:fs';
      import { openEmbedder } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
      const paths = ${JSON.stringify(paths)};
      const embedder = await openEmbedder(${JSON.stringify(join(folder, 'model.onnx'))}, {
        threads: 1,
        manifest: { input: { order: 'rgb', mean: 127.5, scale: 1 / 128 } },
      });
      const skipped = [];
      const embed = () => embedder.embed(paths, { onUnreadable: (i) => skipped.push(i) });
      await embed();
      try {
        for (;;) openSync('/dev/null');
      } catch {}
      const code = await embed().then(() => 'done', (error) => error.code);
      console.log(code, skipped.length);
      process.exit();`,
    );
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', `ulimit -n 300 && exec "$0" "$1"`, process.execPath, program],
      {
        encoding: 'utf8',
      },
    );
    expect([stdout.trim(), stderr]).toEqual(['no-resources 0', '']);
  });
});
