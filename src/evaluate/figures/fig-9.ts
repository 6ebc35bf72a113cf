// Fig. 9 of SphereFace: the length of a class's weights against the number of its images. Softmax gives classes
// with more images longer weights, a prior that normalising the weights takes away. The classes are given their
// sizes on purpose, three times in different orders, so that it is the size and not the class that is seen.
import { random } from '../../common/random.js';
import { listPeople } from '../../data/index.js';
import {
  classCounts,
  digitSet,
  type FigureSet,
  faceSet,
  longTail,
  withCounts,
} from '../../train/figure-data.js';
import type { Subject } from '../../train/figure-net.js';
import { MANY } from './fig-10.js';
import type { FigureOptions } from './figure.js';
import { trainedFigure } from './trained.js';

const ORDERS = 3;

/** Images of the largest and of the smallest class. */
const SIZES = { digits: [800, 20], faces: [28, 2] } as const;

/** So many people at least are drawn: in a folder where fewer have enough images, the tail is shorter. */
const PEOPLE = 20;

/** The images that everyone must have to be drawn, `most` or what is left of it. */
async function imagesNeeded(folder: string, most: number): Promise<number> {
  const sizes = (await listPeople(folder)).map(({ paths }) => paths.length).sort((a, b) => b - a);
  return Math.max(2, Math.min(most, sizes[Math.min(PEOPLE, sizes.length) - 1]!));
}

async function sets(subject: Subject, { seed, perClass, faces }: FigureOptions): Promise<FigureSet[]> {
  const [most, least] = SIZES[subject];
  const full =
    subject === 'digits'
      ? digitSet({ seed, perClass, testShare: 0 })
      : await faceSet(faces!, {
          seed,
          perClass,
          minImages: await imagesNeeded(faces!, most),
          testShare: 0,
        });
  const largest = Math.min(most, ...classCounts(full.train));
  const sizes = longTail(full.names.length, largest, Math.max(1, Math.round((least * largest) / most)));
  return Array.from({ length: ORDERS }, (_, order) => {
    const dealt = random(seed, 'long tail', order).shuffle([...sizes]);
    return { ...full, train: withCounts(full.train, dealt) };
  });
}

export const fig9 = trainedFigure({
  name: 'fig-9',
  title: 'Length of the weights against the size of the class',
  source: 'Liu et al., SphereFace, CVPR 2017, Fig. 9',
  keep: {},
  sets,
  // Many people need more steps than six.
  steps: { faces: 1500 },
  networks: Array.from({ length: ORDERS }, (_, order) => ({
    id: `order-${order + 1}`,
    title: `order ${order + 1}`,
    loss: 'softmax',
    options: {},
    net: { features: MANY },
    set: order,
  })),
});
