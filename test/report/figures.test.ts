import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectFigure, type FigureFile, figures, figuresNamed } from '../../src/evaluate/figures/index.js';
import { drawings } from '../../src/report/figures/index.js';
import { spreadHeights } from '../../src/report/figures/target-logits.js';
import { figuresPage, writeFigure, writeFiguresPage } from '../../src/report/figures-page.js';
import { html } from '../../src/report/html.js';
import { page } from '../../src/report/page.js';
import { renderPlot } from '../../src/report/plot.js';
import { sideBySide } from '../../src/report/side-by-side.js';
import { sphere, sphereHint, sphereScript, sphereSvg } from '../../src/report/sphere.js';
import { SPHERE_SCRIPT } from '../../src/report/sphere-script.js';
import { standalone } from '../../src/report/standalone.js';
import { expectSelfContained, expectWellFormed, expectXml } from '../support/markup.js';

const parent = mkdtempSync(join(tmpdir(), 'hypersphere-figures-'));
const folder = join(parent, 'figures');
mkdirSync(folder);
afterAll(() => rmSync(parent, { recursive: true }));

/** The figures that need no training. */
const quick = figures.filter(({ trained }) => !trained);
const files = new Map<string, FigureFile>();
beforeAll(async () => {
  for (const figure of quick) files.set(figure.name, await collectFigure(figure, { seed: 1, device: 'cpu' }));
});

describe('every figure', () => {
  it('has a drawing', () => {
    expect(Object.keys(drawings).sort()).toEqual(figures.map(({ name }) => name).sort());
  });

  it('is drawn the same from its JSON, with captions, settings and unique plots', () => {
    for (const { name } of quick) {
      const { data } = files.get(name)!;
      const drawn = drawings[name]!.draw(data);
      expect(drawings[name]!.draw(JSON.parse(JSON.stringify(data)))).toEqual(drawn);
      expect(new Set(drawn.plots.map(({ id }) => id)).size).toBe(drawn.plots.length);
      expect(drawn.settings.length).toBeGreaterThan(0);
      for (const { id, caption, svg } of drawn.plots) {
        expect(id).toMatch(/^[a-z0-9-]+$/);
        expect(html`${caption}`.text.length).toBeGreaterThan(20);
        expect(svg.text).toMatch(/^\s*<svg[^>]*role="img"[^>]*aria-label="[^"]{10,}"/);
        expect(svg.text).not.toMatch(/NaN|Infinity|undefined/);
      }
    }
  });
});

describe('the folder of figures', () => {
  const write = (name: string) =>
    writeFigure(folder, figuresNamed(name)[0]!, files.get(figuresNamed(name)[0]!.name)!);
  const index = () => readFileSync(join(folder, 'index.html'), 'utf8');

  it('grows: the page shows what is there, and says what is not', () => {
    write('target-logits');
    expect(writeFiguresPage(folder)).toEqual({
      path: join(folder, 'index.html'),
      shown: ['target-logits'],
      left: [],
    });
    expect(index()).toMatch(/Not made yet:.*<code>fig-3<\/code>/);
    write('3');
    write('boundaries');
    expect(writeFiguresPage(folder).shown).toEqual(['fig-3', 'target-logits', 'boundaries']);
    const text = index();
    expectWellFormed(text);
    expectSelfContained(text);
    const { document } = parseHTML(text);
    const links = [...document.querySelectorAll('nav a')].map((link) => link.getAttribute('href'));
    expect(links).toEqual(['#fig-3', '#target-logits', '#boundaries']);
    for (const link of links) {
      const section = document.querySelector(`section${link}`)!;
      expect(section.querySelectorAll('figure svg').length).toBeGreaterThan(0);
      expect(section.querySelector('dl')!.textContent).toContain(
        `hypersphere toy --figure ${link!.slice(1)}`,
      );
    }
  });

  it('has each plot as a file of XML with the colours written in', () => {
    const names = readdirSync(folder).filter((name) => name.endsWith('.svg'));
    expect(names).toContain('fig-3-sphere.svg');
    for (const name of names) {
      const text = readFileSync(join(folder, name), 'utf8');
      expectXml(text);
      expect(text, name).toMatch(/<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="\d+" height="\d+"/);
      expect(text).toMatch(/<title>.+<\/title>/);
      expect(text).not.toContain('var(');
      expect(text).not.toMatch(/NaN|undefined/);
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('loses the plots of an older version of the figure, and no other file', () => {
    const [figure] = figuresNamed('fig-3');
    const file = { ...files.get('fig-3')!, plots: ['fig-3-old.svg', '../outside.svg'] };
    writeFileSync(join(folder, 'fig-3.json'), JSON.stringify(file));
    const outside = join(parent, 'outside.svg');
    writeFileSync(outside, '<svg/>');
    for (const name of ['fig-3-old.svg', 'fig-3-mine.svg']) writeFileSync(join(folder, name), '<svg/>');
    writeFigure(folder, figure!, files.get('fig-3')!);
    expect(existsSync(outside)).toBe(true);
    expect(existsSync(join(folder, 'fig-3-old.svg'))).toBe(false);
    expect(existsSync(join(folder, 'fig-3-mine.svg'))).toBe(true);
    const { plots } = JSON.parse(readFileSync(join(folder, 'fig-3.json'), 'utf8'));
    expect(plots).toEqual(['fig-3-plane.svg', 'fig-3-sphere.svg']);
  });

  it('leaves out, and names, files that it cannot draw', () => {
    const strange = { format: 'hypersphere-figure/1', name: 'boundaries', made: '', versions: {}, data: {} };
    writeFileSync(join(folder, 'boundaries.json'), JSON.stringify(strange));
    writeFileSync(join(folder, 'target-logits.json'), '{"format": "hyper');
    const { shown, left } = writeFiguresPage(folder);
    expect(shown).toEqual(['fig-3']);
    expect(left).toEqual([
      expect.stringMatching(/^target-logits.json is not a figure/),
      expect.stringMatching(/^boundaries.json cannot be drawn .*--figure boundaries$/),
    ]);
  });

  it('escapes what stands in its files', () => {
    const figure = quick[0]!;
    const hostile = '<img src=x onerror=alert(1)>';
    const text = figuresPage([
      {
        figure,
        file: { ...files.get(figure.name)!, versions: { node: hostile } },
        drawn: { lead: hostile, plots: [], settings: [[hostile, hostile]] },
      },
    ]);
    expectWellFormed(text);
    expect(text).not.toContain('<img');
  });
});

describe('a plot as a file', () => {
  it('says so when it has a colour that does not exist, or no frame', () => {
    expect(() => standalone(html`<svg viewBox="0 0 1 1"><path stroke="var(--nope)"/></svg>`, 't')).toThrow(
      /nope/,
    );
    expect(() => standalone(html`<svg><path/></svg>`, 't')).toThrow(/viewBox/);
  });

  it('keeps titles safe', () => {
    const plot = renderPlot({ label: 'a < b & "c"', width: 50, height: 50, marks: [] });
    expectXml(standalone(plot, 'a < b & "c"'));
    expectXml(
      standalone(
        sideBySide([{ title: '<&>', svg: plot }], { label: 'x', columns: 1, width: 50, height: 50 }),
        't',
      ),
    );
  });
});

describe('names at the ends of curves', () => {
  it('are pushed apart in their order, and stay where there is room', () => {
    const placed = spreadHeights([0, 5, 0.1, -0.1], 1);
    expect(placed[1]).toBe(5);
    expect(placed[2]! - placed[0]!).toBeGreaterThan(0.99);
    expect(placed[0]! - placed[3]!).toBeGreaterThan(0.99);
  });
});

describe('the sphere', () => {
  const parts = {
    label: 'three classes on the sphere',
    points: [
      { x: 2, y: 0, z: 0, class: 0 },
      { x: 0, y: 3, z: 1, class: 4 },
      { x: -1, y: -1, z: -1, class: 4 },
      { x: 0, y: 0, z: 0, class: 0 },
    ],
    directions: [
      { x: 1, y: 0.2, z: 0, class: 0 },
      { x: 0, y: -1, z: 0.5, class: 4, name: 'Ann' },
    ],
  };

  /** What of a sphere depends on the side it is seen from. */
  const shown = (text: string) => {
    const { document } = parseHTML(text);
    return [...document.querySelectorAll('svg path, svg text')].map((element) =>
      ['d', 'transform', 'opacity'].map((name) => element.getAttribute(name)),
    );
  };

  /** A page with the sphere in which the script has run; keys turn it. */
  function turning(view?: readonly [number, number]) {
    const shape = sphere({ ...parts, ...(view && { view }) });
    const { document, Event } = parseHTML(`<html><body>${shape}${sphereHint}</body></html>`);
    new Function('document', 'requestAnimationFrame', SPHERE_SCRIPT)(document, (draw: () => void) => draw());
    const svg = document.querySelector('svg')!;
    const press = (key: string, more = {}) => {
      const event = Object.assign(new Event('keydown', { cancelable: true }), { key, ...more });
      svg.dispatchEvent(event);
      return event.defaultPrevented;
    };
    return { document, svg, press, shown: () => shown(document.toString()) };
  }

  it('projects what is towards the reader to the middle, in front, and its opposite behind', () => {
    const only = (x: number) =>
      sphereSvg({ label: 'one', points: [{ x, y: 0, z: 0, class: 0 }], view: [-90, 0] });
    const dots = (x: number, front: number) =>
      parseHTML(only(x).text).document.querySelector(`g[data-dots="${front}"] path`)!.getAttribute('d');
    expect([dots(1, 1), dots(1, 0)]).toEqual(['M0 0h0', '']);
    expect([dots(-1, 1), dots(-1, 0)]).toEqual(['', 'M0 0h0']);
    // The third axis is up.
    const up = sphereSvg({ label: 'up', points: [{ x: 0, y: 0, z: 9, class: 0 }], view: [30, 0] });
    expect(parseHTML(up.text).document.querySelector('g[data-dots="1"] path')!.getAttribute('d')).toBe(
      'M0 -100h0',
    );
  });

  it('shows dots in front or behind, each once, and none for a feature of no length', () => {
    const dots = [...sphereSvg(parts).text.matchAll(/M[-\d. ]+h0/g)];
    expect(dots).toHaveLength(3);
  });

  it('stands still in a file', () => {
    expect(sphereSvg(parts).text).not.toContain('data-sphere');
    expectXml(standalone(sphereSvg(parts), 'sphere'));
    expect(shown(sphereSvg(parts).text)).toEqual(shown(sphere(parts).text));
  });

  it('is turned by the script as it is drawn here from another side', () => {
    const { press, shown: now } = turning();
    const start = now();
    const seenFrom = (right: number, towards: number) =>
      shown(sphere({ ...parts, view: [right, towards] }).text);
    expect(seenFrom(-35, 25)).toEqual(start);
    expect(press('ArrowDown')).toBe(true);
    expect(now()).toEqual(seenFrom(-35, 35));
    for (let i = 0; i < 3; i++) press('ArrowUp');
    expect(now()).toEqual(seenFrom(-35, 5));
    press('Home');
    expect(now()).toEqual(start);
    // Seen from the equator, left and right turn about the upright axis.
    const level = turning([-35, 0]);
    level.press('ArrowRight');
    expect(level.shown()).toEqual(seenFrom(-25, 0));
    for (let i = 0; i < 3; i++) level.press('ArrowLeft');
    expect(level.shown()).toEqual(seenFrom(-55, 0));
  });

  it('leaves other keys to the browser, can be reached by keyboard, and says how it is turned', () => {
    const { document, svg, press } = turning();
    expect(press('a')).toBe(false);
    expect(press('ArrowLeft', { ctrlKey: true })).toBe(false);
    expect(document.querySelector('[data-sphere-hint]')!.hasAttribute('hidden')).toBe(false);
    expect(svg.getAttribute('tabindex')).toBe('0');
  });

  it('is allowed to run in its page, by the hash of exactly this script, and nothing else is', () => {
    const body = html`<p>${sphere(parts)}</p>`;
    const text = page({ title: 't', lead: 'l', body, script: sphereScript(body) });
    expectWellFormed(text.replace(/<script>[\s\S]*?<\/script>/, ''));
    const scripts = [...text.matchAll(/<script>([\s\S]*?)<\/script>/g)];
    expect(scripts).toHaveLength(1);
    const hash = createHash('sha256').update(scripts[0]![1]!).digest('base64');
    expect(text).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'"`,
    );
    expect(SPHERE_SCRIPT).not.toMatch(/fetch|XMLHttp|import|eval|innerHTML|https?:/);
    expect(sphereScript(html`<p>${sphereSvg(parts)}</p>`)).toBeUndefined();
  });
});
