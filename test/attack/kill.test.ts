// What the kill harness goes by: what a folder holds without its clocks, and which system calls write to it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { problemsOf } from '../../attack/fault/fault.js';
import { callsIn } from '../../attack/kill/calls.js';
import { differences, snapshot } from '../../attack/kill/snapshot.js';
import { table } from '../../attack/report.js';
import { temporaryFolder } from '../data/pictures.js';

test('a snapshot sees every change but that of clocks and of the folder itself', () => {
  const write = (lines: object[], value: object) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a', 'm.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    writeFileSync(join(folder, 'c.json'), JSON.stringify({ ...value, out: folder }));
    return folder;
  };
  const first = write([{ step: 1, seconds: 2 }], { about: { seconds: 1 } });
  const same = snapshot(write([{ step: 1, seconds: 3 }], { about: { seconds: 7 } }));
  expect(differences(same, snapshot(first))).toEqual([]);
  const other = write([{ step: 2, seconds: 2 }], { about: {} });
  writeFileSync(join(other, 'x.tmp'), '');
  writeFileSync(join(other, 'c.json'), '{"about":');
  expect(differences(snapshot(other), snapshot(first))).toEqual([
    'a/m.jsonl differs',
    'c.json differs (torn)',
    'x.tmp was left over',
  ]);
  expect(differences(snapshot(temporaryFolder()), snapshot(first))).toEqual([
    'a/m.jsonl is missing',
    'c.json is missing',
  ]);
});

test('calls that write below a folder are counted for each thread', () => {
  const log = join(temporaryFolder(), 'log');
  const lines = [
    '11  openat(AT_FDCWD</x>, "/out/a", O_RDONLY|O_CLOEXEC) = 3</out/a>',
    '11  openat(AT_FDCWD</x>, "/out/a.tmp", O_WRONLY|O_CREAT|O_CLOEXEC, 0666) = 3</out/a.tmp>',
    '12  write(1<pipe:[1]>, ""..., 3) = 3',
    '12  pwrite64(3</out/a.tmp>, ""..., 8, 0) = 8',
    '12  write(3</out/a.tmp>, ""..., 8) = 8',
    '11  rename("/out/a.tmp", "/out/a") = 0',
  ];
  writeFileSync(log, lines.join('\n'));
  expect(callsIn(log, '/out')).toEqual([
    { name: 'openat', nth: 2 },
    { name: 'pwrite64', nth: 1 },
    { name: 'write', nth: 2 },
    { name: 'rename', nth: 1 },
  ]);
});

test('an end is right only with a known code, one line that names the file, and no unsafe character', () => {
  const ended = { code: 3, signal: null, stdout: '', stderr: 'hypersphere: a.jpg: is damaged\n', seconds: 1 };
  expect(problemsOf(ended, { codes: [3], names: 'a.jpg' })).toEqual([]);
  expect(problemsOf(ended, { codes: [0] })).toHaveLength(1);
  expect(problemsOf(ended, { codes: [3], names: 'b.jpg' })).toHaveLength(1);
  expect(problemsOf({ ...ended, code: 99 }, { codes: [99] })).toHaveLength(1);
  expect(problemsOf({ ...ended, stderr: `${ended.stderr}    at f (x.js:1:2)\n` }, { codes: [3] })).toEqual([
    'a stack trace',
  ]);
  expect(problemsOf({ ...ended, stderr: 'hypersphere: \u001b[2J\n' }, { codes: [3] })).toHaveLength(1);
  expect(problemsOf({ ...ended, stderr: '' }, { codes: [3] })).toHaveLength(1);
  expect(problemsOf({ ...ended, code: null, signal: 'SIGSEGV' }, { codes: [0] })).not.toEqual([]);
});

test('a table has no cell that ends its line', () => {
  expect(table(['a', 'b'], [['x|\ny', '1,000']])).toBe('| a | b |\n| --- | ---: |\n| x\\|\\u{a}y | 1,000 |');
});
