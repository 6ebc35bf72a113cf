// Fig. 10 of SphereFace: the biases that softmax learns. Most lie near zero, small beside what W x contributes.
import { digitSet, faceSet } from '../../train/figure-data.js';
import { trainedFigure } from './trained.js';

/** Features of Figs. 9 and 10, of which nothing is drawn: enough that the plane is not what limits them. */
export const MANY = 64;

export const fig10 = trainedFigure({
  name: 'fig-10',
  title: 'The biases that softmax learns',
  source: 'Liu et al., SphereFace, CVPR 2017, Fig. 10',
  keep: { logitGap: true },
  sets: async (subject, { seed, perClass, faces }) => [
    subject === 'digits'
      ? digitSet({ seed, perClass })
      : await faceSet(faces!, { seed, perClass, testShare: 0 }),
  ],
  // All people of the folder need more steps than six: after 1500, 57 % of the training images are known.
  steps: { faces: 4000 },
  networks: [
    { id: 'softmax', title: 'Softmax', loss: 'softmax', options: { bias: true }, net: { features: MANY } },
  ],
});
