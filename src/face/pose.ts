// How a head is turned, from its five landmarks: they are taken for the parallel projection of an average head, whose
// scaled rotation is then a linear least-squares problem (the first step of POSIT, DeMenthon and Davis, IJCV 1995).
// Five points give the direction and a fair size of the turn, not a measurement.
import type { Landmarks } from './detect/detection.js';

/** Degrees; all 0 for an upright face looking straight ahead. */
export interface Pose {
  /** To the side: positive when the nose points to the right of the photograph. */
  readonly yaw: number;
  /** Up or down: positive when the nose points down. */
  readonly pitch: number;
  /** In the plane of the photograph: positive when the head is turned clockwise. */
  readonly roll: number;
}

/**
 * The average head: x to the right, y down, z towards the viewer, in half distances between the eyes. Seen from the
 * front, it is the median of 96 faces of CelebA whose nose is near the middle, made symmetric; the tip of the nose
 * stands out by about as much as the eyes are from the middle, the corners of the mouth by a fourth of it.
 */
export const HEAD: readonly (readonly [x: number, y: number, z: number])[] = [
  [-1, 0, 0],
  [1, 0, 0],
  [0, 1.22, 1],
  [-0.88, 2.01, 0.25],
  [0.88, 2.01, 0.25],
];

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const centred = (values: readonly number[]) => values.map((value) => value - mean(values));
const degrees = (radians: number) => (radians * 180) / Math.PI;

const [X, Y, Z] = [0, 1, 2].map((axis) => centred(HEAD.map((point) => point[axis]!))) as [
  number[],
  number[],
  number[],
];

/** The pose of the head with these landmarks; NaN where they all lie in one place. */
export function pose(landmarks: Landmarks): Pose {
  const [u, v] = [0, 1].map((axis) => centred(landmarks.map((point) => point[axis]!))) as [
    number[],
    number[],
  ];
  // The images of the head's axes. The head is symmetric, so X is orthogonal to Y and Z.
  const axisX = [dot(X, u) / dot(X, X), dot(X, v) / dot(X, X)] as const;
  const across = solve(dot(Y, u), dot(Z, u));
  const along = solve(dot(Y, v), dot(Z, v));
  const length = Math.hypot(...axisX);
  if (length === 0) return { yaw: Number.NaN, pitch: Number.NaN, roll: Number.NaN };
  // Turned back by the roll, the axes are s(cos yaw, 0), s(sin yaw sin pitch, cos pitch), s(sin yaw cos pitch, -sin pitch).
  const [cos, sin] = [axisX[0] / length, axisX[1] / length];
  const down = cos * along.y - sin * across.y;
  const depthDown = cos * along.z - sin * across.z;
  const depthAcross = cos * across.z + sin * along.z;
  // Landmarks may be a little nearer together downwards than in this head: only the ratio counts.
  const tilt = Math.atan2(depthDown, down);
  const yaw = Math.atan2(depthAcross / Math.max(Math.cos(tilt), 0.2), length);
  return { yaw: degrees(yaw), pitch: degrees(tilt), roll: degrees(Math.atan2(axisX[1], axisX[0])) };
}

/** The y and z for which y Y + z Z has these products with Y and Z. */
function solve(withY: number, withZ: number): { y: number; z: number } {
  const [yy, yz, zz] = [dot(Y, Y), dot(Y, Z), dot(Z, Z)];
  const determinant = yy * zz - yz * yz;
  return { y: (withY * zz - withZ * yz) / determinant, z: (withZ * yy - withY * yz) / determinant };
}
