// The list of people to leave out: both forms of it, and what is said of a file that is neither.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OVERLAP_FORMAT, readExcludeFile } from '../../src/data/exclude-file.js';
import { temporaryFolder, write } from './pictures.js';

const read = (name: string, content: string | Uint8Array) =>
  readExcludeFile(write(join(temporaryFolder(), name), content));

describe('a list of people to exclude', () => {
  test('is what overlap wrote, whatever evidence lies beside the names', async () => {
    const json = {
      format: OVERLAP_FORMAT,
      exclude: ['7398', 'Ann Lee', '7398'],
      found: [{ similarity: 0.8 }],
    };
    expect(await read('overlap.json', `\uFEFF\n${JSON.stringify(json)}`)).toEqual(['7398', 'Ann Lee']);
  });

  test('is one name a line, with comments', async () => {
    const text = '# both in LFW\r\nAnn_Lee\r\n\r\n  7398   # seen on the page\nBo#1\n7398\n';
    expect(await read('names.txt', text)).toEqual(['Ann_Lee', '7398', 'Bo#1']);
  });

  test('may be empty: nobody was found', async () => {
    expect(await read('none.json', `{"format":"${OVERLAP_FORMAT}","exclude":[]}`)).toEqual([]);
    expect(await read('none.txt', '# nobody\n')).toEqual([]);
  });

  const bad: [string, string, string | Uint8Array, RegExp][] = [
    ['half a JSON file', 'half.json', '{"format": ', /half\.json: not JSON: /],
    [
      'a list without its format',
      'list.json',
      '["ann"]',
      /list\.json: not a list of people to exclude, .*the whole: /,
    ],
    ['another format', 'other.json', '{"format":"x","exclude":[]}', /: format: /],
    [
      'names that are none',
      'numbers.json',
      `{"format":"${OVERLAP_FORMAT}","exclude":["a",7]}`,
      /: exclude\.1: /,
    ],
    ['a path', 'path.txt', 'ann\nfaces/bo\n', /path\.txt: line 2: 'faces\/bo' is not one name/],
    ['columns', 'table.txt', 'ann\t4\n', /table\.txt: line 1: 'ann 4' is not one name/],
    ['bytes that are no text', 'face.jpg', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), /face\.jpg: is not text/],
  ];
  test.each(bad)('%s is refused in one line that names it', async (_, name, content, message) => {
    const error = await read(name, content).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'UserError', message: expect.stringMatching(message) });
    expect((error as Error).message).not.toContain('\n');
  });

  test('that is not there is named', async () => {
    await expect(readExcludeFile(join(temporaryFolder(), 'gone.txt'))).rejects.toThrow(
      /gone\.txt: no such file$/,
    );
  });
});
