// Fig. 11 of SphereFace: softmax with and without biases in the classification layer. The features use the plane
// the same way, which is why the paper can leave the biases out.
import { ALL_DIGITS, oneSet } from './fig-sets.js';
import { trainedFigure } from './trained.js';

export const fig11 = trainedFigure({
  name: 'fig-11',
  title: 'Features with and without biases',
  source: 'Liu et al., SphereFace, CVPR 2017, Fig. 11',
  keep: { features: true, logitGap: true },
  sets: oneSet(ALL_DIGITS, 6),
  networks: [true, false].map((bias) => ({
    id: bias ? 'with' : 'without',
    title: bias ? 'With biases' : 'Without biases',
    loss: 'softmax',
    options: { bias },
    net: { features: 2 },
  })),
});
