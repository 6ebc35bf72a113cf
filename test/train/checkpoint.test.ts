import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newestCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.js';
import { temporaryFolder } from './faces.js';

const shapes = new Map([['w', [2, 2]]]);
const at = (step: number) => ({
  step,
  seconds: step / 10,
  state: new Map([['w', Float32Array.of(step, 1e-40, -0, 3)]]),
});

describe('checkpoints', () => {
  it('come back bit for bit, and only the newest three are kept', () => {
    const folder = temporaryFolder();
    for (const step of [5, 10, 100, 20]) saveCheckpoint(folder, at(step), shapes);
    expect(readdirSync(folder).sort()).toEqual([
      'checkpoint-0000010',
      'checkpoint-0000020',
      'checkpoint-0000100',
    ]);
    expect(newestCheckpoint(folder, () => {})).toEqual({
      ...at(100),
      classes: [],
      path: join(folder, 'checkpoint-0000100'),
    });
  });

  it('are passed over, and named, when damaged', () => {
    const folder = temporaryFolder();
    for (const step of [1, 2, 3]) saveCheckpoint(folder, at(step), shapes);
    truncateSync(join(folder, 'checkpoint-0000003', 'state.safetensors'), 20);
    writeFileSync(join(folder, 'checkpoint-0000002', 'progress.json'), '{"step": 2');
    const lines: string[] = [];
    expect(newestCheckpoint(folder, (line) => lines.push(line))?.step).toBe(1);
    expect(lines.map((line) => line.match(/checkpoint-\d+ is damaged/)?.[0])).toEqual([
      'checkpoint-0000003 is damaged',
      'checkpoint-0000002 is damaged',
    ]);
  });

  it('that were never finished are not seen, and are cleared away', () => {
    const folder = temporaryFolder();
    saveCheckpoint(folder, at(1), shapes);
    mkdirSync(join(folder, 'checkpoint-0000002.tmp'));
    writeFileSync(join(folder, 'checkpoint-0000002.tmp', 'state.safetensors'), 'half');
    expect(newestCheckpoint(folder, () => {})?.step).toBe(1);
    saveCheckpoint(folder, at(3), shapes);
    expect(existsSync(join(folder, 'checkpoint-0000002.tmp'))).toBe(false);
  });
});
