// Fig. 12 of SphereFace: 2-D features of all digits for m = 1 to 4, of the training and of the test images.
import { margins } from './fig-margins.js';
import { ALL_DIGITS, oneSet } from './fig-sets.js';
import { trainedFigure } from './trained.js';

export const fig12 = trainedFigure({
  name: 'fig-12',
  title: 'Features in the plane by margin, of training and of new images',
  source: 'Liu et al., SphereFace, CVPR 2017, Fig. 12',
  keep: { features: true },
  sets: oneSet(ALL_DIGITS, 6),
  networks: margins(2),
});
