// HTML as a tagged template: everything put into it is escaped, except markup made the same way. So a digit,
// a person's name or a path can never become a tag.
import { jsonText } from '../common/json.js';

/** A piece of finished HTML. */
export class Markup {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
}

/** What may stand in a template: null, undefined and false leave nothing. */
export type Piece = Markup | string | number | null | undefined | false | readonly Piece[];

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text made safe inside an element and inside a quoted attribute. */
export const escapeText = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign]!);

function show(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return '';
  if (piece instanceof Markup) return piece.text;
  if (Array.isArray(piece)) return piece.map(show).join('');
  // Of a damaged file, whose types nobody checked.
  if (typeof piece === 'object') return escapeText(jsonText(piece));
  return escapeText(String(piece));
}

/** Template tag: html`<p>${text}</p>` escapes `text`; markup and lists of it go in as they are. */
export function html(parts: TemplateStringsArray, ...pieces: Piece[]): Markup {
  return new Markup(parts.map((part, i) => (i === 0 ? part : show(pieces[i - 1]) + part)).join(''));
}

/** Text that is known to be HTML already: a rendered plot, a style sheet. */
export const trusted = (text: string): Markup => new Markup(text);
