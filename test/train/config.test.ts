import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  draftConfig,
  mergeSettings,
  readSettings,
  resolveConfig,
  type Settings,
} from '../../src/train/config.js';
import { temporaryFolder } from './faces.js';

const wanted: Settings = { data: 'faces', net: 'sphereface-4', loss: 'a-softmax' };

function settingsFile(text: string): string {
  const file = join(temporaryFolder(), 'settings.json');
  writeFileSync(file, text);
  return file;
}

describe('the configuration', () => {
  it('names every unknown key of a settings file, also inside an option', () => {
    expect(() => readSettings(settingsFile('{"data": "d", "bathc": 3, "sede": 1}'))).toThrow(
      /settings\.json: unknown keys 'bathc', 'sede' \(known: .*batch/,
    );
    expect(() => readSettings(settingsFile('{"lossOptions": {"annealing": {"gama": 1}}}'))).toThrow(
      /unknown key 'gama' in 'lossOptions\.annealing'/,
    );
  });

  it('names the key of a bad value, and a file that is no JSON', () => {
    expect(() => readSettings(settingsFile('{"batch": 0}'))).toThrow(/settings\.json: batch: /);
    expect(() => readSettings(settingsFile('batch: 3'))).toThrow(/not JSON/);
    expect(() => readSettings('no/such.json')).toThrow(/such\.json: no such file/);
  });

  it('checks the options of the loss before anything is opened', () => {
    expect(() => draftConfig({ ...wanted, lossOptions: { margin: 5 } })).toThrow(/margin is 5/);
    expect(() => draftConfig({ ...wanted, loss: 'softmax', lossOptions: { margin: 4 } })).toThrow(
      /no option 'margin'/,
    );
  });

  it('refuses settings that are out of range, wherever they come from', () => {
    expect(() => draftConfig({ ...wanted, momentum: 1 })).toThrow(/settings: momentum: /);
    expect(() => draftConfig({ ...wanted, milestones: [0] })).toThrow(/settings: milestones/);
  });

  it("scales the paper's settings to the run", () => {
    const config = resolveConfig(draftConfig({ ...wanted, batch: 64, epochs: 14 }), 96);
    expect(config.steps).toBe(14 * 96);
    expect(config.lr).toBe(0.0354); // .1 x sqrt(64 / 512)
    expect(config.lossOptions).toMatchObject({
      margin: 4,
      annealing: { base: 1000, gamma: 0.296, minimum: 5 }, // 2 x (1000 / 5 - 1) / 1344
    });
  });

  it('keeps a gamma that was asked for, and rounds steps up to whole calls', () => {
    const draft = draftConfig({
      ...wanted,
      steps: 101,
      stepsPerCall: 10,
      lossOptions: { annealing: { gamma: 0.5 } },
    });
    const config = resolveConfig(draft, 96);
    expect(config.steps).toBe(110);
    expect(config.lossOptions).toMatchObject({ annealing: { gamma: 0.5 } });
  });

  it('lets lambda wait for the angles, unless the schedule or the waiting is chosen', () => {
    const annealingOf = (annealing: Record<string, unknown>) =>
      resolveConfig(draftConfig({ ...wanted, lossOptions: { annealing } }), 96).lossOptions.annealing;
    expect(annealingOf({})).toMatchObject({ wait: true });
    expect(annealingOf({ minimum: 2 })).toMatchObject({ wait: true, minimum: 2 });
    expect(annealingOf({ gamma: 0.5, wait: true })).toMatchObject({ wait: true, gamma: 0.5 });
    for (const schedule of [{ gamma: 0.12 }, { base: 10 }, { power: 2 }, { wait: false }]) {
      expect(annealingOf(schedule)).not.toHaveProperty('wait');
    }
    expect(() => annealingOf({ wait: 1 })).toThrow(/annealing\.wait/);
  });

  it('lets the later of steps and epochs say how long to train', () => {
    expect(mergeSettings({ steps: 100 }, { epochs: 3 })).toEqual({ epochs: 3 });
    expect(() => draftConfig({ ...wanted, steps: 100, epochs: 3 })).toThrow(/give one of them/);
  });

  it('can be read back from a run folder as settings', () => {
    const config = resolveConfig(draftConfig(wanted), 96);
    const again = readSettings(settingsFile(JSON.stringify({ ...config, about: { people: 3 } })));
    expect(resolveConfig(draftConfig(again), 96)).toEqual(config);
  });

  it('names the excluded people once and in natural order, and has no such entry where nobody is', () => {
    expect(draftConfig({ ...wanted, exclude: ['10', '9', 'ann', '9'] }).exclude).toEqual(['9', '10', 'ann']);
    const nobody = resolveConfig(draftConfig({ ...wanted, exclude: [] }), 96);
    expect(JSON.parse(JSON.stringify(nobody))).not.toHaveProperty('exclude');
    expect(() => draftConfig({ ...wanted, exclude: 'ann' as never })).toThrow(/settings: exclude: /);
  });
});
