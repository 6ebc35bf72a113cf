// Writes a training set of made-up identities in the field's container, to train on with the product's own command:
// one image each, as a pixel map. See bench/README.md.
import { mkdirSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { encodeRecord, imageRecord } from '../../src/data/record-io.js';
import { whole } from '../options.js';
import { writeIdentity } from './identities.js';

const { identities, side, out } = new Command('record-set')
  .description('writes a record set of made-up identities')
  .option('--identities <n>', 'how many', whole, 1_000_000)
  .option('--side <pixels>', 'height and width', whole, 16)
  .requiredOption('--out <folder>', 'where to')
  .parse()
  .opts<{ identities: number; side: number; out: string }>();

/** Records written at once. */
const PIECE = 4096;

mkdirSync(out, { recursive: true });
const file = await open(join(out, 'train.rec'), 'w');
const index: string[] = [];
const shape = [3, side, side] as const;
const planes = new Float32Array(3 * side * side);
const head = Buffer.from(`P6\n${side} ${side}\n255\n`, 'latin1');
let end = 0;
for (let from = 0; from < identities; from += PIECE) {
  const records: Buffer[] = [];
  for (let identity = from; identity < Math.min(from + PIECE, identities); identity++) {
    writeIdentity(planes, 0, { identity, image: 0 }, shape);
    const pixels = Buffer.alloc(planes.length);
    for (let p = 0; p < side * side; p++)
      for (let c = 0; c < 3; c++) {
        const value = 127.5 + 100 * planes[c * side * side + p]!;
        pixels[3 * p + c] = Math.min(255, Math.max(0, Math.round(value)));
      }
    const record = encodeRecord(imageRecord(identity, identity + 1, Buffer.concat([head, pixels])));
    index.push(`${identity + 1}\t${end}\n`);
    end += record.length;
    records.push(record);
  }
  await file.write(Buffer.concat(records));
  if (process.stderr.isTTY) process.stderr.write(`\r${from} of ${identities}`);
}
await file.close();
await writeFile(join(out, 'train.idx'), index.join(''));
await writeFile(join(out, 'property'), `${identities},${side},${side}`);
