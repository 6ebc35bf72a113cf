// Search at the command line: embeddings in, a file of templates, candidates out; and what is refused.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../src/data/index.js';
import { readList } from '../../src/face/index.js';
import { TEMPLATES_FORMAT } from '../../src/search/templates-file.js';
import { unitRows } from '../search/rows.js';
import { hypersphere } from './hypersphere.js';

const D = 12;
const manifest = (name: string) => ({
  format: 'hypersphere-model/1',
  name,
  input: { name: 'x', width: 8, height: 8, order: 'rgb', mean: 0, scale: 1 },
  flip: 'none',
  embedding: { length: D, output: 'y' },
});

let folder: string;
const at = (name: string) => join(folder, name);

/** Embeddings as `embed` writes them: rows three times as long as unit ones, people a, b, ... with two images each. */
async function embeddings(name: string, rows: Float32Array, model = 'one', prefix = ''): Promise<string> {
  const count = rows.length / D;
  const data = rows.map((value) => value * 3);
  await writeFile(
    at(name),
    writeSafetensors(new Map([['embeddings', { dtype: 'float32', shape: [count, D], data }]])),
  );
  const images = Array.from({ length: count }, (_, i) => ({
    path: `${prefix}${i >> 1}/${i}.jpg`,
    person: `${prefix}${i >> 1}`,
  }));
  await writeFile(`${at(name)}.json`, JSON.stringify({ folder: 'faces', model: manifest(model), images }));
  return at(name);
}

const gallery = unitRows(40, D, 1);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'search-'));
  await embeddings('a.safetensors', gallery.slice(0, 30 * D));
  await embeddings('b.safetensors', gallery.slice(30 * D), 'one', 'b');
  await embeddings('probes.safetensors', gallery.slice(33 * D, 35 * D));
  await embeddings('other.safetensors', gallery.slice(0, 2 * D), 'other');
  for (const type of ['float32', 'int8'])
    await hypersphere(
      ...['search', '--build', at(type), '--type', type],
      ...['--embeddings', at('a.safetensors'), at('b.safetensors')],
    );
  await hypersphere('search', '--build', at('fewer'), '--embeddings', at('a.safetensors'));
  // A file of templates without a list of its own, beside which lies that of other rows.
  const { tensors } = readSafetensors(await readFile(at('fewer')));
  await writeFile(
    at('unlisted'),
    writeSafetensors(new Map([['templates', tensors.get('templates')!]]), { format: TEMPLATES_FORMAT }),
  );
  const images = Array.from({ length: 40 }, (_, i) => ({ path: `${i}.jpg`, person: null }));
  await writeFile(`${at('unlisted')}.json`, JSON.stringify({ images }));
});
afterAll(() => rm(folder, { recursive: true }));

describe('hypersphere search', () => {
  test('finds each probe first among the rows of all files, with path and person', async () => {
    const { code, stdout } = await hypersphere(
      ...['search', '--templates', at('float32'), '--probes', at('probes.safetensors')],
      ...['--top', '3', '--json'],
    );
    expect(code).toBe(0);
    const { count, type, probes } = JSON.parse(stdout);
    expect({ count, type, probes: probes.length }).toEqual({ count: 40, type: 'float32', probes: 2 });
    for (const [i, { path, candidates }] of probes.entries()) {
      expect(path).toBe(`0/${i}.jpg`);
      expect(candidates).toHaveLength(3);
      expect(candidates[0]).toMatchObject({ row: 33 + i, path: `b${(3 + i) >> 1}/${3 + i}.jpg` });
      expect(candidates[0].score).toBeCloseTo(1, 5);
      expect(candidates[1].score).toBeLessThan(0.95);
    }
  });

  test('prints a rank, a cosine and a name a line, and all templates when fewer than --top', async () => {
    const { stdout, stderr } = await hypersphere(
      ...['search', '--templates', at('int8'), '--rerank', at('float32')],
      ...['--probes', at('probes.safetensors'), '--top', '50'],
    );
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2 * 41);
    expect(lines.slice(0, 2)).toEqual(['0/0.jpg:', '   1  1.0000  b1  b1/3.jpg']);
    expect(stderr).toMatch(/2 probes against 40 templates/);
  });

  test('keeps the model and the rows of all files with the templates', async () => {
    const list = await readList(at('int8'));
    expect(list).toMatchObject({ folder: 'faces' });
    expect(list.model).toMatchObject(manifest('one'));
    expect(list.images).toHaveLength(40);
    expect(list.images[30]).toEqual({ path: 'b0/0.jpg', person: 'b0' });
  });

  const search = (templates: string, probes: string, ...more: string[]) => [
    ...['search', '--templates', at(templates), '--probes', at(probes)],
    ...more,
  ];
  test.each<[string, () => string[], number, RegExp]>([
    ['neither way', () => ['search'], 2, /give either --build FILE or --templates FILE/],
    [
      'both ways',
      () => search('float32', 'probes.safetensors', '--build', at('x')),
      2,
      /give either --build FILE or --templates FILE/,
    ],
    ['no probes', () => ['search', '--templates', at('float32')], 2, /--templates needs --probes/],
    ['nothing to build from', () => ['search', '--build', at('x')], 2, /--build needs --embeddings/],
    [
      'probes of another model',
      () => search('float32', 'other.safetensors'),
      3,
      /of one and of other cannot be/,
    ],
    [
      'files of two models',
      () => ['search', '--build', at('x'), '--embeddings', at('a.safetensors'), at('other.safetensors')],
      3,
      /of one and of other cannot be compared/,
    ],
    ['templates that are not there', () => search('none', 'probes.safetensors'), 4, /none: no such file/],
    [
      'embeddings as templates',
      () => search('a.safetensors', 'probes.safetensors'),
      3,
      /no tensor 'templates'/,
    ],
    [
      'other rows to score again',
      () => search('float32', 'probes.safetensors', '--rerank', at('fewer')),
      3,
      /fewer: not the rows of .*float32/,
    ],
    [
      'a file written over itself',
      () => ['search', '--build', at('a.safetensors'), '--embeddings', at('a.safetensors')],
      3,
      /is one of the --embeddings; name another/,
    ],
    [
      'a list of other rows',
      () => search('unlisted', 'probes.safetensors'),
      3,
      /30 templates, but its list .* 40 images/,
    ],
  ])('%s: one line', async (_, flags, code, message) => {
    const { code: given, stdout, stderr } = await hypersphere(...flags());
    expect(stderr).toMatch(message);
    expect(stderr.split('\n').filter((line) => line.startsWith('hypersphere: '))).toHaveLength(1);
    expect({ given, stdout }).toEqual({ given: code, stdout: '' });
  });
});
