// Who goes with whom, one to one: the assignment of greatest total worth, by the Hungarian method in the form of
// shortest augmenting paths (Jonker and Volgenant, Computing 1987), exact and O(rows^2 columns).

/** Below any pair's worth, which is at least 0, and too little to outweigh a difference that could be seen. */
const NOBODY = -1e-9;

/**
 * For every row of `worth` the column it is given, or undefined for none. No column is given twice, and the sum of
 * worths is the greatest there is. `worth[row][column]` is at least 0; -Infinity where the two do not go together.
 */
export function assign(worth: readonly (readonly number[])[]): (number | undefined)[] {
  const rows = worth.length;
  const real = worth[0]?.length ?? 0;
  // A column for every row that is given none, so that a full assignment exists.
  const columns = real + rows;
  const cost = (row: number, column: number): number =>
    column < real ? -worth[row]![column]! : column === real + row ? -NOBODY : Infinity;
  // Columns and rows count from 1; 0 is where a path begins.
  const ofRow = new Float64Array(rows + 1);
  const ofColumn = new Float64Array(columns + 1);
  const owner = new Int32Array(columns + 1);
  const before = new Int32Array(columns + 1);
  for (let row = 1; row <= rows; row++) {
    const least = new Float64Array(columns + 1).fill(Infinity);
    const done = new Uint8Array(columns + 1);
    let at = 0;
    owner[0] = row;
    do {
      done[at] = 1;
      const from = owner[at]!;
      let step = Infinity;
      let next = 0;
      for (let column = 1; column <= columns; column++) {
        if (done[column]) continue;
        const reduced = cost(from - 1, column - 1) - ofRow[from]! - ofColumn[column]!;
        if (reduced < least[column]!) {
          least[column] = reduced;
          before[column] = at;
        }
        if (least[column]! < step) {
          step = least[column]!;
          next = column;
        }
      }
      for (let column = 0; column <= columns; column++)
        if (done[column]) {
          ofRow[owner[column]!]! += step;
          ofColumn[column]! -= step;
        } else least[column]! -= step;
      at = next;
    } while (owner[at] !== 0);
    while (at !== 0) {
      owner[at] = owner[before[at]!]!;
      at = before[at]!;
    }
  }
  const given: (number | undefined)[] = worth.map(() => undefined);
  for (let column = 1; column <= real; column++)
    if (owner[column] !== 0) given[owner[column]! - 1] = column - 1;
  return given;
}
