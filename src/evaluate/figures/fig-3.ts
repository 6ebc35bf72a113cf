// Fig. 3 of SphereFace: where a loss wants the features of two classes, in the plane and on the sphere. A region
// is where the loss's inequality for its class holds: the class's own logit, margin included, is the larger one.
// Its outline is found by walking from a place inside along rays until the inequality fails.
import { lossNamed } from '../../losses/index.js';
import type { Figure } from './figure.js';
import { boundaryBetween } from './root.js';

/** A place in the plane or in space. */
export type Place = number[];

/** The regions that one loss wants two classes in. */
export interface Constraint {
  id: string;
  title: string;
  loss: string;
  options: Record<string, unknown>;
  /** Class vectors as multiplied: of unit length, where the loss makes them so. In the plane, and in space. */
  vectors: { plane: [Place, Place]; space: [Place, Place] };
  biases: [number, number];
  /** Features in the plane, as closed outlines within a disc. */
  plane: [Place[], Place[]];
  /** Features of length 1 in space, as closed outlines on the sphere. */
  sphere: [Place[], Place[]];
  /**
   * On the unit circle, degrees from the first class vector towards the second: where the region of class 1 ends
   * and where that of class 2 begins.
   */
  ends: [number, number];
}

/** What losses on distances want: two balls so far apart that any two of one class are nearer than two of both. */
export interface Euclidean {
  /** The margin m of the contrastive loss; radius of the balls m / 2, centres 2 m apart. */
  margin: number;
  radius: number;
  /** In the plane; in space the third number is 0. */
  centres: [Place, Place];
}

export interface Fig3Data {
  /** Degrees between the class vectors. */
  between: number;
  /** Radius of the disc of the plane that is shown. */
  reach: number;
  euclidean: Euclidean;
  constraints: Constraint[];
}

const BETWEEN = 90;
const REACH = 1.3;
const MARGIN = 0.8;
const DEGREE = Math.PI / 180;
/** Rays from the inside of a region. */
const RAYS = { plane: 720, sphere: 240 };

const dot = (a: Place, b: Place): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const scaled = (a: Place, by: number): Place => a.map((value) => value * by);
const plus = (a: Place, b: Place): Place => a.map((value, i) => value + b[i]!);
const length = (a: Place): number => Math.hypot(...a);
const unit = (a: Place): Place => scaled(a, 1 / length(a));

/** The angle between two places, exact for small angles too (W. Kahan's formula). */
function angle(a: Place, b: Place): number {
  const [u, v] = [unit(a), unit(b)];
  return 2 * Math.atan2(length(plus(u, scaled(v, -1))), length(plus(u, v)));
}

interface Rule {
  loss: string;
  options: Record<string, unknown>;
  vectors: [Place, Place];
  biases: [number, number];
}

/**
 * By how much class k's inequality holds at x: |W_k||x| target(theta_k) + b_k - (W_j . x + b_j). Without target
 * and biases this is softmax between two classes.
 */
export function surplus({ loss, options, vectors, biases }: Rule, k: 0 | 1): (x: Place) => number {
  const target = lossNamed(loss).target!(options);
  const [own, other] = [vectors[k], vectors[1 - k]!];
  return (x) => {
    if (length(x) === 0) return biases[k] - biases[1 - k]!;
    const mine = length(own) * length(x) * target(angle(own, x)) + biases[k];
    return mine - (dot(other, x) + biases[1 - k]!);
  };
}

/** The first place on a path of parameter 0 to `end` at which `f` is about to fail; `end` if it never does. */
function walk(f: (at: number) => number, end: number, steps = 360): number {
  for (let i = 1; i <= steps; i++) {
    const at = (end * i) / steps;
    if (f(at) < 0) return boundaryBetween(f, (end * (i - 1)) / steps, at);
  }
  return end;
}

/** The outline of a convex region of the disc, seen from `centre`, which lies inside. */
function planeOutline(f: (x: Place) => number, centre: Place): Place[] {
  return Array.from({ length: RAYS.plane }, (_, i) => {
    const a = (2 * Math.PI * i) / RAYS.plane;
    const way = [Math.cos(a), Math.sin(a)];
    // |centre + t way| = reach
    const along = dot(centre, way);
    const end = -along + Math.sqrt(along ** 2 + REACH ** 2 - dot(centre, centre));
    const at = walk((t) => f(plus(centre, scaled(way, t))), end, 60);
    return plus(centre, scaled(way, at));
  });
}

const cross = ([a, b, c]: Place, [d, e, f]: Place): Place => [
  b! * f! - c! * e!,
  c! * d! - a! * f!,
  a! * e! - b! * d!,
];

/** The outline of a region of the sphere that great circles from `centre` leave once. */
function sphereOutline(f: (x: Place) => number, centre: Place): Place[] {
  const first = unit(cross(centre, Math.abs(centre[2]!) < 0.9 ? [0, 0, 1] : [1, 0, 0]));
  const second = cross(centre, first);
  return Array.from({ length: RAYS.sphere }, (_, i) => {
    const a = (2 * Math.PI * i) / RAYS.sphere;
    const way = plus(scaled(first, Math.cos(a)), scaled(second, Math.sin(a)));
    const on = (t: number): Place => plus(scaled(centre, Math.cos(t)), scaled(way, Math.sin(t)));
    return on(walk((t) => f(on(t)), Math.PI));
  });
}

interface Spec {
  id: string;
  title: string;
  loss: string;
  options?: Record<string, unknown>;
  /** Of class vectors that the loss leaves free. */
  lengths?: [number, number];
  biases?: [number, number];
}

/** Class 1 to the left, class 2 to the right, in the plane upwards and in space (x towards the reader, z up). */
const AXES: { plane: [Place, Place]; space: [Place, Place] } = {
  plane: [90 + BETWEEN / 2, 90 - BETWEEN / 2].map((a) => [Math.cos(a * DEGREE), Math.sin(a * DEGREE)]) as [
    Place,
    Place,
  ],
  space: [-BETWEEN / 2, BETWEEN / 2].map((a) => [Math.cos(a * DEGREE), Math.sin(a * DEGREE), 0]) as [
    Place,
    Place,
  ],
};

function constraint({ id, title, loss, options = {}, lengths = [1, 1], biases = [0, 0] }: Spec): Constraint {
  const withLengths = (pair: [Place, Place]): [Place, Place] => [
    scaled(pair[0], lengths[0]),
    scaled(pair[1], lengths[1]),
  ];
  const vectors = { plane: withLengths(AXES.plane), space: withLengths(AXES.space) };
  // A free class vector need not lie in its own region; the difference of both, which softmax decides by, does.
  const inside = (pair: [Place, Place], k: 0 | 1): Place =>
    lengths[0] === lengths[1] ? unit(pair[k]) : unit(plus(pair[k], scaled(pair[1 - k]!, -1)));
  const both = <T>(make: (k: 0 | 1) => T): [T, T] => [make(0), make(1)];
  const inPlane = { loss, options, vectors: vectors.plane, biases };
  const inSpace = { loss, options, vectors: vectors.space, biases };
  const start = 90 + BETWEEN / 2;
  const onCircle = (degrees: number): Place => [
    Math.cos((start - degrees) * DEGREE),
    Math.sin((start - degrees) * DEGREE),
  ];
  const [one, two] = both((k) => surplus(inPlane, k));
  return {
    id,
    title,
    loss,
    options,
    vectors,
    biases,
    plane: both((k) => planeOutline(surplus(inPlane, k), scaled(inside(vectors.plane, k), 0.8 * REACH))),
    sphere: both((k) => sphereOutline(surplus(inSpace, k), inside(vectors.space, k))),
    ends: [
      walk((t) => one(onCircle(t)), BETWEEN),
      BETWEEN - walk((t) => two(onCircle(BETWEEN - t)), BETWEEN),
    ],
  };
}

export const fig3: Figure<Fig3Data> = {
  name: 'fig-3',
  title: 'Where a loss wants the features of two classes',
  source: 'Liu et al., SphereFace, CVPR 2017, Fig. 3',
  trained: false,
  async collect() {
    return {
      between: BETWEEN,
      reach: REACH,
      euclidean: {
        margin: MARGIN,
        radius: MARGIN / 2,
        centres: [
          [-MARGIN, 0.1],
          [MARGIN, 0.1],
        ],
      },
      constraints: [
        { id: 'softmax', title: 'Softmax', loss: 'softmax', lengths: [1, 0.75], biases: [0.15, 0] } as Spec,
        { id: 'modified-softmax', title: 'Modified softmax', loss: 'modified-softmax' },
        ...[2, 4].map((margin) => ({
          id: `a-softmax-${margin}`,
          title: `A-Softmax, m = ${margin}`,
          loss: 'a-softmax',
          options: { margin },
        })),
      ].map(constraint),
    };
  },
};
