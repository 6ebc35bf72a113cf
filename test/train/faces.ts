// A small folder of made-up faces: each person is a fixed pattern of colours, each image a noisy copy of it.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll } from 'vitest';
import { random } from '../../src/common/random.js';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder, removed after the file's last test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hypersphere-test-'));
  folders.push(folder);
  return folder;
}

/** Patterns that differ as much as colours can, and noise that hides none of them. */
const EASY = { contrast: 176, noise: 61 };

/** Faint patterns under strong noise: a network needs many steps before it tells people apart. */
export const HARD = { contrast: 24, noise: 161 };

/** Writes `people` folders of `images` PNGs of 32x32 pixels each; returns the data folder. */
export async function writeFaces(people: number, images: number, look = EASY): Promise<string> {
  const folder = temporaryFolder();
  for (let person = 0; person < people; person++) {
    const pattern = random(1, 'person', person);
    const blocks = Array.from(
      { length: 8 * 8 * 3 },
      () => 128 - look.contrast / 2 + pattern.integer(look.contrast),
    );
    mkdirSync(join(folder, `person${person}`));
    for (let image = 0; image < images; image++) {
      const noise = random(1, 'image', person, image);
      const pixels = Buffer.alloc(32 * 32 * 3);
      for (let y = 0; y < 32; y++) {
        for (let x = 0; x < 32; x++) {
          for (let c = 0; c < 3; c++) {
            const block = blocks[((y >> 2) * 8 + (x >> 2)) * 3 + c]!;
            pixels[(y * 32 + x) * 3 + c] = block + noise.integer(look.noise) - (look.noise - 1) / 2;
          }
        }
      }
      const file = join(folder, `person${person}`, `${image}.png`);
      await sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } })
        .png()
        .toFile(file);
    }
  }
  return folder;
}
