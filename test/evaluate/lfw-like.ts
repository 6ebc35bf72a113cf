// A folder in LFW's layout from made-up faces, with its pair list, and one in YTF's: for tests that need test faces.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder, writeFaces } from '../train/faces.js';

export interface LfwLike {
  folder: string;
  pairs: string;
  ytf: string;
  splits: string;
}

/** Four people with three photographs and three with one; two folds of two pairs of each kind. */
export async function lfwLike(): Promise<LfwLike> {
  const faces = await writeFaces(7, 3);
  const place = temporaryFolder();
  const [folder, ytf] = [join(place, 'lfw'), join(place, 'ytf')];
  for (let person = 0; person < 7; person++) {
    const name = `Person${person}`;
    mkdirSync(join(folder, name), { recursive: true });
    for (let image = 0; image < (person < 4 ? 3 : 1); image++) {
      const file = join(faces, `person${person}`, `${image}.png`);
      copyFileSync(file, join(folder, name, `${name}_000${image + 1}.png`));
      // A video of one frame for every photograph.
      mkdirSync(join(ytf, name, String(image)), { recursive: true });
      copyFileSync(file, join(ytf, name, String(image), `${image}.1.png`));
    }
  }
  const pairs = join(place, 'pairs.txt');
  const fold = (a: number, b: number) => [
    `Person${a}\t1\t2`,
    `Person${b}\t1\t3`,
    `Person${a}\t2\tPerson${b}\t3`,
    `Person${a}\t3\tPerson${b}\t1`,
  ];
  writeFileSync(pairs, ['2\t2', ...fold(0, 1), ...fold(2, 3), ''].join('\n'));
  const splits = join(place, 'splits.txt');
  const split = (number: number, a: number, b: number) =>
    [
      [`Person${a}/0`, `Person${a}/1`, 1],
      [`Person${b}/0`, `Person${b}/2`, 1],
      [`Person${a}/1`, `Person${b}/2`, 0],
      [`Person${a}/2`, `Person${b}/0`, 0],
    ].map(([first, second, same], i) => `${number}, ${i + 1}, ${first}, ${second}, ${same}`);
  writeFileSync(splits, [...split(1, 0, 1), ...split(2, 2, 3), ''].join('\n'));
  return { folder, pairs, ytf, splits };
}
