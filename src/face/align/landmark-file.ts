// Landmarks that are known already, from a tab-separated file: what data sets come with, or another program found.
import { UserError } from '../../common/errors.js';
import { readText } from '../../common/files.js';
import type { Box, Detection, Landmarks, Point } from '../detect/detection.js';

/** The faces of each photograph by its path in the file, with '/'. */
export type LandmarkTable = ReadonlyMap<string, readonly Detection[]>;

/**
 * Reads a file of one line a face: the path of the photograph first; the last ten columns are x and y of left eye,
 * right eye, nose, left and right corner of the mouth, as seen, in pixels of the upright photograph, the first at 0.
 * A first line without numbers there names the columns: 'x', 'y', 'w', 'h' are the box and 'score' the score. Without
 * it five columns in between are score and box. A box that is not stated is drawn around the landmarks.
 * Throws a UserError that names the line that is wrong.
 */
export async function readLandmarkFile(file: string): Promise<LandmarkTable> {
  const text = await readText(file);
  const lines = text.split(/\r?\n/).map((line) => line.split('\t'));
  const numbersOf = (columns: readonly string[]) =>
    columns.map((column) => (column.trim() === '' ? Number.NaN : Number(column)));
  const header = numbersOf(lines[0]!.slice(-10)).every(Number.isNaN) ? lines[0] : undefined;
  const names = header ?? ['path', 'score', 'x', 'y', 'w', 'h'];
  const table = new Map<string, Detection[]>();
  for (const [i, columns] of lines.entries()) {
    if ((header && i === 0) || columns.join('').trim() === '') continue;
    const numbers = numbersOf(columns.slice(-10));
    if (columns.length < 11 || !numbers.every(Number.isFinite)) {
      throw new UserError(
        `${file}, line ${i + 1}: after the path, its last ten columns must be x and y of five landmarks, with tabs between`,
      );
    }
    const stated = (name: string) =>
      header || columns.length === 16 ? numbersOf([columns[names.indexOf(name)] ?? ''])[0]! : Number.NaN;
    const landmarks = [0, 2, 4, 6, 8].map((at): Point => [numbers[at]!, numbers[at + 1]!]);
    const box = { x: stated('x'), y: stated('y'), width: stated('w'), height: stated('h') };
    const path = columns[0]!.replaceAll('\\', '/').replace(/^\.\//, '');
    const faces = table.get(path) ?? [];
    faces.push({
      box: Object.values(box).every(Number.isFinite) ? box : around(landmarks),
      score: stated('score') || 1,
      landmarks: landmarks as unknown as Landmarks,
    });
    table.set(path, faces);
  }
  if (table.size === 0) throw new UserError(`${file}: there are no landmarks in it`);
  return table;
}

/** A square about the landmarks, as wide as a face is: more than twice as wide as they are. */
function around(points: readonly Point[]): Box {
  const [left, top] = [0, 1].map((axis) => Math.min(...points.map((point) => point[axis]!)));
  const [right, bottom] = [0, 1].map((axis) => Math.max(...points.map((point) => point[axis]!)));
  const side = 2.2 * Math.max(right! - left!, bottom! - top!);
  return {
    x: (left! + right! - side) / 2,
    y: (top! + bottom! - side) / 2,
    width: side,
    height: side,
  };
}
