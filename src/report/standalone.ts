// Plots as files of their own: the page's SVG with its colours written in, on white, so that it looks the same
// in a browser, in a paper and in a drawing program.
import { escapeText, type Markup } from './html.js';
import { DAY } from './palette.js';

const FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";

/** The colour of a CSS variable of the page. Throws for one that the palette does not have. */
function resolved(name: string): string {
  const colour = DAY[name];
  if (colour === undefined) throw new Error(`the palette has no colour '${name}'`);
  return colour;
}

/** A plot as the text of one SVG file, with `title` as its title and a margin of white around it. */
export function standalone(svg: Markup, title: string): string {
  const text = svg.text.replace(/var\(--([\w-]+)\)/g, (_, name: string) => resolved(name));
  const opening = /^\s*<svg\b[^>]*>/.exec(text)?.[0];
  const box = /\bviewBox="([^"]+)"/
    .exec(opening ?? '')?.[1]
    ?.trim()
    .split(/\s+/)
    .map(Number);
  if (!opening || box?.length !== 4) throw new Error('a plot must be one <svg> with a viewBox');
  const [x, y, width, height] = [box[0]! - 12, box[1]! - 12, box[2]! + 24, box[3]! + 24];
  const kept = opening
    .trim()
    .replace(/\s(?:class|xmlns|width|height|viewBox|font-family|color)="[^"]*"/g, '')
    .replace(/^<svg/, '');
  const head =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${x} ${y} ${width} ${height}" ` +
    `color="${DAY.ink}" font-family="${FONT}"${kept}`;
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n${head}\n<title>${escapeText(title)}</title>\n` +
    `<style>text, tspan { white-space: pre; }</style>\n` +
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="#ffffff" stroke="none"/>` +
    `${text.slice(text.indexOf(opening) + opening.length).trimEnd()}\n`
  );
}
