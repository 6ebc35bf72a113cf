// SCRFD's decoder on ONNX files in the format of its authors' exports, made here from known faces, so that the whole
// way from a file to detections is walked; and what is said of files that hold no detector.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openOnnxDetector } from '../../src/face/detect/onnx-detector.js';
import type { Detection, Landmarks, Point } from '../../src/face/index.js';
import { encodeModel, type OnnxNode, type OnnxTensor } from '../../src/lower/index.js';
import { type Device, openDevice } from '../../src/runtime/index.js';
import { temporaryFolder } from '../train/faces.js';

const CANVAS = 640;
const STRIDES = [8, 16, 32];

/** A face in pixels of the canvas, and the output row that is to tell it. */
interface Planted {
  stride: number;
  column: number;
  row: number;
  anchor: 0 | 1;
  score: number;
  box: [left: number, top: number, right: number, bottom: number];
  points: [number, number][];
}

interface Layout {
  batchAxis: boolean;
  anchors: number;
  /** Adds (red of the canvas's first pixel, as the network sees it) to the score of every planted face. */
  addRed?: boolean;
}

/** An ONNX file whose nine outputs tell `faces` whatever its input. */
function scrfdFile(faces: readonly Planted[], { batchAxis, anchors, addRed }: Layout): Uint8Array {
  const initializers: OnnxTensor[] = [];
  const nodes: OnnxNode[] = [];
  const constant = (name: string, shape: number[], values: Iterable<number>) =>
    initializers.push({ name, dtype: 'float32', shape, data: Float32Array.from(values) });
  const whole = (name: string, values: number[]) =>
    initializers.push({
      name,
      dtype: 'int64',
      shape: [values.length],
      data: BigInt64Array.from(values, BigInt),
    });
  whole('start', [0, 0, 0, 0]);
  whole('end', [1, 1, 1, 1]);
  whole('two', [1, 1]);
  nodes.push(
    { opType: 'Slice', inputs: ['input.1', 'start', 'end'], outputs: ['first'] },
    { opType: 'Reshape', inputs: ['first', 'two'], outputs: ['red'] },
  );
  const outputs = [1, 4, 10].flatMap((width, h) =>
    STRIDES.map((stride, level) => {
      const side = CANVAS / stride;
      const rows = side * side * anchors;
      const shape = batchAxis ? [1, rows, width] : [rows, width];
      const values = new Float32Array(rows * width);
      const told = new Float32Array(rows);
      for (const face of faces.filter((planted) => planted.stride === stride)) {
        const at = (face.row * side + face.column) * anchors + face.anchor;
        const [x, y] = [face.column * stride, face.row * stride];
        const [left, top, right, bottom] = face.box;
        const rowValues = [
          [face.score],
          [x - left, y - top, right - x, bottom - y].map((d) => d / stride),
          face.points.flatMap(([px, py]) => [(px - x) / stride, (py - y) / stride]),
        ][h]!;
        values.set(rowValues, at * width);
        told[at] = 1;
      }
      // Exporters number their outputs; nothing follows from the names.
      const name = `${440 + (((h * 3 + level) * 7) % 23)}`;
      constant(`${name}:values`, shape, values);
      if (h === 0 && addRed) {
        constant(`${name}:told`, shape, told);
        nodes.push(
          { opType: 'Mul', inputs: [`${name}:told`, 'red'], outputs: [`${name}:red`] },
          { opType: 'Add', inputs: [`${name}:values`, `${name}:red`], outputs: [name] },
        );
      } else nodes.push({ opType: 'Identity', inputs: [`${name}:values`], outputs: [name] });
      return { name, dtype: 'float32' as const, shape };
    }),
  );
  return encodeModel({
    opset: 13,
    graph: {
      name: 'scrfd',
      nodes,
      initializers,
      inputs: [{ name: 'input.1', dtype: 'float32', shape: [1, 3, 'H', 'W'] }],
      outputs: outputs.reverse(),
    },
  });
}

/** Photograph pixels lie twice as dense on the canvas: edges scale as they are, centres half a pixel inside. */
const photograph = {
  width: 320,
  height: 240,
  scale: 1,
  pixels: Uint8Array.from({ length: 320 * 240 * 3 }, (_, i) => [230, 40, 120][i % 3]!),
};
const points: Landmarks = [
  [100.25, 80],
  [130, 82.5],
  [116, 99],
  [103, 114],
  [128, 115.5],
];
const onCanvas = (shift: number): [number, number][] =>
  points.map(([x, y]) => [(x + shift + 0.5) * 2 - 0.5, (y + 0.5) * 2 - 0.5]);
const planted: Planted[] = [
  { stride: 8, column: 28, row: 24, anchor: 0, score: 0.7, box: [180, 120, 280, 250], points: onCanvas(0) },
  // The same face at another stride, told less surely and a little off: it goes.
  { stride: 16, column: 14, row: 12, anchor: 1, score: 0.6, box: [184, 124, 284, 252], points: onCanvas(1) },
  // Another face, by the second anchor of a coarse cell, reaching over the edge.
  { stride: 32, column: 19, row: 4, anchor: 1, score: 0.9, box: [560, 100, 660, 220], points: onCanvas(180) },
  // Too unsure.
  { stride: 8, column: 2, row: 50, anchor: 1, score: 0.49, box: [0, 390, 40, 430], points: onCanvas(-90) },
];
const shifted = (by: number) => points.map(([x, y]): Point => [x + by, y]);

describe('SCRFD', () => {
  let device: Device;
  const folder = temporaryFolder();
  beforeAll(async () => {
    device = await openDevice('cpu', { threads: 1 });
  });
  afterAll(() => device?.close());
  const file = (name: string, bytes: Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
  const close = (found: Detection, score: number, box: number[], landmarks: readonly Point[]) => {
    expect(found.score).toBeCloseTo(score, 5);
    [found.box.x, found.box.y, found.box.width, found.box.height].forEach((value, i) => {
      expect(value).toBeCloseTo(box[i]!, 3);
    });
    found.landmarks.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(landmarks.flat()[i]!, 3);
    });
  };

  test.each([false, true])(
    'tells the faces in pixels of the photograph (with a batch axis: %s)',
    async (batchAxis) => {
      const bytes = scrfdFile(planted, { batchAxis, anchors: 2 });
      const detector = await openOnnxDetector(file(`det${batchAxis}.onnx`, bytes), { device });
      expect(detector).toMatchObject({ name: 'scrfd', threshold: 0.5 });
      const [found, again] = await detector.detect([photograph, photograph]);
      expect(found).toHaveLength(2);
      close(found![0]!, 0.9, [280, 50, 50, 60], shifted(180));
      close(found![1]!, 0.7, [90, 60, 50, 65], points);
      expect(again).toEqual(found);
    },
  );

  test('its input is RGB, (byte - 127.5) / 128', async () => {
    const [face] = planted;
    const bytes = scrfdFile([{ ...face!, score: 0 }], { batchAxis: false, anchors: 2, addRed: true });
    const detector = await openOnnxDetector(file('red.onnx', bytes), { device });
    const [found] = await detector.detect([photograph]);
    expect(found).toHaveLength(1);
    close(found![0]!, (230 - 127.5) / 128, [90, 60, 50, 65], points);
  });

  test('a lower threshold lets the unsure one through, a least size drops it again', async () => {
    const path = file('all.onnx', scrfdFile(planted, { batchAxis: false, anchors: 2 }));
    const lenient = await openOnnxDetector(path, { device, threshold: 0.4 });
    expect((await lenient.detect([photograph]))[0]!.map(({ score }) => Math.round(score * 100))).toEqual([
      90, 70, 49,
    ]);
    const large = await openOnnxDetector(path, { device, threshold: 0.4, minFace: 21 });
    expect((await large.detect([photograph]))[0]).toHaveLength(2);
  });

  test('outputs of another number of anchors are refused', async () => {
    const path = file('one.onnx', scrfdFile(planted.slice(0, 1), { batchAxis: false, anchors: 1 }));
    const detector = await openOnnxDetector(path, { device });
    await expect(detector.detect([photograph])).rejects.toThrow(/6400 cells at stride 8 .* 12800/);
  });

  test('a file that is no such detector is refused with what is in it', async () => {
    const other = encodeModel({
      opset: 13,
      graph: {
        name: 'other',
        nodes: [{ opType: 'Identity', inputs: ['data'], outputs: ['fc1'] }],
        initializers: [],
        inputs: [{ name: 'data', dtype: 'float32', shape: ['N', 3, 112, 112] }],
        outputs: [{ name: 'fc1', dtype: 'float32', shape: ['N', 3, 112, 112] }],
      },
    });
    await expect(openOnnxDetector(file('other.onnx', other), { device })).rejects.toThrow(
      'other.onnx: neither a YuNet nor an SCRFD detector with five landmarks (inputs data [N, 3, 112, 112]; outputs fc1 [N, 3, 112, 112])',
    );
    await expect(openOnnxDetector(join(folder, 'missing.onnx'), { device })).rejects.toThrow('no such file');
    await expect(openOnnxDetector(file('broken.onnx', new Uint8Array(9)), { device })).rejects.toThrow(
      /broken.onnx: /,
    );
  });
});
