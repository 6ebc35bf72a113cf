// Fig. 5 of SphereFace: 3-D features on the unit sphere for m = 1 to 4, and the angles between them. The larger the
// margin, the smaller the spot that a class keeps to.
import { margins } from './fig-margins.js';
import { oneSet } from './fig-sets.js';
import { trainedFigure } from './trained.js';

export const fig5 = trainedFigure({
  name: 'fig-5',
  title: 'Features on the sphere, and the angles between them',
  source: 'Liu et al., SphereFace, CVPR 2017, Fig. 5',
  keep: { features: true, angles: true },
  sets: oneSet([0, 1, 2, 3, 4, 5], 6),
  networks: margins(3),
});
