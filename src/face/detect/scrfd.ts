// SCRFD (Guo, Deng, Lattas and Zafeiriou 2021, "Sample and Computation Redistribution for Efficient Face Detection"),
// from ONNX files in the format of its authors' exports with key points. Tested on that format with files made for
// the test, not on the published weights.
import type { Result } from '../../runtime/index.js';
import type { Detection } from './detection.js';
import { fitInto } from './letterbox.js';
import { landmarksAt, requireCells, type SingleShot } from './single-shot.js';

const STRIDES = [8, 16, 32] as const;
/** Faces that each cell can have. */
const ANCHORS = 2;
/** The canvas of a model that takes any size. */
const CANVAS = { width: 640, height: 640 };

/**
 * Input [1, 3, H, W], RGB, (byte - 127.5) / 128. Nine outputs of any name and order, with or without a batch axis of
 * 1: scores [rows, 1] of 0 to 1, boxes [rows, 4] as distances from the cell to the sides, and key points [rows, 10]
 * as offsets, both in strides; rows are the cells of stride 8, 16 or 32, each `ANCHORS` times in a row.
 */
export const scrfd: SingleShot = {
  name: 'scrfd',
  threshold: 0.5,
  overlap: 0.4,
  input: { order: 'rgb', mean: 127.5, scale: 1 / 128 },

  fits({ inputs, outputs }) {
    const numbers = outputs.map(({ shape }) => shape.at(-1));
    return (
      inputs.length === 1 &&
      inputs[0]!.shape.length === 4 &&
      inputs[0]!.shape[1] === 3 &&
      outputs.length === 9 &&
      [1, 4, 10].every((n) => numbers.filter((found) => found === n).length === STRIDES.length)
    );
  },

  fit(photograph, fixed = CANVAS) {
    return fitInto(fixed, photograph);
  },

  decode(outputs, canvas, threshold) {
    const [scores, boxes, points] = [1, 4, 10].map((n) => largestFirst(outputs, n));
    const found: Detection[] = [];
    STRIDES.forEach((stride, level) => {
      const [score, box, point] = [scores![level]!, boxes![level]!, points![level]!];
      const columns = Math.ceil(canvas.width / stride);
      const rows = columns * Math.ceil(canvas.height / stride) * ANCHORS;
      requireCells('SCRFD', score.length, rows, stride);
      for (let i = 0; i < rows; i++) {
        if (score[i]! < threshold) continue;
        const cell = Math.floor(i / ANCHORS);
        const [x, y] = [(cell % columns) * stride, Math.floor(cell / columns) * stride];
        const [left, top, right, bottom] = [0, 1, 2, 3].map((side) => box[4 * i + side]! * stride);
        found.push({
          box: { x: x - left!, y: y - top!, width: left! + right!, height: top! + bottom! },
          score: score[i]!,
          landmarks: landmarksAt(point, 10 * i, stride, x, y),
        });
      }
    });
    return found;
  },
};

/** The outputs of `n` numbers a row, the finest stride first: it has the most rows. */
function largestFirst(outputs: Readonly<Record<string, Result>>, n: number): Result['data'][] {
  return Object.values(outputs)
    .filter(({ shape }) => shape.at(-1) === n)
    .map(({ data }) => data)
    .sort((a, b) => b.length - a.length);
}
