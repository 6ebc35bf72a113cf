// The rooms of docs/architecture.md: a folder of src imports from the rooms before it, never from those behind.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SOURCE = fileURLToPath(new URL('../src', import.meta.url));

/** The rooms in the order in which the page lists them. */
const rooms = [
  ...readFileSync(new URL('../docs/architecture.md', import.meta.url), 'utf8').matchAll(/^\| `src\/(\w+)`/gm),
].map((row) => row[1]!);

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);
const roomOf = (file: string): string => file.split(sep)[0]!;

/** Files of src that `file` imports, types included. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(SOURCE, file), 'utf8');
  const paths = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*'(\.[^']*)'/g)].map((match) => match[1]!);
  return paths.map((path) => relative(SOURCE, join(SOURCE, dirname(file), path)));
}

test('the page lists every room, and every room exists', () => {
  const folders = new Set(files.filter((file) => file.includes(sep)).map(roomOf));
  expect([...rooms].sort()).toEqual([...folders].sort());
});

test('no room imports from one behind it', () => {
  const upward = files
    .filter((file) => file.includes(sep))
    .flatMap((file) =>
      importsOf(file)
        .filter((imported) => !rooms.slice(0, rooms.indexOf(roomOf(file)) + 1).includes(roomOf(imported)))
        .map((imported) => `${file} imports ${imported}`),
    );
  expect(upward).toEqual([]);
});

test('imports are found at all', () => {
  expect(importsOf(join('graph', 'gradients.ts'))).toContain(join('graph', 'tensor.js'));
});
