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

  it('ends with the code of the error and one line when something else is wrong', async () => {
    const { code, stdout, stderr } = await hypersphere('info', 'no-such-thing');
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
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
    expect(ended.stderr).toBe(
      'hypersphere: standard output: no space is left on its disk; make room and run again\n',
    );
    expect(ended.status).toBe(5);
  });

  it('prints a failure as an object on standard output with --json', async () => {
    const missing = await hypersphere('info', 'no-such-thing', '--json');
    expect(missing.code).toBe(4);
    expect(JSON.parse(missing.stdout)).toEqual({
      error: { code: 'not-found', message: expect.stringMatching(/^'no-such-thing' is neither a file/) },
    });
    const usage = await hypersphere('train', '--json', '--net', 'sphereface-5');
    expect(usage.code).toBe(2);
    expect(JSON.parse(usage.stdout)).toEqual({
      error: { code: 'usage', message: expect.stringMatching(/Allowed choices are/) },
    });
  });

  it('shows a name so that a terminal does not obey it', async () => {
    const unknown = await hypersphere('a\u001b[2J\u202e');
    expect(unknown.stderr).toMatch(/^error: unknown command 'a\\x1b\[2J\\u202e'/);
    const { stderr } = await hypersphere('info', 'a\u001b[2J\nb\u202e');
    expect(stderr).toMatch(/^hypersphere: a\\x1b\[2J\\nb\\u202e: no such file/);
    expect(stderr.split('\n')).toHaveLength(2);
  });

  it('ends with 0 after its version and its help', async () => {
    expect(await hypersphere('--version')).toMatchObject({ code: 0 });
    const help = await hypersphere('train', '--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toMatch(/--resume .*Examples:/s);
  });
});
