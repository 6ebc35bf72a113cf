// What the fuzzer begins from: every file that is called valid is read, so that a reader which refuses everything is noticed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { caseOf, corpusOf } from '../../attack/fuzz/cases.js';
import { readers } from '../../attack/fuzz/readers/index.js';
import { temporaryFolder } from '../data/pictures.js';

test.each(readers.map((reader) => [reader.name, reader] as const))(
  'valid files of %s are read',
  async (_, reader) => {
    const corpus = await corpusOf(reader);
    expect(corpus.valid).toBeGreaterThan(0);
    for (let number = 0; number < corpus.valid; number++) {
      const folder = temporaryFolder();
      const files = caseOf(corpus, 1, number);
      for (const [name, bytes] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), bytes);
      }
      await reader.read(files, folder);
    }
  },
);
