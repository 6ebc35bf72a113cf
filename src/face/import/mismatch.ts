// What is said when a file is not of the network: names and shapes on both sides, line by line, with a mark where
// they differ.
import { UserError } from '../../common/errors.js';
import { fits, type Match, type Wanted } from './match.js';
import { shapeText } from './shapes.js';
import type { WeightFile } from './tensors.js';

/** A weight file that does not fit a network. The message is one sentence; `table` has the lines to it. */
export class WeightMismatch extends UserError {
  constructor(
    message: string,
    /** Both sides, a line a tensor; those that differ begin with '*'. */
    readonly table: string,
  ) {
    super(message);
  }
}

/** Lines that are shown, and of them those before the first that differs. */
const [LINES, BEFORE] = [40, 3];

interface Row {
  ours: string;
  theirs: string;
  differs: boolean;
}

/** Both sides as a table, from a little before the first line that differs. */
export function mismatchTable(
  { tensors }: WeightFile,
  wanted: readonly Wanted[],
  { assigned, over, misshapen }: Match,
): string {
  const own = wanted.filter(({ zero }) => !zero);
  const text = (name: string) => `${name} ${shapeText(tensors.get(name)!.shape)}`;
  const near = new Set(misshapen.values());
  // Where names tell nothing, the order does.
  const rows: Row[] =
    assigned.size * 2 < own.length
      ? inOrder(own, over, tensors)
      : [
          ...own.map((parameter): Row => {
            const theirs = assigned.get(parameter.name) ?? misshapen.get(parameter.name);
            return {
              ours: `${parameter.name} ${shapeText(parameter.shape)}`,
              theirs: theirs === undefined ? '-' : text(theirs),
              differs: !assigned.has(parameter.name),
            };
          }),
          ...over
            .filter((name) => !near.has(name))
            .map((name): Row => ({ ours: '-', theirs: text(name), differs: true })),
        ];
  const first = Math.max(0, rows.findIndex(({ differs }) => differs) - BEFORE);
  const shown = rows.slice(first, first + LINES);
  const width = Math.max(11, ...shown.map(({ ours }) => ours.length));
  const line = (mark: string, ours: string, theirs: string) => `${mark} ${ours.padEnd(width)}  ${theirs}`;
  const more = (count: number, where: string) => (count > 0 ? [`  ... ${count} ${where}`] : []);
  return [
    line(' ', 'the network', 'the file'),
    ...more(first, 'that agree'),
    ...shown.map(({ ours, theirs, differs }) => line(differs ? '*' : ' ', ours, theirs)),
    ...more(rows.length - first - shown.length, 'more'),
  ].join('\n');
}

function inOrder(own: readonly Wanted[], over: readonly string[], tensors: WeightFile['tensors']): Row[] {
  return Array.from({ length: Math.max(own.length, over.length) }, (_, i): Row => {
    const [parameter, name] = [own[i], over[i]];
    const tensor = name === undefined ? undefined : tensors.get(name);
    return {
      ours: parameter ? `${parameter.name} ${shapeText(parameter.shape)}` : '-',
      theirs: tensor ? `${name} ${shapeText(tensor.shape)}` : '-',
      differs: !parameter || !tensor || !fits(parameter, tensor),
    };
  });
}
