// The page of the toy experiment: five losses, the same network and the same digits, features drawn as they
// are (SphereFace, Fig. 12 and Fig. 5). Written for someone who meets angular margins for the first time.
import { writeWholeSync } from '../common/files.js';
import type { ToyFigures, ToyResults, ToyRun } from '../evaluate/toy-results.js';
import { losses as definitions } from '../losses/index.js';
import { html, type Markup, type Piece } from './html.js';
import { decimal, facts, figure, key, page, percent, table } from './page.js';
import { classColours, colours } from './plot.js';
import { angleHistogramPlot, curvePlot, digitColour, heldOutScatter, trainedScatter } from './toy-plots.js';

type Measured = ToyRun & { figures: ToyFigures };

const measured = (results: ToyResults): Measured[] =>
  results.runs.filter((run): run is Measured => run.figures !== undefined);

const listed = (items: readonly (string | number)[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;

const degrees = (angle: number | undefined): string => (angle === undefined ? '–' : `${decimal(angle, 1)}°`);

/** The outcome in two sentences, from the figures alone. */
function lead(results: ToyResults): Piece {
  const runs = measured(results);
  const { trained, heldOut } = results.digits;
  const task = html`The same small network learned the digits ${listed(trained)} with ${runs.length === 1 ? 'one loss' : `${runs.length} losses`}. Its features have only two numbers, so that they can be drawn without projection; the digits ${listed(heldOut)} were kept out of training.`;
  const first = runs[0];
  const last = runs[runs.length - 1];
  if (!first || !last || first === last) return task;
  const angle = ({ figures }: Measured) => degrees(figures.angles.trained.meanSame);
  return html`${task} From ${first.title} to ${last.title}, the mean angle between two new images of the same digit went from ${angle(first)} to ${angle(last)}, and the angular Fisher score of the training images (smaller is better) from ${decimal(first.figures.fisherScore.training, 4)} to ${decimal(last.figures.fisherScore.training, 4)}.`;
}

/** Which loss came out best on the digits never seen, whichever it was. */
function openSetOutcome(runs: readonly Measured[]): string {
  if (runs.length < 2) return '';
  const best = runs.reduce((a, b) => (b.figures.openSet.eer < a.figures.openSet.eer ? b : a));
  return `In this run ${best.title} has the lowest error on them (EER ${percent(best.figures.openSet.eer)}).`;
}

function summary(results: ToyResults): Markup {
  return table(
    [
      'Loss',
      'Training accuracy',
      'Test accuracy',
      'Angular Fisher score ↓, training',
      '… new images',
      'Width of a class ↓',
      'To the nearest class ↑',
      'Open-set accuracy ↑',
      'Open-set EER ↓',
    ],
    results.runs.map(({ title, figures, diverged }) =>
      figures
        ? [
            title,
            percent(figures.trainingAccuracy),
            percent(figures.testAccuracy),
            decimal(figures.fisherScore.training, 4),
            decimal(figures.fisherScore.test, 4),
            degrees(figures.separation.within),
            degrees(figures.separation.nearest),
            html`${percent(figures.openSet.accuracy)} <small>± ${decimal(figures.openSet.standardError * 100, 1)}</small>`,
            percent(figures.openSet.eer),
          ]
        : [`${title} (diverged at step ${diverged})`, ...new Array<string>(8).fill('–')],
    ),
  );
}

/** One card a run: its title, its formula, and a plot or the word that it diverged. */
function cards(results: ToyResults, draw: (run: Measured) => Markup, guide?: Piece): Markup {
  return html`<div class="cards">${guide !== undefined && html`<div class="card guide">${guide}</div>`}${results.runs.map(
    (run) => html`<div class="card"><h3>${run.title}</h3>
<p class="formula">${formulas[run.id] ?? definitions[run.loss]?.formula}</p>
${run.figures ? draw(run as Measured) : html`<p>The loss was no longer a finite number at step ${run.diverged}; there is nothing to draw. A lower rate may help.</p>`}</div>\n`,
  )}</div>`;
}

/** The true class's logit: what each loss changes. */
const formulas: Record<string, string> = {
  softmax: 'z = W·x + b',
  'modified-softmax': 'z = |x| cos θ',
  'a-softmax-1': 'z = |x| cos θ',
  'a-softmax-2': 'z = |x| ψ(θ), ψ = cos 2θ, made monotone',
  'a-softmax-3': 'z = |x| ψ(θ), ψ = cos 3θ, made monotone',
  'a-softmax-4': 'z = |x| ψ(θ), ψ = cos 4θ, made monotone',
};

/** The page as one HTML text. */
export function toyPage(results: ToyResults): string {
  const runs = measured(results);
  const { digits } = results;
  const pairs = runs[0]?.figures.openSet.pairs ?? 0;
  const body = html`
<section>
${summary(results)}
<p class="note">Accuracy: on the ${digits.trainingImages} training images and on ${digits.testImages} other images of the same digits. Angular Fisher score: spread within classes over spread between them, in angle; one new image on the wrong side weighs as much as hundreds in place. Width: mean angle of an image to its digit’s mean direction. To the nearest: mean angle from a digit’s mean direction to its nearest neighbour’s. Both are measured on new images. Open set: ${pairs} pairs of images of the digits ${listed(digits.heldOut)}, ‘same digit or not’ by the angle alone, ten folds, the threshold of a fold from the other nine, ± standard error; EER is the error rate at which false accepts and false rejects are equal. Arrows show which way is better. The standard error is over the folds of one trained network; it does not hold what another seed or learning rate would change, which is more.</p>
</section>

<section>
<h2>What the losses do to the features</h2>
<p>Every point is a test image, coloured by its digit; every ray is the direction of a digit’s class weights, which the loss pulls its images to.</p>
${cards(
  results,
  (run) => trainedScatter(run, run.figures),
  html`<h3>How to read these</h3>
<p>Look at the <b>angle</b> a digit’s cloud takes up as seen from the centre. Softmax is content when a point is on the right side of a border, so clouds fan out until they touch; it may even tell a digit by its <b>length</b>, and leave it near the centre, where angles say nothing.</p>
<p>A-Softmax asks that an image’s angle to its own direction be <b>m times</b> smaller than to any other. The clouds become spokes, with empty angle between them: the margin.</p>
${key(digits.trained.map((digit) => ({ colour: digitColour(digit), text: digit })))}`,
)}
</section>

<section>
<h2>Digits the networks have never seen</h2>
<p>A face recogniser meets people who were not in its training set. Here the digits ${listed(digits.heldOut)} play that part: no ray belongs to them, yet images of one digit should still fall together, and apart from the other’s. ${openSetOutcome(runs)}</p>
${cards(
  results,
  (run) => heldOutScatter(run, run.figures),
  html`<h3>How to read these</h3>
<p>The same planes as above; grey rays are the trained digits’ directions. A useful feature keeps each new digit in <b>one narrow spoke</b>, away from the other.</p>
<p>Two dimensions leave a new digit little room: it has to share the circle with the trained ones. A face network has 512 dimensions, and far more classes to learn from.</p>
${key(digits.heldOut.map((digit) => ({ colour: digitColour(digit), text: `digit ${digit}, never trained on` })))}`,
)}
</section>

<section>
<h2>Angles between two images</h2>
${figure(
  runs.length > 0 && angleHistogramPlot(runs),
  html`${key([
    { colour: colours.same, text: 'two images of the same digit' },
    { colour: colours.different, text: 'images of two different digits' },
  ])}A threshold on the angle decides ‘same or different’, so the two histograms should overlap as little as possible. On the left, blue moves to zero as the margin grows; on the right the same is asked of digits that the network has never seen. Upright lines are the means; bars taller than the frame are cut.`,
  { wide: true },
)}
</section>

<section>
<h2>Training</h2>
<div class="cards">
<div class="card">${curvePlot(results.runs, 'loss')}</div>
<div class="card">${curvePlot(results.runs, 'accuracy')}</div>
</div>
${key(results.runs.map((run, i) => ({ colour: classColours[i % classColours.length]!, text: run.title })))}
<p class="note">The losses are not comparable with each other: a margin makes the same features cost more. A-Softmax starts close to the loss without a margin and turns it on step by step (λ falls from 1000 to its minimum), which is why its loss may rise while its accuracy stays.</p>
</section>

<section>
<h2>Your own faces</h2>
<p>The same losses train a face network on a folder of aligned faces, one folder a person:</p>
<pre><code>hypersphere train --data DIR --net sphereface-4 --loss a-softmax</code></pre>
</section>

<section>
<h2>More pictures</h2>
<p>The figures of the paper (constraint regions, features on a sphere to turn, biases, long-tailed classes) and all margin functions side by side stand on a page of their own:</p>
<pre><code>hypersphere toy --figure all</code></pre>
</section>

<section>
<h2>Settings</h2>
${facts([
  ['seed', results.seed],
  ['digits trained on', listed(digits.trained)],
  ['digits held out', `${listed(digits.heldOut)} (${digits.heldOutImages} images)`],
  ...Object.entries(results.settings),
  ['time in all', `${Math.round(results.seconds)} s`],
  ...Object.entries(results.versions),
])}
</section>`;
  return page({
    kicker: 'Hypersphere · 2-D features of handwritten digits',
    title: 'What an angular margin does',
    lead: lead(results),
    body,
    footer: html`Angular margins: Liu, Wen, Yu, Li, Raj and Song, “SphereFace: Deep Hypersphere Embedding for Face Recognition”, CVPR 2017; this page follows its Fig. 5 and Fig. 12. Digits: 10,000 images of MNIST.`,
  });
}

/** Writes the page to `file`. */
export function writeToyPage(file: string, results: ToyResults): void {
  writeWholeSync(file, toyPage(results));
}
