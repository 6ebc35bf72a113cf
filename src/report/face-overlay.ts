// Faces drawn over their photograph: the box, the five landmarks and a word, as an SVG of the photograph's size.
// It is laid over the pixels for a file, or over an <img> in a page.
import type { Detection } from '../face/index.js';
import { html, type Markup } from './html.js';

/** One face to draw, in pixels of the photograph, with what stands beside its box. */
export interface DrawnFace {
  readonly detection: Detection;
  readonly label: string;
}

/** Left and right as seen in the photograph: blue and orange; the nose is white. */
const COLOURS = ['#3f97e6', '#f5b22e', '#ffffff', '#3f97e6', '#f5b22e'];

/** The drawing for a photograph of width x height pixels. Lines keep their look whatever the size. */
export function faceOverlay(width: number, height: number, faces: readonly DrawnFace[]): Markup {
  const unit = Math.max(width, height) / 500;
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Inter, 'Segoe UI', Arial, sans-serif" font-size="${11 * unit}" font-weight="600">
${faces.map(({ detection: { box, landmarks }, label }) => {
  const words = label.length * 6.6 * unit + 6 * unit;
  // The word stands on the box, or inside of it where there is no room above.
  const top = box.y > 16 * unit ? box.y - 15 * unit : Math.max(0, box.y);
  return html`<rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" fill="none" stroke="#000" stroke-opacity=".55" stroke-width="${4 * unit}"/>
<rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" fill="none" stroke="#7ee2b8" stroke-width="${1.8 * unit}"/>
${label !== '' && html`<rect x="${Math.max(0, box.x)}" y="${top}" width="${words}" height="${15 * unit}" fill="#0d1a14" fill-opacity=".82"/><text x="${Math.max(0, box.x) + 3 * unit}" y="${top + 11.3 * unit}" fill="#eafff5">${label}</text>`}
${landmarks.map(([x, y], i) => html`<circle cx="${x + 0.5}" cy="${y + 0.5}" r="${2.3 * unit}" fill="${COLOURS[i]}" stroke="#000" stroke-width="${0.8 * unit}"/>`)}
`;
})}</svg>`;
}
