// Fig. 8 of SphereFace: the same network with and without a ReLU after its last layer. With it no feature is
// negative, and all classes have to share a quarter of the circle.
import { ALL_DIGITS, oneSet } from './fig-sets.js';
import { trainedFigure } from './trained.js';

export const fig8 = trainedFigure({
  name: 'fig-8',
  title: 'With and without the last ReLU',
  source: 'Liu et al., SphereFace, CVPR 2017, Fig. 8',
  keep: { features: true },
  sets: oneSet(ALL_DIGITS, 6),
  networks: [true, false].map((relu) => ({
    id: relu ? 'with' : 'without',
    title: relu ? 'With ReLU' : 'Without ReLU',
    loss: 'softmax',
    options: {},
    net: { features: 2, relu },
  })),
});
