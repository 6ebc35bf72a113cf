// People who are left out of training by name: they are out, it is written down, and a run goes on with its own list.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { draftRun, type Settings } from '../../src/train/config.js';
import { FILES, type Identities } from '../../src/train/run-folder.js';
import { train } from '../../src/train/trainer.js';
import { temporaryFolder, writeFaces } from './faces.js';

let data: string;
let everybody: string[];
beforeAll(async () => {
  data = await writeFaces(5, 4);
  const out = join(temporaryFolder(), 'run');
  await train(draftRun([tiny(out)], false));
  everybody = identities(out).trained.map(({ person }) => person);
});

const tiny = (out: string, more: Settings = {}): Settings => ({
  ...{ data, out, net: 'sphereface-4', loss: 'softmax', size: [32, 32], embedding: 16 },
  ...{ batch: 4, steps: 1, lr: 0.01, threads: 1 },
  ...more,
});

const read = (out: string, file: string) => JSON.parse(readFileSync(join(out, file), 'utf8'));
const identities = (out: string): Identities => read(out, FILES.identities);

describe('people who are excluded', () => {
  it('are neither trained on nor held out, and are written down', async () => {
    const out = join(temporaryFolder(), 'run');
    const gone = [everybody[3]!, everybody[1]!];
    const notes: string[] = [];
    const draft = draftRun([tiny(out, { exclude: gone, holdout: 1 })], false);
    await train(draft, { onNote: (line) => notes.push(line) });
    const { trained, heldOut, excluded } = identities(out);
    const kept = [...trained, ...heldOut].map(({ person }) => person);
    expect(kept.sort()).toEqual(everybody.filter((name) => !gone.includes(name)));
    expect(excluded).toEqual([everybody[1], everybody[3]]);
    expect(read(out, FILES.config)).toMatchObject({ exclude: excluded, about: { peopleExcluded: 2 } });
    expect(notes).toEqual([`2 of 2 people to exclude are in ${data} and were left out`]);
    // Its configuration repeats it.
    expect(draftRun([{ ...read(out, FILES.config), about: {} }], false).exclude).toEqual(excluded);
  });

  it('and are not in the folder are told in one line, and the run goes on', async () => {
    const out = join(temporaryFolder(), 'run');
    const strangers = ['a', 'b', 'c', 'd', 'e', 'f'];
    const notes: string[] = [];
    const draft = draftRun([tiny(out, { exclude: [...strangers, everybody[0]!] })], false);
    expect(await train(draft, { onNote: (line) => notes.push(line) })).toMatchObject({ finished: true });
    expect(identities(out).trained.map(({ person }) => person)).toEqual(everybody.slice(1));
    expect(notes).toEqual([
      `1 of 7 people to exclude are in ${data} and were left out`,
      `not in ${data}: 6 people to exclude (a, b, c, d, e, ...)`,
    ]);
  });

  it('cannot be everybody', async () => {
    const out = join(temporaryFolder(), 'run');
    await expect(train(draftRun([tiny(out, { exclude: everybody.slice(1) })], false))).rejects.toThrow(
      /1 of 5 people left to train on \(4 excluded\)/,
    );
    await expect(train(draftRun([tiny(out, { exclude: everybody })], false))).rejects.toThrow(
      /0 of 5 people left to train on \(5 excluded\)/,
    );
  });

  it('cannot be named as those to hold out', async () => {
    const both = { exclude: [everybody[0]!], holdout: [everybody[0]!] };
    const out = join(temporaryFolder(), 'run');
    await expect(train(draftRun([tiny(out, both)], false))).rejects.toThrow(/hold out .*are excluded/);
  });

  it('are the same when a run is resumed: another list is refused, the same one in another order is not', async () => {
    const out = join(temporaryFolder(), 'run');
    const gone = [everybody[2]!, everybody[0]!];
    await train(draftRun([tiny(out, { exclude: gone })], false));
    const resume = (exclude?: string[]) =>
      train(draftRun([tiny(out, exclude && { exclude })], true), { resume: true });
    expect(await resume()).toMatchObject({ finished: true });
    expect(await resume([...gone].reverse())).toMatchObject({ finished: true });
    await expect(resume([gone[0]!])).rejects.toThrow(
      /--resume: exclude is \["\w+"\] but the run began with \[/,
    );
    await expect(resume([])).rejects.toThrow(/--resume: exclude is nothing but the run began with \[/);

    const whole = join(temporaryFolder(), 'run');
    await train(draftRun([tiny(whole)], false));
    await expect(
      train(draftRun([tiny(whole, { exclude: [...'abcdefg'] })], true), { resume: true }),
    ).rejects.toThrow('exclude is ["a","b","c","d","e", ... 7 in all] but the run began with nothing');
  });
});
