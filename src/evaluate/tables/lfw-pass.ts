// LFW's accuracy in the mode of the paper's own code, and the angular Fisher score of the same photographs.
import { resolve } from 'node:path';
import { findPairs, readPairs } from '../../data/index.js';
import { angularFisher } from '../../theory/index.js';
import { requireSeveralFolds } from '../folds.js';
import { lfw } from '../lfw.js';
import { takeRows } from '../templates.js';
import { alignmentOf, count, digest, following, type Pass, type TestData, withModel } from './pass.js';

/** The pass, or the flags that are missing. */
export async function openLfw({ lfw: folder, pairs: file }: TestData): Promise<Pass | string> {
  if (folder === undefined || file === undefined) return '--lfw DIR --pairs FILE';
  const list = await readPairs(file);
  requireSeveralFolds(file, list.folds);
  return {
    key: digest(`${resolve(folder)} ${JSON.stringify(list.pairs)}`),
    measure: (run, hooks) =>
      withModel(run, folder, hooks, async (source) => {
        const paths = source.images.map(({ path }) => path);
        const { rows, people, pairs } = findPairs(list, paths, folder);
        const features = await source.features(rows, following(hooks));
        const files = rows.map((row) => paths[row]!);
        const { accuracy, standardError } = lfw({
          features,
          pairs,
          mode: 'sphereface',
          people,
          files,
          replicates: 0,
        });
        const fisher = fisherOf(features, people);
        return {
          figures: { lfw: 100 * accuracy, 'fisher-lfw': fisher.score },
          ...(fisher.score === null && {
            reasons: { 'fisher-lfw': 'nobody has two photographs among the pairs' },
          }),
          errors: { lfw: 100 * standardError },
          about: {
            lfw: `${count(pairs.length)} pairs of ${list.folds} folds, mode sphereface`,
            'fisher-lfw': fisher.about,
          },
          ...alignmentOf(source),
        };
      }),
  };
}

/** Over the people with two photographs and more; the features of the image alone, as for the training faces. */
function fisherOf(features: { length: number; original: Float32Array }, people: readonly string[]) {
  const counts = new Map<string, number>();
  for (const person of people) counts.set(person, (counts.get(person) ?? 0) + 1);
  const numbers = new Map([...counts].filter(([, count]) => count > 1).map(([name], i) => [name, i]));
  const kept = people.flatMap((person, row) => (numbers.has(person) ? [row] : []));
  const about = `over ${count(kept.length)} photographs of the ${count(numbers.size)} people who have two and more among the pairs`;
  if (numbers.size < 2) return { score: null, about };
  const labels = kept.map((row) => numbers.get(people[row]!)!);
  return { score: angularFisher(takeRows(features, kept), labels).score, about };
}
