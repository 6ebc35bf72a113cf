// Plots as SVG text: Observable Plot, a grammar of graphics, drawing into linkedom's document instead of a
// browser's. Colours are CSS variables of the page (`page.ts`), so one SVG serves light, dark and paper.
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escapeText, type Markup, trusted } from './html.js';

export { Plot };

/** Colours of up to ten classes, told apart with every kind of colour vision as far as ten can be. */
export const classColours: readonly string[] = Array.from({ length: 10 }, (_, i) => `var(--class-${i})`);

/** Colours with a meaning. */
export const colours = {
  same: 'var(--same)',
  different: 'var(--different)',
  accent: 'var(--accent)',
  faint: 'var(--faint)',
  paper: 'var(--card)',
} as const;

/** Signs of attributes: three digits behind the point and more are below a pixel's hundredth. */
const shorten = (tag: string): string =>
  tag.replace(/-?\d+\.\d{3,}(e-\d+)?/g, (number) => String(Number(Number(number).toFixed(2))));

/**
 * A plot as inline SVG. `label` describes it to those who cannot see it. Numbers are rounded to hundredths of
 * a pixel, which halves the page.
 */
export function renderPlot({ label, ...options }: Plot.PlotOptions & { label: string }): Markup {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const drawn = Plot.plot({
    document: document as never,
    className: 'plot',
    ...options,
    style: { background: 'none', overflow: 'visible', fontSize: '11.5px' },
  }) as unknown as { outerHTML: string };
  const svg = drawn.outerHTML
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .replace(/<[^>]+>/g, shorten)
    .replace('<svg ', `<svg role="img" aria-label="${escapeText(label)}" `);
  return trusted(svg);
}

/** The p-quantile (0..1) of finite numbers; NaN for none. */
export function quantile(values: Iterable<number>, p: number): number {
  const sorted = [...values].filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]!;
}
