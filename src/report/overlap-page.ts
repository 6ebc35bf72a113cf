// People who may be in both sets, as faces side by side, so that a person can judge; and how alike strangers are, which
// is what every find is measured against. Everything is in the one file; nothing is fetched.
import { readPhotograph } from '../data/index.js';
import { imageFile, type OverlapLevel, type OverlapPair, type OverlapResult } from '../evaluate/index.js';
import { imageData } from './draw-faces.js';
import { expectedNumber } from './expected-number.js';
import { html, type Markup, type Piece, trusted } from './html.js';
import { facts, figure, key, page } from './page.js';
import { colours, Plot, renderPlot } from './plot.js';

export interface OverlapReport extends OverlapResult {
  train: OverlapSet;
  test: OverlapSet;
  settings: readonly (readonly [name: string, value: string])[];
}

/** What is said of a set, and where its images lie ('' when that is not known). */
export interface OverlapSet {
  name: string;
  folder: string;
  people: number;
  images: number;
}

/** Pixels of the longer side of a face, twice what it is shown at. */
const LONGEST = 160;

const STYLE = `<style>
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); gap: 1.4rem 1.2rem; margin: 1rem 0 1.6rem; }
.pairs figure { margin: 0; } .pairs figcaption { font-size: .82rem; line-height: 1.4; margin-top: .45rem; overflow-wrap: anywhere; }
.pairs figcaption b { color: var(--ink); font-size: .92rem; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: .7rem; }
.side > img, .side > .missing { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 6px; display: block; }
.side div { display: grid; grid-template-columns: repeat(3, 1fr); gap: 3px; margin-top: 3px; min-height: 1px; }
.side div img, .side div .missing { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 4px; display: block; }
.missing { background: color-mix(in srgb, var(--faint) 30%, var(--card)); color: var(--ink); font: .66rem/1.25 system-ui, sans-serif; padding: .3rem; overflow: hidden; overflow-wrap: anywhere; }
@media print { .pairs { grid-template-columns: repeat(3, 1fr); } .pairs figure { break-inside: avoid; } }
</style>`;

/** The whole page. Pictures that are not where they are said to be keep their place, with their names. */
export async function overlapPage(report: OverlapReport): Promise<string> {
  const { found, candidates, level, train, test, settings } = report;
  const show = async (pairs: readonly OverlapPair[]) => {
    const drawn: Markup[] = [];
    for (const pair of pairs) if (pair.others) drawn.push(await pairFigure(pair, report));
    const more = pairs.length - drawn.length;
    return html`<div class="pairs">${drawn}</div>${more > 0 && html`<p class="note">${more} more are in the list, without pictures.</p>`}`;
  };
  return page({
    title: title(report),
    kicker: 'Hypersphere · overlap of training and test people',
    lead: lead(report),
    body: html`${trusted(STYLE)}
${
  found.length > 0 &&
  html`<h2>Taken for one person</h2>
<p>Left: the training set, right: the test set. The two large images are the photograph that both have, or the most alike of both people; below them are more of each. Look whether it is one person.</p>
${await show(found)}`
}
${
  candidates.length > 0 &&
  html`<h2>To look at</h2>
<p>The most alike of the others. Most are strangers who resemble each other: the number of false finds says how many pairs of strangers are expected to be as alike as these.</p>
${await show(candidates)}`
}
${level && level.curve.length > 0 && html`<h2>How alike strangers are</h2>${curve(level)}`}
${
  level &&
  level.sharedLabels.length > 0 &&
  html`<h2>Training labels that may share a person</h2>
<p>As alike as the people above, within the training set: ${level.sharedLabels.map(({ a, b, similarity }, i) => html`${i > 0 && '; '}<b>${a}</b> and <b>${b}</b> (${similarity.toFixed(3)})`)}.</p>`
}
<h2>How it was made</h2>
${facts([
  ['Training set', `${train.name}: ${people(train.people)}, ${train.images.toLocaleString('en')} images`],
  ['Test set', `${test.name}: ${people(test.people)}, ${test.images.toLocaleString('en')} images`],
  ...settings,
])}`,
    footer:
      'Faces are personal data: this page holds them, and nothing of it left the machine it was made on.',
    pictures: true,
  });
}

const people = (count: number): string =>
  `${count.toLocaleString('en')} ${count === 1 ? 'person' : 'people'}`;

/** Of too few people, what was not found says nothing. */
function title({ found, level }: OverlapReport): string {
  if (found.length > 0) return `${people(new Set(found.map(({ train }) => train)).size)} in both sets`;
  return level && level.similarity === undefined
    ? 'Too few people to tell who is in both sets'
    : 'Nobody found in both sets';
}

function lead({ found, level, photographs, train, test }: OverlapReport): Markup {
  const counted = (kind: OverlapPair['evidence'][number]) =>
    found.filter(({ evidence }) => evidence.includes(kind)).length;
  const sets = html`${people(train.people)} of the training set were compared with ${people(test.people)} of the test set`;
  if (!level)
    return html`${sets}, by their names only: ${counted('name')} ${counted('name') === 1 ? 'has' : 'have'} the same.`;
  const { similarity, expectedFalse, comparisons } = level;
  const from =
    similarity === undefined
      ? html`These are too few people to tell from which similarity on two are one: nobody was taken for it. By their names: ${counted('name')}.`
      : html`Two people were taken for one from a similarity (cosine of their mean templates) of ${similarity.toFixed(3)} on${expectedFalse !== undefined && html`, where ${expectedNumber(expectedFalse)} false ${expectedFalse === 1 ? 'find is' : 'finds are'} expected in all ${comparisons.toLocaleString('en')} comparisons`}: ${counted('embeddings')} by the embeddings, ${counted('name')} by their names.`;
  const shared =
    photographs &&
    html` By a photograph that both have: ${counted('photograph')}, of ${photographs.compared.toLocaleString('en')} ${photographs.compared === 1 ? 'pair' : 'pairs'} of images that were compared by their pixels${photographs.unseen > 0 && html` and ${photographs.unseen.toLocaleString('en')} by their embeddings only`}.`;
  return html`${sets}. ${from}${shared}`;
}

async function pairFigure(pair: OverlapPair, { train, test }: OverlapReport): Promise<Markup> {
  const { alike, others, images, evidence, similarity, expectedFalse, next, photographs } = pair;
  const correlation = photographs?.[0]?.correlation;
  const side = async (folder: string, paths: readonly string[]): Promise<Markup> => {
    const pictures: Markup[] = [];
    for (const path of paths) pictures.push(await picture(folder, path));
    return html`<div class="side">${pictures[0]}<div>${pictures.slice(1)}</div></div>`;
  };
  const paths = (of: 'train' | 'test') => [...(alike ? [alike[of]] : []), ...others![of]];
  const said: Piece[] = [
    evidence.includes('name') && 'the same name',
    evidence.includes('photograph') &&
      (correlation === undefined
        ? 'one photograph, by the embeddings'
        : `one photograph: its pixels correlate ${correlation.toFixed(3)}`),
    similarity !== undefined &&
      html`similarity ${similarity.toFixed(3)}${expectedFalse !== undefined && html`, false finds expected there: ${expectedNumber(expectedFalse)}`}`,
    alike && html`the two images ${alike.similarity.toFixed(3)}`,
    next && html`next: ${called(next.test)} ${next.similarity.toFixed(3)}`,
  ].filter((piece) => piece !== false && piece !== undefined);
  return html`<figure><div class="sides">${await side(train.folder, paths('train'))}${await side(test.folder, paths('test'))}</div>
<figcaption><b>${called(pair.train)} and ${called(pair.test)}</b> (${images.train} and ${images.test} images)<br>${said.map((piece, i) => html`${i > 0 && '; '}${piece}`)}</figcaption></figure>
`;
}

/** 'Gian_Marco' as 'Gian Marco'. */
const called = (person: string): string => person.replaceAll('_', ' ');

async function picture(folder: string, path: string): Promise<Markup> {
  const file = imageFile(folder, path);
  const data =
    file &&
    (await readPhotograph(file)
      .then((photograph) => imageData(photograph, LONGEST))
      .catch(() => undefined));
  return data === undefined
    ? html`<span class="missing">${path}</span>`
    : html`<img src="${data}" alt="${path}" title="${path}">`;
}

/** Comparisons at or above a similarity, as they are and as strangers alone would make them. */
function curve({ curve: points, similarity, tail, training, comparisons }: OverlapLevel): Markup {
  const seen = points.filter((point) => point.seen > 0);
  const bottom = 0.05;
  const line = (pick: (point: OverlapLevel['curve'][number]) => number | undefined) =>
    points.flatMap((point) => {
      const count = pick(point);
      return count === undefined || count < bottom ? [] : [{ similarity: point.similarity, count }];
    });
  const last = Math.min(1, (seen.at(-1)?.similarity ?? 0.9) + 0.03);
  const inside = (some: { similarity: number; count: number }[]) =>
    some.filter((point) => point.similarity <= last);
  const plot = renderPlot({
    label: 'Number of comparisons at or above a similarity, seen and expected of strangers',
    width: 760,
    height: 340,
    marginLeft: 60,
    marginRight: 18,
    marginBottom: 42,
    x: {
      label: 'similarity of two people (cosine of their mean templates)',
      labelAnchor: 'center',
      labelArrow: 'none',
      domain: [points[0]!.similarity, last],
    },
    y: {
      label: 'comparisons at or above',
      labelArrow: 'none',
      type: 'log',
      grid: true,
      tickFormat: '~g',
      domain: [bottom, Math.max(...points.map((point) => Math.max(point.seen, point.byTraining ?? 0)))],
    },
    marks: [
      Plot.ruleY([1], { stroke: colours.faint, strokeDasharray: '3 3' }),
      ...(similarity !== undefined && similarity <= last
        ? [Plot.ruleX([similarity], { stroke: colours.faint, strokeWidth: 1.5 })]
        : []),
      Plot.line(inside(line((point) => point.byTraining)), {
        x: 'similarity',
        y: 'count',
        stroke: colours.faint,
        strokeWidth: 1.6,
      }),
      Plot.line(inside(line((point) => point.expected)), {
        x: 'similarity',
        y: 'count',
        stroke: colours.accent,
        strokeWidth: 2,
      }),
      Plot.dot(seen, { x: 'similarity', y: 'seen', r: 2.6, fill: colours.different }),
    ],
  });
  const dimension = (exponent: number) => `${Math.round(2 * exponent)}`;
  return figure(
    html`${key([
      { colour: colours.different, text: 'comparisons seen' },
      { colour: colours.accent, text: 'expected of strangers' },
      ...(training
        ? [{ colour: colours.faint, text: 'expected if they were as alike as the training people are' }]
        : []),
    ])}${plot}`,
    html`Of ${comparisons.toLocaleString('en')} comparisons, how many reach a similarity, and how many strangers alone would. The line continues what was seen between ${tail!.from.toFixed(3)} and ${tail!.upTo.toFixed(3)}: strangers thin out as in a space of ${dimension(tail!.exponent)} dimensions${training && html` (those of the training set: ${dimension(training.exponent)})`}. Where the points leave it, there are more than strangers explain.${similarity !== undefined && html` The upright line is the similarity of the decision.`}`,
    { wide: true },
  );
}
