import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { command, hypersphere, start } from './hypersphere.js';

describe('the command line', () => {
  it('describes a network as one JSON object and nothing else on standard output', async () => {
    const { code, stdout, stderr } = await hypersphere('info', 'sphereface-20', '--json');
    expect(code).toBe(0);
    expect(stderr).toBe('');
    const { parameters, multiplyAdds, input, embedding } = JSON.parse(stdout);
    expect(input).toEqual([3, 112, 96]);
    expect(embedding).toBe(512);
    expect(parameters / 1e6).toBeCloseTo(22.67, 2);
    expect(multiplyAdds / 1e9).toBeCloseTo(1.75, 1);
  });

  it('ends with 2 when it is not understood, and helps', async () => {
    const unknown = await hypersphere('trian');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/unknown command 'trian'.*\(Did you mean train\?\)/s);
    const flag = await hypersphere('train', '--net', 'sphereface-5');
    expect(flag.code).toBe(2);
    expect(flag.stderr).toMatch(/Allowed choices are sphereface-4/);
    const missing = await hypersphere('train', '--net', 'sphereface-4', '--loss', 'softmax');
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toMatch(/^hypersphere: --data DIR is missing/);
  });

  it('ends with 1 and one line when something else is wrong', async () => {
    const { code, stdout, stderr } = await hypersphere('info', 'no-such-thing');
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(
      /^hypersphere: 'no-such-thing' is neither a file nor a model: .*networks are sphereface-4.*\n$/,
    );
  });

  it('points to the help of a command whose flags were not understood', async () => {
    const { code, stderr } = await hypersphere('train', '--dta', 'faces');
    expect(code).toBe(2);
    expect(stderr).toMatch(/unknown option '--dta'.*--help lists the flags/s);
  });

  it('is silent when the reader of its output has gone', async () => {
    const { child, finished } = start('info', 'sphereface-64', '--json');
    child.stdout!.destroy();
    expect(await finished).toMatchObject({ code: 0, stderr: '' });
  });

  it.skipIf(process.platform !== 'linux')('says so when its output cannot be written', async () => {
    const full = openSync('/dev/full', 'w');
    const ended = spawnSync(process.execPath, [command, 'info', 'sphereface-4', '--json'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    expect(ended.stderr).toBe('hypersphere: standard output: no space is left on its disk\n');
    expect(ended.status).toBe(1);
  });

  it('ends with 0 after its version and its help', async () => {
    expect(await hypersphere('--version')).toMatchObject({ code: 0 });
    const help = await hypersphere('train', '--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toMatch(/--resume .*Examples:/s);
  });
});
