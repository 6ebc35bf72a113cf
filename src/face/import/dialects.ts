// What the same parameter is called elsewhere: for each of the widely used ports of a network, our name of every
// parameter beside theirs. Names are facts of published files; no code of theirs is here.

/** A way to name a network's parameters. */
export interface Dialect {
  /** In words, for the report. */
  name: string;
  /** The networks it is for, by name. */
  nets: RegExp;
  /** Their name of our parameter. */
  rename(ours: string): string;
}

/** Their layers by ours: our layer's name, or the part of it that matters, to theirs. */
type Layers = Readonly<Record<string, string>>;

/** Our parts of a convolution with normalisation and PReLU, as most ports in PyTorch name them. */
const BLOCK: Layers = { weight: 'conv.weight', norm: 'bn', 'prelu.slope': 'prelu.weight' };

/** Repetitions in each row of MobileFaceNet's Table 1. */
const ROWS = [5, 1, 6, 1, 2];

/** The bottlenecks [row, k], both from 1, in their order. */
const bottlenecks = ROWS.flatMap((n, row) => Array.from({ length: n }, (_, k) => [row + 1, k + 1] as const));

/** Splits 'block1_2.expand.norm.weight' into its layer and the rest, the longest known layer first. */
function renamed(layers: Layers, ours: string, parts: Layers): string {
  const layer = Object.keys(layers).find((name) => ours.startsWith(`${name}.`));
  if (layer === undefined) return ours;
  const rest = ours.slice(layer.length + 1);
  const part = Object.keys(parts).find((name) => rest === name || rest.startsWith(`${name}.`));
  return [layers[layer], part === undefined ? rest : parts[part] + rest.slice(part.length)]
    .filter((piece) => piece !== '')
    .join('.');
}

/** Every bottleneck is one sequence of convolution, normalisation and PReLU, counted through. */
const counted: Layers = Object.fromEntries(
  bottlenecks.map(([row, k], i) => [`block${row}_${k}`, `blocks.${i}.conv`]),
);
const countedParts: Layers = Object.fromEntries(
  ['expand', 'depthwise', 'project'].flatMap((layer, i) => [
    [`${layer}.weight`, `${3 * i}.weight`],
    [`${layer}.norm`, `${3 * i + 1}`],
    [`${layer}.prelu.slope`, `${3 * i + 2}.weight`],
  ]),
);
const countedOutside: Layers = {
  conv1: 'conv1',
  depthwise1: 'dw_conv1',
  conv2: 'conv2',
  global: 'linear7',
  embedding: 'linear1',
};

/** Rows of bottlenecks: the first of a row that halves the size apart, the others as a sequence. */
const OPENING = ['conv_23', 'conv_34', '', 'conv_45', ''];
const SEQUENCE = ['conv_3', '', 'conv_4', '', 'conv_5'];
const named: Layers = {
  conv1: 'conv1',
  depthwise1: 'conv2_dw',
  ...Object.fromEntries(
    bottlenecks.flatMap(([row, k]) => {
      const opening = OPENING[row - 1]!;
      const at = k === 1 && opening ? opening : `${SEQUENCE[row - 1]}.model.${k - (opening ? 2 : 1)}`;
      return [
        [`block${row}_${k}.expand`, `${at}.conv`],
        [`block${row}_${k}.depthwise`, `${at}.conv_dw`],
        [`block${row}_${k}.project`, `${at}.project`],
      ];
    }),
  ),
  conv2: 'conv_6_sep',
  global: 'conv_6_dw',
};
/** The embedding is a fully connected layer and a normalisation of their own. */
const namedLast: Layers = { weight: 'linear.weight', norm: 'bn' };

/** The dialects, our own names first. */
export const dialects: readonly Dialect[] = [
  { name: 'the same names', nets: /./, rename: (ours) => ours },
  {
    name: 'names of the SphereFace ports in PyTorch',
    nets: /^sphereface/,
    rename: (ours) => ours.replace(/\.slope$/, '.weight'),
  },
  {
    name: 'names of MobileFaceNet ports with blocks.N and linear1',
    nets: /^mobilefacenet$/,
    rename: (ours) =>
      ours.startsWith('block') ? renamed(counted, ours, countedParts) : renamed(countedOutside, ours, BLOCK),
  },
  {
    name: 'names of MobileFaceNet ports with conv_23 and conv_6_dw',
    nets: /^mobilefacenet$/,
    rename: (ours) =>
      ours.startsWith('embedding.')
        ? renamed({ embedding: '' }, ours, namedLast)
        : renamed(named, ours, BLOCK),
  },
];
