// Tables 3 to 7 of SphereFace (Liu et al., CVPR 2017; 6 and 7 are in the appendix of its later versions, arXiv
// 1704.08063) with the published figures. Rows of other people's systems are shown as they were published by them or
// in the benchmark's lists, and not run.
import { UserError } from '../../common/errors.js';
import type { Depth, PaperTable, Published, TableRow } from './paper-table.js';
import type { RecipeId } from './recipes.js';

const PAPER = 'Liu et al., SphereFace: Deep Hypersphere Embedding for Face Recognition, CVPR 2017';

/** LFW and YTF accuracy. */
const verified = (lfw: number, ytf?: number): Published => ({ lfw, ...(ytf !== undefined && { ytf }) });

/** Rank-1 among a million distractors, and TAR at FAR 1e-6. */
const megaface = (rank1: number, tar: number): Published => ({ 'rank-1': rank1, tar });

/** LFW accuracy and angular Fisher score; the paper does not say of which faces the score is. */
const ablated = (lfw: number, fisher: number): Published => ({
  lfw,
  'fisher-training': fisher,
  'fisher-lfw': fisher,
});

const run = (id: RecipeId, title: string, published: Published): TableRow => ({
  id,
  title,
  published,
  recipe: id,
});

const other = (id: string, title: string, published: Published): TableRow => ({
  id,
  title,
  published,
  shown: 'as published',
});

const table3: PaperTable = {
  id: 'table3',
  title: 'The angular margin m on LFW and YTF',
  source: `${PAPER}, Table 3`,
  columns: ['lfw', 'ytf'],
  depth: 64,
  rows: [
    run('softmax', 'softmax', verified(97.88, 93.1)),
    run('modified-softmax', 'A-Softmax, m = 1 (modified softmax)', verified(97.9, 93.2)),
    run('a-softmax-m2', 'A-Softmax, m = 2', verified(98.4, 93.8)),
    run('a-softmax-m3', 'A-Softmax, m = 3', verified(99.25, 94.4)),
    run('a-softmax-m4', 'A-Softmax, m = 4', verified(99.42, 95.0)),
  ],
  remarks: [],
};

const table4: PaperTable = {
  id: 'table4',
  title: 'Losses on LFW and YTF',
  source: `${PAPER}, Table 4`,
  columns: ['lfw', 'ytf'],
  depth: 64,
  rows: [
    other('deepface', 'DeepFace, 4M images, 3 models', verified(97.35, 91.4)),
    other('facenet', 'FaceNet, 200M images', verified(99.63, 95.1)),
    other('deep-fr', 'Deep FR, 2.6M images', verified(98.95, 97.3)),
    other('deepid2+', 'DeepID2+, 0.3M images, 25 models', verified(99.47, 93.2)),
    other('baidu', 'Baidu, 1.3M images', verified(99.13)),
    other('center-face', 'Center Face, 0.7M images', verified(99.28, 94.9)),
    run('softmax', 'softmax', verified(97.88, 93.1)),
    run('softmax-contrastive', 'softmax + contrastive', verified(98.78, 93.5)),
    run('triplet', 'triplet', verified(98.7, 93.4)),
    run('l-softmax-m4', 'L-Softmax, m = 4', verified(99.1, 94.0)),
    run('softmax-center', 'softmax + center', verified(99.05, 94.4)),
    run('a-softmax-m4', 'SphereFace: A-Softmax, m = 4', verified(99.42, 95.0)),
  ],
  remarks: [
    'The paper chose the weights of the contrastive and the center loss by cross-validation and does not print them.',
    "Of the other people's systems, trained on data of their own, those are shown whose figures later papers print too.",
  ],
};

const table5: PaperTable = {
  id: 'table5',
  title: 'Losses on MegaFace, a million distractors',
  source: `${PAPER}, Table 5`,
  columns: ['rank-1', 'tar'],
  depth: 64,
  rows: [
    other('ntechlab-large', 'NTechLAB facenx, large training set', megaface(73.3, 85.08)),
    other('facenet-v8', 'Google FaceNet v8, large', megaface(70.5, 86.47)),
    other('faceall-norm', 'Beijing FaceAll_Norm_1600, large', megaface(64.8, 67.12)),
    other('faceall', 'Beijing FaceAll_1600, large', megaface(63.98, 63.96)),
    other('deepsense-small', 'DeepSense, small training set', megaface(70.98, 82.85)),
    other('siat-mmlab', 'SIAT_MMLAB, small', megaface(65.23, 76.72)),
    other('barebones-fr', 'Barebones_FR, small', megaface(59.36, 59.04)),
    other('ntechlab-small', 'NTechLAB facenx, small', megaface(58.22, 66.37)),
    other('3divi', '3DiVi tdvm6, small', megaface(33.71, 36.93)),
    run('softmax', 'softmax', megaface(54.86, 65.93)),
    run('softmax-contrastive', 'softmax + contrastive', megaface(65.22, 78.87)),
    run('triplet', 'triplet', megaface(64.8, 78.32)),
    run('l-softmax-m4', 'L-Softmax, m = 4', megaface(67.13, 80.42)),
    run('softmax-center', 'softmax + center', megaface(65.49, 80.15)),
    run('a-softmax-m4', 'SphereFace: A-Softmax, m = 4', megaface(72.73, 85.56)),
    {
      ...other('ensemble', 'SphereFace, ensemble of 3 patches', megaface(75.77, 89.14)),
      shown: 'an ensemble, not run',
    },
  ],
  remarks: [
    "FaceScrub's photographs among the million distractors of MegaFace, small training set protocol unless a row says otherwise.",
  ],
};

const table6: PaperTable = {
  id: 'table6',
  title: 'What each modification brings, at 4 layers',
  source: `${PAPER}, Table 6 (appendix E)`,
  columns: ['lfw', 'fisher-training', 'fisher-lfw'],
  depth: 4,
  rows: [
    run('softmax-relu', 'softmax, with a ReLU after FC1', ablated(95.13, 0.3477)),
    run('softmax', 'without that ReLU', ablated(96.37, 0.2835)),
    run('softmax-no-bias', '+ no bias', ablated(96.4, 0.2815)),
    run('modified-softmax', '+ unit class vectors (m = 1)', ablated(96.63, 0.2462)),
    run('a-softmax-m2', '+ A-Softmax, m = 2', ablated(97.67, 0.2277)),
    run('a-softmax-m3', '+ A-Softmax, m = 3', ablated(97.82, 0.1791)),
    run('a-softmax-m4', '+ A-Softmax, m = 4', ablated(98.2, 0.1709)),
  ],
  remarks: [
    'The paper does not say of which faces its Fisher score is, so it stands beside both of ours. Smaller is tighter.',
  ],
};

const depths: readonly [Depth, Published][] = [
  [4, megaface(57.53, 68.55)],
  [10, megaface(65.34, 78.07)],
  [20, megaface(69.62, 83.16)],
  [36, megaface(71.26, 84.05)],
  [64, megaface(72.73, 85.56)],
];

const table7: PaperTable = {
  id: 'table7',
  title: 'Depth on MegaFace, a million distractors',
  source: `${PAPER}, Table 7 (appendix F)`,
  columns: ['rank-1', 'tar'],
  depth: 64,
  rows: depths.map(
    ([depth, published]): TableRow => ({
      id: `layers-${depth}`,
      title: `${depth} layers`,
      published,
      recipe: 'a-softmax-m4',
      depth,
      ...(depth > 20 && { deep: true }),
    }),
  ),
  remarks: ['A-Softmax with m = 4 in every row.'],
};

export const TABLES: readonly PaperTable[] = [table3, table4, table5, table6, table7];

/** The table of that name. Throws a UserError that lists the names. */
export function tableNamed(name: string): PaperTable {
  const found = TABLES.find(({ id }) => id === name);
  if (!found)
    throw new UserError(`no table '${name}' to reproduce: ${TABLES.map(({ id }) => id).join(', ')}`);
  return found;
}
