// Fig. 2 of SphereFace: two classes of 2-D features. Softmax parts them, but not by their angles; modified softmax
// by their angles; A-Softmax leaves an angle between them that belongs to nobody.
import { oneSet } from './fig-sets.js';
import { trainedFigure } from './trained.js';

export const fig2 = trainedFigure({
  name: 'fig-2',
  title: 'Two classes, three losses',
  source: 'Liu et al., SphereFace, CVPR 2017, Fig. 2',
  keep: { features: true },
  // 4 and 9 are the two digits that are most alike.
  sets: oneSet([4, 9], 2),
  networks: [
    { id: 'softmax', title: 'Softmax', loss: 'softmax', options: {}, net: { features: 2 } },
    {
      id: 'modified-softmax',
      title: 'Modified softmax',
      loss: 'modified-softmax',
      options: {},
      net: { features: 2 },
    },
    {
      id: 'a-softmax-4',
      title: 'A-Softmax, m = 4',
      loss: 'a-softmax',
      options: { margin: 4 },
      net: { features: 2 },
    },
  ],
});
