// The networks by name, as the command line and a run's configuration name them.
import { UserError } from '../common/errors.js';
import type { Tensor } from '../graph/index.js';
import { digitNet } from './backbones/digits.js';
import { mobileFaceNet } from './backbones/mobilefacenet.js';
import { SPHEREFACE_DEPTHS, sphereface } from './backbones/sphereface.js';
import type { Normalization } from './normalization.js';
import type { Scope } from './scope.js';

/** What can be chosen about a network beside its name. */
export interface NetworkOptions {
  /** Length of the embedding; each network has its own default. */
  embedding?: number;
  /** SphereFace's ablation switch. */
  reluAfterFc1?: boolean;
  /** How normalisations are built, in networks that have them. Default `batch`, to train. */
  norm?: Normalization;
}

/** A network that can be asked for by name. */
export interface NetworkDefinition {
  readonly name: string;
  /** Input channels. */
  readonly channels: number;
  /** The input size [H, W] it was designed for. */
  readonly size: readonly [number, number];
  /** The embedding's length where nothing else is asked for. */
  readonly embedding: number;
  /** The embedding [N, length] of x [N, channels, H, W]. */
  build(scope: Scope, x: Tensor, options?: NetworkOptions): Tensor;
}

const definitions: NetworkDefinition[] = [
  ...SPHEREFACE_DEPTHS.map(
    (depth): NetworkDefinition => ({
      name: `sphereface-${depth}`,
      channels: 3,
      size: [112, 96],
      embedding: 512,
      build: (scope, x, options) => sphereface(scope, x, { depth, ...options }),
    }),
  ),
  {
    name: 'mobilefacenet',
    channels: 3,
    size: [112, 112],
    embedding: 128,
    build: mobileFaceNet,
  },
  {
    name: 'digits',
    channels: 1,
    size: [28, 28],
    embedding: 2,
    build: (scope, x, options) => digitNet(scope, x, { features: options?.embedding }),
  },
];

/** All networks by name. */
export const networks: Readonly<Record<string, NetworkDefinition>> = Object.fromEntries(
  definitions.map((network) => [network.name, network]),
);

/** The network called `name`, or a `UserError` that lists the names there are. */
export function networkNamed(name: string): NetworkDefinition {
  const found = Object.hasOwn(networks, name) ? networks[name] : undefined;
  if (!found)
    throw new UserError(`no network is called '${name}'; choose ${Object.keys(networks).join(', ')}`);
  return found;
}
