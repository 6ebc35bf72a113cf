// Which files a folder of photographs stands for: every format that is read, at any depth, in natural order.
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { imagesBelow, photographsAt, readPhotograph } from '../../src/data/index.js';
import { temporaryFolder, write } from './pictures.js';

const [width, height] = [12, 8];
const image = () => sharp({ create: { width, height, channels: 3, background: '#406080' } });

test('a folder stands for the photographs below it, in every format that is read', async () => {
  const folder = temporaryFolder();
  const encoded = {
    '2.tif': await image().tiff().toBuffer(),
    '10.TIFF': await image().tiff().toBuffer(),
    'a/b/deep.gif': await image().gif().toBuffer(),
    'a/modern.avif': await image().avif().toBuffer(),
    'a/plain.jpg': await image().jpeg().toBuffer(),
    'a/plain.png': await image().png().toBuffer(),
    'a/web.webp': await image().webp().toBuffer(),
  };
  for (const [path, bytes] of Object.entries(encoded)) write(join(folder, path), bytes);
  write(join(folder, 'notes.txt'), 'no photograph');
  write(join(folder, '.hidden/3.jpg'), encoded['a/plain.jpg']);
  const found = await imagesBelow(folder);
  expect(found).toEqual(Object.keys(encoded));
  expect(await photographsAt([folder, 'absent.jpg'])).toEqual([
    ...found.map((path) => join(folder, path)),
    'absent.jpg',
  ]);
  for (const path of found) expect(await readPhotograph(join(folder, path))).toMatchObject({ width, height });
});
