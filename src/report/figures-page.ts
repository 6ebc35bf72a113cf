// The page with all figures, and the files of each: data as JSON, plots as SVG. A figure is drawn from its JSON
// file, so a page grows with every figure that is made, and a new version draws what an old one has trained.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { writeWholeSync } from '../common/files.js';
import { type Figure, type FigureFile, figures } from '../evaluate/figures/index.js';
import { type DrawnFigure, type DrawnPlot, drawings } from './figures/index.js';
import { html, type Markup, type Piece } from './html.js';
import { facts, page } from './page.js';
import { sphereHint, sphereScript } from './sphere.js';
import { standalone } from './standalone.js';

/** A figure with its file. */
interface Shown {
  figure: Figure;
  file: FigureFile;
}

/** Draws a figure's file. Throws a UserError for one that this version cannot draw. */
function drawn({ figure, file }: Shown): DrawnFigure {
  const drawing = drawings[figure.name];
  if (!drawing) throw new UserError(`${figure.name} has no drawing`);
  try {
    return drawing.draw(file.data);
  } catch (error) {
    throw new UserError(
      `${figure.name}.json cannot be drawn (${(error as Error).message}); make it again with --figure ${figure.name}`,
    );
  }
}

/**
 * Writes NAME.json and NAME-PLOT.svg for every plot into `folder`, which must be there; plots of an older
 * NAME.json that are no longer drawn are removed. The data come first: they may have taken an hour. Returns the
 * names of the files.
 */
export function writeFigure(folder: string, figure: Figure, file: FigureFile): string[] {
  const json = `${figure.name}.json`;
  const save = (plots: readonly string[]) =>
    writeWholeSync(join(folder, json), `${JSON.stringify({ ...file, plots })}\n`);
  const older = read(folder, figure)?.plots ?? [];
  save(older);
  const written = drawn({ figure, file }).plots.map(({ id, svg, title }) => {
    const name = `${figure.name}-${id}.svg`;
    writeWholeSync(join(folder, name), standalone(svg, [figure.title, title].filter(Boolean).join(': ')));
    return name;
  });
  for (const name of older) {
    if (!written.includes(name) && !/[/\\]/.test(name)) rmSync(join(folder, name), { force: true });
  }
  save(written);
  return [json, ...written];
}

/** The file of a figure, or undefined for what is no such file. */
function read(folder: string, { name }: Figure): FigureFile | undefined {
  try {
    const file = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as FigureFile;
    return file?.format === 'hypersphere-figure/1' && file.name === name ? file : undefined;
  } catch {
    return undefined;
  }
}

/** What became of the figures of a folder. */
export interface WrittenPage {
  path: string;
  /** Names of the figures that the page shows. */
  shown: string[];
  /** One line for each file that was there and could not be shown. */
  left: string[];
}

/** Writes index.html with all figures whose JSON files are in `folder`. */
export function writeFiguresPage(folder: string): WrittenPage {
  const left: string[] = [];
  const shown = figures.flatMap((figure) => {
    if (!existsSync(join(folder, `${figure.name}.json`))) return [];
    const file = read(folder, figure);
    try {
      if (!file) throw new UserError(`${figure.name}.json is not a figure of this program; it is left out`);
      return [{ figure, file, drawn: drawn({ figure, file }) }];
    } catch (error) {
      left.push((error as Error).message);
      return [];
    }
  });
  const path = join(folder, 'index.html');
  writeWholeSync(path, figuresPage(shown));
  return { path, shown: shown.map(({ figure }) => figure.name), left };
}

/** The page as one HTML text. */
export function figuresPage(shown: readonly (Shown & { drawn: DrawnFigure })[]): string {
  const missing = figures.filter(({ name }) => !shown.some(({ figure }) => figure.name === name));
  const body = html`${contents(shown, missing)}
${shown.map(section)}`;
  return page({
    kicker: 'Hypersphere · the figures',
    title: 'Angular margins in pictures',
    lead: html`The figures of the SphereFace paper that explain its loss, made anew, and two comparisons of all margin functions. Everything drawn was computed from the losses that train, or measured on networks that were trained for it; the settings stand below each figure.`,
    body,
    footer: html`Figures after Liu, Wen, Yu, Li, Raj and Song, “SphereFace: Deep Hypersphere Embedding for Face Recognition”, CVPR 2017. Each plot is an SVG file, and each figure’s data a JSON file, in the folder of this page.`,
    script: sphereScript(body),
  });
}

function contents(shown: readonly Shown[], missing: readonly Figure[]): Markup {
  return html`<nav class="card contents" aria-label="Figures"><h2>Figures</h2>
<ol>${shown.map(
    ({ figure: { name, title, source } }) =>
      html`<li><a href="#${name}">${title}</a> <small>${source}</small></li>\n`,
  )}</ol>
${
  missing.length > 0 &&
  html`<p class="note">Not made yet: ${missing.map(
    ({ name }, i) => html`${i > 0 && ', '}<code>${name}</code>`,
  )}. <code>hypersphere toy --figure NAME</code>, with the same <code>--out</code>, adds one${missing.some(({ trained }) => trained) && ' (figures of features train networks, which takes minutes)'}.</p>`
}</nav>`;
}

function section({
  figure,
  file,
  drawn: { lead, plots, after, settings },
}: Shown & { drawn: DrawnFigure }): Markup {
  const rows: [Piece, Piece][] = [
    ...(file.seed === undefined ? [] : ([['seed', file.seed]] as [Piece, Piece][])),
    ...settings.map(([name, value]): [Piece, Piece] => [name, value]),
    ['made', `${file.made.slice(0, 10)}, in ${Math.max(1, Math.round(file.seconds))} s`],
    [
      'with',
      Object.entries(file.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    ['again with', html`<code>hypersphere toy --figure ${figure.name}</code>`],
  ];
  return html`<section id="${figure.name}">
<p class="kicker">${figure.source}</p>
<h2>${figure.title}</h2>
<p>${lead}</p>
${rowsOf(plots).map((row) => (row[0]!.wide ? wide(row[0]!) : html`<div class="cards">${row.map(card)}</div>`))}
${plots.some(({ interactive }) => interactive) && sphereHint}
${after}
${facts(rows)}
</section>
`;
}

/** Plots that are not wide stand in one row with their neighbours. */
function rowsOf(plots: readonly DrawnPlot[]): DrawnPlot[][] {
  const rows: DrawnPlot[][] = [];
  for (const plot of plots) {
    const last = rows[rows.length - 1];
    if (last && !plot.wide && !last[0]!.wide) last.push(plot);
    else rows.push([plot]);
  }
  return rows;
}

const heading = (title: string | undefined): Piece => title !== undefined && html`<h3>${title}</h3>`;

const card = ({ title, caption, svg, interactive }: DrawnPlot): Markup =>
  html`<figure class="card">${heading(title)}${interactive ?? svg}
<figcaption>${caption}</figcaption></figure>\n`;

const wide = ({ title, caption, svg, interactive }: DrawnPlot): Markup =>
  html`<figure class="card">${heading(title)}<div class="wide">${interactive ?? svg}</div>
<figcaption>${caption}</figcaption></figure>\n`;
