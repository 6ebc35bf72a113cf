// What stands below a table: the data that was trained on, how each row was trained, and where this differs from the
// runs of the paper. Without it two figures beside each other would be taken for comparable.
import { basename, join, resolve } from 'node:path';
import type { LossOptions } from '../../losses/index.js';
import { type Config, FILES, PAPER, readSettings } from '../../train/index.js';
import type { Depth } from './paper-table.js';
import { isBegun, type Plan } from './plan.js';
import type { TableResult } from './table-result.js';

const count = (n: number): string => n.toLocaleString('en');
const plain = (n: number): string => String(Number(n.toPrecision(3)));

/** The facts that a run's config.json states about its data. */
interface About {
  people?: number;
  images?: number;
  peopleExcluded?: number;
  imagesSkipped?: number;
}

function aboutOf({ runs }: Plan): About | undefined {
  const begun = runs.find(({ folder }) => isBegun(folder));
  return begun && (readSettings(join(begun.folder, FILES.config)).about as About | undefined);
}

/** Names and values: data, budget, seeds. */
export function settingsOf(plan: Plan): TableResult['settings'] {
  const { options, budget, faces } = plan;
  const about = aboutOf(plan);
  const { size, batch, steps, seeds } = budget;
  const images = about?.images ?? faces.images;
  return [
    ['Scale', options.scale],
    [
      'Training faces',
      `${count(images)} images of ${count(about?.people ?? faces.people)} people (${basename(resolve(options.data))})`,
    ],
    [
      'Left out of training by name',
      about?.peopleExcluded === undefined ? count(options.exclude?.length ?? 0) : count(about.peopleExcluded),
    ],
    ...(about?.imagesSkipped
      ? [['Images that could not be read', count(about.imagesSkipped)] as [string, string]]
      : []),
    [
      'Input',
      `${size[0]} x ${size[1]} pixels (height x width), aligned as the training faces lie in their folder`,
    ],
    [
      'Each run',
      `${count(steps)} steps of ${count(batch)} images (${plain((steps * batch) / images)} times through the data)`,
    ],
    ['Seeds', Array.from({ length: seeds }, (_, i) => i + 1).join(', ')],
    [
      'Optimiser',
      `SGD, momentum ${PAPER.momentum}, weight decay ${PAPER.weightDecay}, mirrored by chance, the rate a tenth after 4/7 and 6/7 of the run`,
    ],
  ];
}

/** Where this differs from the paper's training; what is the same is left out. */
export function differencesOf(plan: Plan): TableResult['differences'] {
  const { options, budget, faces, runs } = plan;
  const about = aboutOf(plan);
  const { table } = options;
  const depths = [...new Set(runs.map(({ config }) => Number(config.net.split('-')[1]) as Depth))];
  const layers = depths.join(', ');
  const sameDepths = table.rows.some(({ depth }) => depth !== undefined) || layers === String(table.depth);
  const { size, batch, steps, seeds } = budget;
  const rates = [...new Set(runs.map(({ config }) => config.lr))].map(String).join(', ');
  const rows: TableResult['differences'] = [
    [
      'training faces',
      'CASIA-WebFace, 494,414 images of 10,575 people, less those of the test sets',
      `${count(about?.images ?? faces.images)} images of ${count(about?.people ?? faces.people)} people`,
    ],
    ['alignment', 'landmarks by MTCNN', 'as the faces were given'],
    ['layers', String(table.depth), sameDepths ? String(table.depth) : layers],
    ['input', '112 x 96', `${size[0]} x ${size[1]}`],
    ['images a step', '512 (256 on each of two GPUs in the published scripts)', count(batch)],
    ['steps', count(PAPER.steps), count(steps)],
    ['images seen in training', count(PAPER.steps * PAPER.batch), count(steps * batch)],
    ['rate at the start', String(PAPER.rate), rates],
    ['runs of each row', '1 (as far as the paper says)', count(seeds)],
  ];
  return rows.filter(([, paper, here]) => paper !== here && !paper.startsWith(`${here} `));
}

/** How a run is trained, in words: loss and options, rate, sampler. */
export function recipeText({ net, loss, lossOptions, lr, perPerson, reluAfterFc1, warmUp }: Config): string {
  const options = optionsText(lossOptions);
  return [
    `${net}, ${loss}${options === '' ? '' : ` (${options})`}`,
    ...(reluAfterFc1 ? ['ReLU after FC1'] : []),
    `rate ${lr}`,
    ...(warmUp > 0 ? [`warm-up of ${warmUp} steps`] : []),
    ...(perPerson > 0 ? [`${perPerson} images of each person in a batch`] : []),
  ].join(', ');
}

function optionsText(options: LossOptions): string {
  return Object.entries(options)
    .map(([name, value]) => {
      if (typeof value !== 'object' || value === null) return `${name} ${String(value)}`;
      const inner = optionsText(value as LossOptions);
      return inner === '' ? '' : `${name}: ${inner}`;
    })
    .filter((text) => text !== '')
    .join(', ');
}
