import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors.js';
import { openJournal } from '../../../src/face/align/journal.js';
import { temporaryFolder } from '../../train/faces.js';

describe('the journal of an alignment', () => {
  test('damaged settings are refused, however deep they nest', async () => {
    const folder = temporaryFolder();
    await openJournal(folder, { template: 'arcface' });
    for (const damaged of [
      '{',
      '{"template":"sphereface"}',
      `{"template":${'['.repeat(1e5)}${']'.repeat(1e5)}}`,
    ]) {
      writeFileSync(join(folder, 'align.json'), damaged);
      await expect(openJournal(folder, { template: 'arcface' }), damaged.slice(0, 40)).rejects.toThrow(
        UserError,
      );
    }
  });
});
