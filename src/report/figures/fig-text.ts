// What the trained figures say in the same way: settings, who was trained on, accuracies and angles in a table.
import type {
  Measured,
  TrainedData,
  TrainedNetwork,
  TrainedPart,
} from '../../evaluate/figures/trained-data.js';
import { html, type Markup, type Piece } from '../html.js';
import { decimal, key, percent, table } from '../page.js';
import type { DrawnPlot } from './drawing.js';
import { colourOf } from './fig-plane.js';

/** A network that did not diverge. */
export type MeasuredNetwork = TrainedNetwork & { measured: Measured };

/** The networks of a part that there is something to draw of. */
export const measuredOf = ({ networks }: TrainedPart): MeasuredNetwork[] =>
  networks.filter((network): network is MeasuredNetwork => network.measured !== undefined);

/** 'digits' or 'faces', as ids of plots begin. */
export const prefix = ({ subject }: TrainedPart, id: string): string => `${subject}-${id}`;

/** Above a plot: which version of the figure it belongs to. */
export const heading = ({ subject }: TrainedPart): string => (subject === 'digits' ? 'Digits' : 'Faces');

/** What each class's colour means. */
export const classKey = ({ classes, subject }: TrainedPart): Markup =>
  key(
    classes.map((name, label) => ({
      colour: colourOf(label),
      text: `${subject === 'digits' ? 'digit' : 'person'} ${name}`,
    })),
  );

/** 'the digits 0, 1 and 2', 'six people'. */
export function whom({ subject, classes }: TrainedPart): string {
  if (subject === 'digits') {
    return classes.length === 10 ? 'all ten digits' : `the digits ${listed(classes)}`;
  }
  return `${COUNTS[classes.length] ?? classes.length} people`;
}

const COUNTS: Record<number, string> = { 2: 'two', 3: 'three', 4: 'four', 5: 'five', 6: 'six' };

/** 'a', 'a and b', 'a, b and c'. */
export const listed = (items: readonly (string | number)[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;

/** A number that may be negative, with a minus sign that is not a hyphen. */
export const signed = (value: number, digits = 2): string => decimal(value, digits).replace('-', '−');

export const degrees = (angle: number): string => `${decimal(angle, 1)}°`;

/** Settings of all parts; those of a second part say so. */
export function settingsOf({ parts }: TrainedData): [string, Piece][] {
  return parts.flatMap((part) => {
    const named = parts.length > 1;
    const about: [string, Piece] = [
      named ? `${part.subject}: classes` : 'classes',
      part.classes.length > 20 ? part.classes.length : part.classes.join(', '),
    ];
    return [
      about,
      ...part.settings.map(([name, value]): [string, Piece] => [
        named ? `${part.subject}: ${name}` : name,
        value,
      ]),
    ];
  });
}

/** A line about each network that diverged. */
export const divergences = ({ parts }: TrainedData): Piece =>
  parts.flatMap((part) =>
    part.networks
      .filter(({ diverged }) => diverged !== undefined)
      .map(
        ({ title, diverged }) =>
          html`<p class="note">${title} on ${whom(part)}: the loss was no longer a finite number at step ${diverged}; there is nothing to draw.</p>`,
      ),
  );

/** Accuracy and angles of every network, on training and on new images. */
export function spreadTable(data: TrainedData): Markup {
  const several = data.parts.length > 1;
  const rows = data.parts.flatMap((part) =>
    measuredOf(part).map(({ title, measured: { accuracy, spread } }): Piece[] => [
      several ? `${title}, ${part.subject}` : title,
      percent(accuracy.training),
      percent(accuracy.test),
      spread ? degrees(spread.training.within) : '–',
      spread ? degrees(spread.test.within) : '–',
      spread ? degrees(spread.training.nearest) : '–',
      spread ? degrees(spread.test.nearest) : '–',
    ]),
  );
  return html`${table(
    [
      'Network',
      'Accuracy, training',
      '… new images',
      'Width of a class ↓, training',
      '… new images',
      'To the nearest class ↑, training',
      '… new images',
    ],
    rows,
  )}<p class="note">Width: mean angle of an image’s feature to its class’s mean direction. To the nearest: mean angle from a class’s mean direction to its nearest neighbour’s.</p>`;
}

/** The plots of every part, in order. */
export const plotsOf = (data: TrainedData, draw: (part: TrainedPart) => DrawnPlot[]): DrawnPlot[] =>
  data.parts.flatMap(draw);
