// Counts as Markdown tables, as docs/reliability.md has them.

export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => plain(String(cell))).join(' | ')} |`;
  const numeric = head.map(
    (_, i) => rows.length > 0 && rows.every((row) => /^[\d,.]*$/.test(String(row[i]))),
  );
  return [
    line(head),
    `| ${numeric.map((right) => (right ? '---:' : '---')).join(' | ')} |`,
    ...rows.map(line),
  ].join('\n');
}

/** A cell in which nothing ends the cell or the line. */
const plain = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}]/gu, (letter) => `\\u{${letter.codePointAt(0)!.toString(16)}}`)
    .replaceAll('|', '\\|');

export const whole = (value: number): string => value.toLocaleString('en-US');
