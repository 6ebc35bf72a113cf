// What holds for every page and every SVG file: tags that close, nothing from elsewhere, nothing that runs.
import { expect } from 'vitest';

/** Everything by which a page could reach for the network, and everything that could run. */
export function expectSelfContained(text: string): void {
  expect(text).not.toMatch(/(src|href|srcset|action|data)\s*=\s*["']?\s*(https?:)?\/\//i);
  expect(text).not.toMatch(/<(script|link|iframe|img|object|embed|base)\b/i);
  expect(text).not.toMatch(/@import|url\(/i);
  expect(text).not.toMatch(/\son[a-z]+\s*=/i);
}

/** Every tag that is opened is closed, in order. */
export function expectWellFormed(text: string): void {
  const open: string[] = [];
  for (const [, close, name, attributes] of text.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:"[^"]*"|[^">])*)>/g)) {
    if (close) expect(open.pop()).toBe(name);
    else if (!attributes!.endsWith('/') && !['meta', 'br', 'img'].includes(name!)) open.push(name!);
  }
  expect(open).toEqual([]);
}

/** A file of XML: one root, tags closed in order, and no entity but the five that XML knows. */
export function expectXml(text: string): void {
  const body = text.replace(/^<\?xml [^>]*\?>\s*/, '');
  expect(body.replace(/&(?:amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);/gi, '')).not.toContain('&');
  const tags = [...body.matchAll(/<(\/?)([a-zA-Z][\w:-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g)];
  // Everything that opens like a tag is one, with quoted attributes.
  expect(tags).toHaveLength(body.split('<').length - 1);
  const open: string[] = [];
  for (const [i, [, close, name, attributes, empty]] of tags.entries()) {
    if (close) expect(open.pop()).toBe(name);
    else if (!empty) open.push(name!);
    if (open.length === 0) expect(i).toBe(tags.length - 1);
    const names = [...attributes!.matchAll(/([\w:-]+)=/g)].map((match) => match[1]);
    expect(new Set(names).size, `attributes of <${name}>`).toBe(names.length);
  }
  expect(open).toEqual([]);
}
