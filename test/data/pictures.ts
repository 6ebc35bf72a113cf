// Small made-up pictures for the data tests, written to a temporary folder.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { onTestFinished } from 'vitest';
import { random } from '../../src/common/random.js';

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hypersphere-data-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Noise [height, width, channels], so that no two pixels and no two seeds look alike. */
export function noise(height: number, width: number, channels: number, seed = 1): Uint8Array {
  const stream = random(seed, 'noise');
  return Uint8Array.from({ length: height * width * channels }, () => stream.integer(256));
}

/** Writes bytes, making folders as needed; returns the path. */
export function write(path: string, bytes: Uint8Array | string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

export function encode(pixels: Uint8Array, height: number, width: number, format: 'png' | 'jpeg' | 'webp') {
  const channels = (pixels.length / height / width) as 1 | 3 | 4;
  const image = sharp(pixels, { raw: { width, height, channels } });
  return format === 'webp' ? image.webp({ lossless: true }).toBuffer() : image[format]().toBuffer();
}

/** `images[person]` noise PNGs of 12x12 for each person, as folder/person/NN.png. */
export async function writePeople(folder: string, images: Record<string, number>): Promise<void> {
  let seed = 0;
  for (const [person, count] of Object.entries(images))
    for (let i = 1; i <= count; i++)
      write(join(folder, person, `${i}.png`), await encode(noise(12, 12, 3, ++seed), 12, 12, 'png'));
}
