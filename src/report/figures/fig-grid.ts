// Several plots as one: panels in rows and columns, each with a title, in one SVG that scales as a whole and is
// one file. Panels keep scales of their own, which Plot's facets do not.
import { escapeText, html, type Markup, trusted } from '../html.js';

/** One panel: an SVG as `renderPlot` or a sphere gives it. */
export interface Panel {
  title?: string;
  svg: Markup;
}

export interface GridOptions {
  /** What is shown, for those who cannot see it. */
  label: string;
  columns: number;
  /** Of each panel, in pixels of the drawing. */
  width: number;
  height: number;
  /** Between columns. */
  gap?: number;
}

const TITLE = 26;

/** The viewBox of an SVG's opening tag. */
function boxOf(svg: string): string {
  const box = /\bviewBox="([^"]+)"/.exec(svg)?.[1];
  if (box === undefined) throw new Error('a panel must be an <svg> with a viewBox');
  return box;
}

/** Panels from left to right, then down. */
export function grid(
  panels: readonly Panel[],
  { label, columns, width, height, gap = 16 }: GridOptions,
): Markup {
  const titled = panels.some(({ title }) => title !== undefined);
  const row = height + (titled ? TITLE : 0);
  const rows = Math.ceil(panels.length / columns);
  const whole = [columns * width + (columns - 1) * gap, rows * row + (rows - 1) * gap] as const;
  const placed = panels.map(({ title, svg }, i) => {
    const x = (i % columns) * (width + gap);
    const y = Math.floor(i / columns) * (row + gap);
    const opening = /<svg\b[^>]*>/.exec(svg.text)![0];
    const inner = opening
      .replace(/\s(?:role|aria-label|class|xmlns|width|height|viewBox)="[^"]*"/g, '')
      .replace(
        /^<svg/,
        `<svg x="${x}" y="${y + (titled ? TITLE : 0)}" width="${width}" height="${height}" viewBox="${boxOf(opening)}"`,
      );
    const heading =
      title !== undefined &&
      html`<text x="${x + width / 2}" y="${y + 16}" text-anchor="middle" font-size="13" font-weight="600" fill="currentColor">${title}</text>`;
    return html`${heading}${trusted(svg.text.replace(opening, inner))}\n`;
  });
  return trusted(
    `<svg role="img" aria-label="${escapeText(label)}" class="plot" xmlns="http://www.w3.org/2000/svg" ` +
      `width="${whole[0]}" height="${whole[1]}" viewBox="0 0 ${whole[0]} ${whole[1]}" ` +
      `font-family="system-ui, sans-serif">\n${html`${placed}`.text}</svg>`,
  );
}
