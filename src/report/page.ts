// The shell of every page: one HTML file that needs nothing else. Light or dark as the reader's system is, white
// on paper; the summary comes first, figures have captions, and what was set stands at the end. A page reaches
// for nothing, and runs nothing but a script of ours that it carries, which its policy names by hash.
import { createHash } from 'node:crypto';
import { html, type Markup, type Piece, trusted } from './html.js';
import { DAY, declared, NIGHT, PRINT } from './palette.js';

const STYLE = `
:root { color-scheme: light dark; ${declared(DAY)} }
@media (prefers-color-scheme: dark) { :root { ${declared(NIGHT)} } }
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 17px/1.55 "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 3.2rem 1.4rem 4rem; }
h1, h2, h3, th, td, .note, figcaption b, .key, .plot, .kicker, dt, dd, footer, code {
  font-family: "Inter", "Segoe UI", system-ui, -apple-system, "Helvetica Neue", Arial, sans-serif;
}
.kicker { margin: 0 0 .5rem; font-size: .8rem; letter-spacing: .09em; text-transform: uppercase; color: var(--soft); }
h1 { margin: 0 0 .8rem; font-size: clamp(1.7rem, 4vw, 2.5rem); line-height: 1.15; letter-spacing: -.02em; font-weight: 700; }
h2 { margin: 3.2rem 0 .5rem; font-size: 1.3rem; line-height: 1.3; letter-spacing: -.01em; }
h3 { margin: 0 0 .1rem; font-size: .98rem; }
p { margin: 0 0 .9rem; max-width: 46rem; }
.lead { font-size: 1.13rem; }
.note { font-size: .84rem; line-height: 1.5; color: var(--soft); max-width: 56rem; }
.formula { margin: 0 0 .5rem; font: italic .86rem/1.4 Georgia, serif; color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); gap: 1rem; margin: 1.1rem 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.1rem; min-width: 0; }
.card.guide { font-size: .95rem; }
.card.guide p:last-child { margin-bottom: 0; }
figure { margin: 1.1rem 0; }
figcaption { margin-top: .5rem; font-size: .92rem; color: var(--soft); max-width: 46rem; }
.wide { overflow-x: auto; }
.wide .plot { min-width: 640px; }
.plot { display: block; width: 100%; height: auto; max-width: 100%; }
.plot text, .plot tspan { white-space: pre; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 1.4rem 0 .6rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .6rem .8rem; text-align: right; border-top: 1px solid var(--line); vertical-align: baseline; }
thead th { border-top: 0; font-size: .78rem; line-height: 1.3; font-weight: 600; color: var(--soft); vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; }
tbody th { font-weight: 600; white-space: nowrap; }
td { white-space: nowrap; }
td small { color: var(--soft); font-size: .8em; }
.key { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; padding: 0; margin: .6rem 0; list-style: none; font-size: .86rem; }
.key i { display: inline-block; width: .75em; height: .75em; border-radius: 50%; margin-right: .4em; vertical-align: -.03em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.4rem; font-size: .88rem; margin: 1rem 0; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
code { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; font-size: .88em; }
pre { margin: .8rem 0; padding: .8rem 1rem; overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.cards > figure { margin: 0; }
section[id] .wide .plot { min-width: 860px; }
section > .kicker { margin: 4rem 0 0; }
.kicker + h2 { margin-top: .3rem; }
.contents h2 { margin: 0 0 .4rem; font-size: 1rem; }
.contents ol { margin: 0; padding: 0; list-style: none; columns: 24rem 2; font-size: .95rem; }
.contents li { margin: 0 0 .3rem; break-inside: avoid; }
.contents small { color: var(--soft); }
.contents .note { margin: .6rem 0 0; }
a { color: var(--accent); }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .82rem; color: var(--soft); }
@media (max-width: 560px) { main { padding-top: 2rem; } dl { grid-template-columns: 1fr; } dt { margin-top: .5rem; } }
@media print {
  :root { color-scheme: light; ${declared(PRINT)} }
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; }
  .cards { grid-template-columns: repeat(3, 1fr); gap: .5rem; }
  .card, figure, tr { break-inside: avoid; } h2 { break-after: avoid; }
  .scroll, .wide { overflow: visible; } table { font-size: 8pt; } th, td { padding: .3rem .45rem; } .card.guide { font-size: 9pt; }
}
`;

/** What a page is made of. */
export interface PageParts {
  title: string;
  /** A few words above the title. */
  kicker?: string;
  /** The summary, as the first paragraph. */
  lead: Piece;
  body: Piece;
  footer?: Piece;
  /** What the page works better with, and works without: the text of one script. */
  script?: string;
  /** Whether the page carries pictures, as data. */
  pictures?: boolean;
}

/** A whole page as the text of one HTML file. */
export function page({ title, kicker, lead, body, footer, script, pictures }: PageParts): string {
  // The hash allows this script alone; without one nothing may run.
  const scripts = script
    ? `; script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`
    : '';
  const allowed = `${scripts}${pictures ? '; img-src data:' : ''}`;
  const whole = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'${trusted(allowed)}">
<title>${title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
<header>
${kicker !== undefined && html`<p class="kicker">${kicker}</p>`}
<h1>${title}</h1>
<p class="lead">${lead}</p>
</header>
${body}
${footer !== undefined && html`<footer>${footer}</footer>`}
</main>
${script !== undefined && trusted(`<script>${script}</script>\n`)}</body>
</html>
`;
  return whole.text;
}

/** A table; the first cell of every row is its heading. */
export function table(headings: readonly Piece[], rows: readonly (readonly Piece[])[]): Markup {
  return html`<div class="scroll"><table>
<thead><tr>${headings.map((heading) => html`<th scope="col">${heading}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([first, ...rest]) =>
      html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>\n`,
  )}</tbody>
</table></div>`;
}

/** A figure with its caption: say in one or two plain sentences what to see. */
export function figure(body: Piece, caption: Piece, { wide = false } = {}): Markup {
  return html`<figure${wide && trusted(' class="card"')}><div${wide && trusted(' class="wide"')}>${body}</div>
<figcaption>${caption}</figcaption></figure>`;
}

/** What each colour means. */
export function key(entries: readonly { colour: string; text: Piece }[]): Markup {
  return html`<ul class="key">${entries.map(
    ({ colour, text }) => html`<li><i style="background:${colour}"></i>${text}</li>`,
  )}</ul>`;
}

/** Names and values, such as settings. */
export function facts(entries: readonly (readonly [name: Piece, value: Piece])[]): Markup {
  return html`<dl>${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>`;
}

/** 0.9731 as '97.3 %'; a dash for a figure that does not exist. */
export function percent(share: number | null | undefined, digits = 1): string {
  return isFigure(share) ? `${(share * 100).toFixed(digits)} %` : '–';
}

/** A number with so many digits behind the point; a dash for a figure that does not exist. */
export function decimal(value: number | null | undefined, digits: number): string {
  return isFigure(value) ? value.toFixed(digits) : '–';
}

const isFigure = (value: number | null | undefined): value is number =>
  value !== null && value !== undefined && Number.isFinite(value);
