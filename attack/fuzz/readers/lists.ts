// Lists that people and scripts write: pairs, scores, splits, benchmarks, landmarks, people to leave out.
import { readExcludeFile } from '../../../src/data/exclude-file.js';
import { readIjb } from '../../../src/data/ijb.js';
import { locateListed, parsePairList, peopleOfPaths } from '../../../src/data/pair-list.js';
import { findPairs, parsePairs } from '../../../src/data/pairs.js';
import { parseScores } from '../../../src/data/score-list.js';
import { findVideos, parseVideoPairs } from '../../../src/data/ytf.js';
import { drawLists, listsText, readLists } from '../../../src/evaluate/identification/open-set-lists.js';
import { openJournal } from '../../../src/face/align/journal.js';
import { alignmentOf } from '../../../src/face/align/known.js';
import { readLandmarkFile } from '../../../src/face/align/landmark-file.js';
import { layout } from '../../../test/data/ijb-layout.js';
import { type Files, ofFiles, ofText, type Reader } from '../reader.js';
import { asJson, asText } from '../samples.js';

const lfw = ['2\t1', 'Ada\t1\t2', 'Ada\t1\tBob\t1', 'Cy\t1\t2', 'Bob\t2\tCy\t3', ''].join('\n');
const images = [
  'Ada/Ada_0001.jpg',
  'Ada/Ada_0002.jpg',
  'Bob/Bob_0001.jpg',
  'Bob/Bob_0002.jpg',
  'Cy/Cy_0001.jpg',
];

const pairLists = [
  'ada/1.jpg,ada/2.jpg,1\nada/1.jpg,bob/1.jpg,0\n',
  '# by hand\nfirst\tsecond\tsame\tfold\nada/1.jpg\tada/2.jpg\tsame\t1\nada/1.jpg\tbob/1.jpg\tdifferent\t2\n',
  '2\nada/1.jpg ada/2.jpg true\nada/1.jpg bob/1.jpg false\n',
];
function readPairLists(text: string): void {
  const { pairs } = parsePairList(text);
  locateListed(pairs, images);
  peopleOfPaths(
    images,
    pairs.map(({ same }, i) => ({ first: i % 5, second: (i + 1) % 5, same })),
  );
}

const scores = [
  '0.5 1\n0.1 0\n-0.25 0\n',
  'score,label\n.7,same\n.2,different\n',
  'a/1.jpg\tb/1.jpg\t0.5\t0\t1\na/1.jpg\ta/2.jpg\t0.75\t1\t2\n',
];

const splits = [
  'split number, pair number, first name, second name, is same, original\n1, 1, Ada/0, Bob/2, 0, 0\n1, 2, Ada/0, Ada/1, 1, 1\n2, 1, Cy/0, Cy/3, 1, 0\n',
];

const ijb = (): Files[] => [
  Object.fromEntries([
    ...Object.entries(layout).map(([name, text]) => [`ijbc_${name}`, Buffer.from(text)] as const),
    [
      'ijbc_name_5pts_score.txt',
      asText(...Array.from({ length: 12 }, (_, i) => `${i + 1}.jpg 1 2 3 4 5 6 7 8 9 10 .9`)),
    ],
  ]),
];

const landmarks = (): Files[] => [
  {
    'faces.tsv': asText(
      ['path', 'score', 'x', 'y', 'w', 'h', 'lx', 'ly', 'rx', 'ry', 'nx', 'ny', 'ax', 'ay', 'bx', 'by'].join(
        '\t',
      ),
      ['a/1.jpg', '.9', 1, 2, 30, 40, 10, 10, 20, 10, 15, 15, 11, 20, 19, 20].join('\t'),
    ),
  },
  { 'faces.tsv': asText(['a/1.jpg', 10, 10, 20, 10, 15, 15, 11, 20, 19, 20].join('\t')) },
];

const openSet = (): Files[] => {
  const people = ['a/1', 'a/2', 'b/1', 'b/2', 'c/1', 'd/1'].map((path) => ({ path, person: path[0]! }));
  const drawn = drawLists(people);
  const rows = [
    ...drawn.gallery.map(({ path, person }) => `gallery\t${path}\t${person}`),
    ...drawn.mated.map(({ path, person }) => `mated\t${path}\t${person}`),
    ...drawn.nonMated.map(({ path, person }) => `non-mated\t${path}\t${person}`),
  ];
  return [
    { 'lists.json': Buffer.from(listsText(drawn)) },
    { 'lists.tsv': asText('list\tpath\tperson', ...rows) },
  ];
};

const settings = {
  format: 'hypersphere-align/1',
  template: 'arcface-112@0',
  face: 'largest',
  size: [112, 112],
};
const journal = (): Files[] => [
  {
    'align.json': asJson(settings),
    'faces.jsonl': asText(
      JSON.stringify({ path: 'a/1.jpg', faces: [{ file: 'a/1.jpg', quality: 0.5, reasons: [], score: 1 }] }),
      JSON.stringify({ path: 'a/2.jpg', faces: [], skipped: 'no face' }),
    ),
  },
];

/** The first of these that is in the folder. */
const either =
  (read: (file: string) => Promise<unknown>, ...names: string[]) =>
  async (folder: string): Promise<void> => {
    for (const name of names)
      await read(`${folder}/${name}`).catch((error: Error) => {
        if (error.message !== `${folder}/${name}: no such file`) throw error;
      });
  };

export const listReaders: readonly Reader[] = [
  ofText(
    'pairs-lfw',
    (text) => findPairs(parsePairs(text), [...images, 'Cy/Cy_0002.jpg', 'Cy/Cy_0003.jpg'], 'lfw'),
    [lfw],
  ),
  ofText('pair-list', readPairLists, [...pairLists, lfw]),
  ofText('scores', (text) => parseScores(text), scores),
  ofText(
    'ytf-splits',
    (text) =>
      findVideos(
        parseVideoPairs(text),
        ['Ada/0/1.jpg', 'Ada/1/1.jpg', 'Bob/2/1.jpg', 'Cy/0/1.jpg', 'Cy/3/1.jpg'],
        'ytf',
      ),
    splits,
  ),
  ofFiles('ijb', (folder) => readIjb(folder, { detectorScores: true }), ijb),
  ofFiles('landmarks', (folder) => readLandmarkFile(`${folder}/faces.tsv`), landmarks),
  ofFiles('open-set-lists', either(readLists, 'lists.json', 'lists.tsv'), openSet),
  ofFiles(
    'exclude',
    (folder) => readExcludeFile(`${folder}/exclude.json`),
    () => [
      { 'exclude.json': asJson({ format: 'hypersphere-overlap/1', exclude: ['Ada', 'Bob'], pairs: [] }) },
      { 'exclude.json': asText('# people to leave out', 'Ada', 'Bob # twice') },
    ],
  ),
  ofFiles('align-settings', (folder) => alignmentOf(folder), journal, { share: 0.5 }),
  ofFiles('align-journal', (folder) => openJournal(folder, settings), journal),
];
