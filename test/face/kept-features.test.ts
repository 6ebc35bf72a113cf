// Features that are kept as they are computed: what was written is there in the next run, and what was torn is not.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KeptFeatures } from '../../src/face/embed/kept-features.js';
import { type Manifest, manifestSchema } from '../../src/face/index.js';
import { temporaryFolder } from '../data/pictures.js';

const manifest = (name: string): Manifest =>
  manifestSchema.parse({
    format: 'hypersphere-model/1',
    name,
    input: { name: 'x', width: 8, height: 8, order: 'rgb', mean: 0, scale: 1 },
    flip: 'none',
    embedding: { length: 3, output: 'y' },
  });
const model = manifest('one');
const row = (i: number) => Float32Array.of(i, i + 0.25, -i);

/** A file with the features of `count` images, named 0, 1, ... */
async function written(count: number): Promise<string> {
  const file = join(temporaryFolder(), 'kept', 'features.bin');
  const kept = await KeptFeatures.open(file, model, undefined);
  for (let i = 0; i < count; i++) {
    kept.add(String(i), row(i), row(-i));
    if (i % 2) await kept.flush();
  }
  await kept.close();
  return file;
}

/** The numbers of the images that are known. */
async function known(file: string, count: number): Promise<number[]> {
  const kept = await KeptFeatures.open(file, model, undefined);
  const there: number[] = [];
  for (let i = 0; i < count; i++) {
    const found = kept.get(String(i));
    if (!found) continue;
    expect([...found]).toEqual([...row(i), ...row(-i)]);
    there.push(i);
  }
  await kept.close();
  return there;
}

describe('kept features', () => {
  test('are there again, readable by their owner alone, and no lock is left', async () => {
    const file = await written(5);
    expect(await known(file, 5)).toEqual([0, 1, 2, 3, 4]);
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o077).toBe(0);
    expect(existsSync(join(file, '..', '.features.bin.lock'))).toBe(false);
  });

  test('of a file that is cut anywhere are those before the cut, and more can be added', async () => {
    const file = await written(4);
    const whole = readFileSync(file);
    const start = whole.indexOf(10) + 1;
    const record = (whole.length - start) / 4;
    for (let cut = 0; cut <= 4 * record; cut += 7) {
      writeFileSync(file, whole);
      truncateSync(file, start + cut);
      const there = Math.floor(cut / record);
      const kept = await KeptFeatures.open(file, model, undefined);
      kept.add('3', row(3), row(-3));
      await kept.close();
      const expected = [0, 1, 2].filter((i) => i < there).concat(3);
      expect(await known(file, 4)).toEqual(expected);
    }
  });

  test('that were damaged are not believed, whichever byte it is', async () => {
    const file = await written(3);
    const whole = readFileSync(file);
    const start = whole.indexOf(10) + 1;
    const record = (whole.length - start) / 3;
    for (let at = start; at < whole.length; at += 5) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 0x40;
      writeFileSync(file, damaged);
      const before = Math.floor((at - start) / record);
      expect(await known(file, 3)).toEqual([0, 1, 2].slice(0, before));
    }
  });

  test('belong to one process at a time, one model, and one format', async () => {
    const file = await written(1);
    const open = KeptFeatures.open(file, model, undefined);
    const kept = await open;
    await expect(KeptFeatures.open(file, model, undefined)).rejects.toMatchObject({ code: 'in-use' });
    await kept.close();
    await expect(KeptFeatures.open(file, manifest('two'), undefined)).rejects.toThrow(/name another file/);
    const old = join(temporaryFolder(), 'old.bin');
    writeFileSync(old, `${JSON.stringify({ format: 'hypersphere-features/1', model })}\n`);
    await expect(KeptFeatures.open(old, model, undefined)).rejects.toThrow(/one of an older version/);
  });

  test.skipIf(process.platform !== 'linux')(
    'that do not fit on a disk are an error with its name',
    async () => {
      const full = join(temporaryFolder(), 'full');
      symlinkSync('/dev/full', full);
      await expect(KeptFeatures.open(full, model, undefined)).rejects.toThrow(/full: is not a regular file/);
      const pipe = join(temporaryFolder(), 'pipe');
      execFileSync('mkfifo', [pipe]);
      await expect(KeptFeatures.open(pipe, model, undefined)).rejects.toThrow(/pipe: is not a regular file/);
    },
  );
});
