// Several plots as one SVG, so that what belongs together is one picture and one file.
import { html, type Markup, type Piece, trusted } from './html.js';

/** A plot in its place, with a title above it. */
export interface Panel {
  title: string;
  svg: Markup;
}

/** Room for a panel's title. */
const TITLE = 24;

/** Plots of `width` x `height` units in rows of `columns`; `label` describes the whole. */
export function sideBySide(
  panels: readonly Panel[],
  {
    label,
    columns,
    width,
    height,
    gap = 12,
  }: { label: string; columns: number; width: number; height: number; gap?: number },
): Markup {
  const rows = Math.ceil(panels.length / columns);
  const whole = [columns * (width + gap) - gap, rows * (height + TITLE + gap) - gap] as const;
  const placed = panels.map(({ title, svg }, i): Piece => {
    const [x, y] = [(i % columns) * (width + gap), Math.floor(i / columns) * (height + TITLE + gap)];
    // As a part of another picture it has neither a label nor a class of its own.
    const inner = svg.text
      .replace(/^\s*<svg\b[^>]*>/, (opening) =>
        opening.replace(/\s(?:role|aria-label|class|xmlns|width|height|x|y|font-family)="[^"]*"/g, ''),
      )
      .replace('<svg', `<svg x="${x}" y="${y + TITLE}" width="${width}" height="${height}"`);
    return html`<text x="${x + width / 2}" y="${y + 14}" text-anchor="middle" font-weight="600" font-size="13" fill="var(--ink)">${title}</text>
${trusted(inner)}`;
  });
  return html`<svg role="img" aria-label="${label}" class="plot" xmlns="http://www.w3.org/2000/svg" width="${whole[0]}" height="${whole[1]}" viewBox="0 0 ${whole[0]} ${whole[1]}" font-family="system-ui, sans-serif">
${placed}
</svg>`;
}
