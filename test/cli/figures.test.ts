import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-figures-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const toy = (...flags: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'toy', ...flags], { encoding: 'utf8' });

describe('hypersphere toy --figure', () => {
  it('leaves data, plots and a page, and adds to what is there', () => {
    const one = toy('--figure', 'target-logits', '--out', folder);
    expect(one.stderr).toContain('target-logits');
    expect(one.status).toBe(0);
    expect(one.stdout).toContain(join(folder, 'index.html'));
    const { status, stdout } = toy('--figure', '3', '--out', folder, '--json');
    expect(status).toBe(0);
    const printed = JSON.parse(stdout) as { figures: { name: string; files: string[] }[]; page: string };
    expect(printed.figures.map(({ name }) => name)).toEqual(['fig-3']);
    for (const file of printed.figures[0]!.files) expect(existsSync(join(folder, file))).toBe(true);
    expect(printed.figures[0]!.files).toContain('fig-3.json');
    const page = readFileSync(printed.page, 'utf8');
    for (const id of ['fig-3', 'target-logits']) expect(page).toContain(`<section id="${id}">`);
  });

  it('ends with 2 and the list for a figure that does not exist', () => {
    const { status, stderr } = toy('--figure', 'fig-1', '--out', folder);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^hypersphere: there is no figure 'fig-1'; use all, or any of .*fig-3.*boundaries\n/,
    );
  });

  it('ends with 2 for flags that belong to the other way of using it', () => {
    expect(toy('--faces', folder).stderr).toContain('--faces belongs to --figure');
    const losses = toy('--figure', '3', '--losses', 'softmax');
    expect(losses.status).toBe(2);
    expect(losses.stderr).toContain('losses of its own');
  });

  it('says so before any work when the folder cannot be made', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const { status, stderr } = toy('--figure', '3', '--out', join(file, 'figures'));
    expect(status).toBe(3);
    expect(stderr).toMatch(/and a folder is needed; name another with --out/);
  });
});
