// Efficiency over the number of ranks, a panel a setting and a line a network.
import { Plot, renderPlot } from '../../src/report/plot.js';
import { standalone } from '../../src/report/standalone.js';

export interface Point {
  setting: string;
  network: string;
  ranks: number;
  efficiency: number;
}

const DASHES = ['2 4', '6 4', '0'];

/** An SVG file's text. */
export function plotEfficiency(points: readonly Point[]): string {
  const networks = [...new Set(points.map(({ network }) => network))];
  const settings = [...new Set(points.map(({ setting }) => setting))];
  const last = Math.max(...points.map(({ ranks }) => ranks));
  const drawn = renderPlot({
    label: 'Predicted efficiency by the number of ranks',
    ...{ width: 640, height: 560, marginLeft: 48, marginRight: 120, marginTop: 34, marginBottom: 40 },
    x: { type: 'log', base: 2, label: 'ranks', tickFormat: 'd', domain: [1, last] },
    y: { domain: [0, 1], label: 'efficiency', labelOffset: 40, ticks: 4 },
    fy: { label: null, axis: null, padding: 0.2, domain: settings },
    marks: [
      Plot.gridY({ ticks: 4, stroke: 'var(--line)', strokeOpacity: 1 }),
      ...networks.map((network, i) =>
        Plot.line(
          points.filter((point) => point.network === network),
          {
            x: 'ranks',
            y: 'efficiency',
            fy: 'setting',
            stroke: `var(--class-${i})`,
            strokeWidth: 2,
            strokeDasharray: DASHES[i],
          },
        ),
      ),
      Plot.text(
        points.filter(({ ranks, setting }) => ranks === last && setting === settings[0]),
        {
          x: 'ranks',
          y: 'efficiency',
          fy: 'setting',
          text: 'network',
          textAnchor: 'start',
          dx: 6,
        },
      ),
      Plot.text([...new Set(points.map(({ setting }) => setting))], {
        fy: (text: string) => text,
        text: (text: string) => text,
        frameAnchor: 'top-left',
        dy: -16,
        fontWeight: 'bold',
      }),
    ],
  });
  return standalone(drawn, 'Predicted efficiency by the number of ranks');
}
