// The way from photographs to scores, to look at: the faces that were found with their landmarks, each face as the
// network sees it, and how alike every two of them are. Everything is in the one file; nothing is fetched.

import type { AlikePair, Detection } from '../face/index.js';
import { faceOverlay } from './face-overlay.js';
import { html, type Markup, trusted } from './html.js';
import { facts, figure, page } from './page.js';

/** One photograph of the page. */
export interface ComparedPhotograph {
  readonly name: string;
  /** Pixels of the picture that is shown, to which the detections belong. */
  readonly width: number;
  readonly height: number;
  /** Address of the picture: data. */
  readonly image: string;
  readonly faces: readonly ComparedFace[];
}

/** One face, with its number on the page. */
export interface ComparedFace {
  readonly number: number;
  readonly detection: Detection;
  /** The aligned face as data. */
  readonly aligned: string;
  readonly quality: number;
  readonly reasons: readonly string[];
}

export interface CompareResults {
  readonly photographs: readonly ComparedPhotograph[];
  /** Files that could not be read, one line each. */
  readonly problems: readonly string[];
  /** Cosine of every two faces, by their numbers from 1 on: similarities[a - 1][b - 1]. */
  readonly similarities: readonly (readonly number[])[];
  /** From which similarity on two faces count as one person's, if that is known. */
  readonly decision?: { readonly threshold: number; readonly fmr?: number; readonly on?: string };
  /** The pairs that reach it, and what they are taken for; of faces by their numbers less 1. */
  readonly pairs: readonly AlikePair[];
  readonly settings: readonly (readonly [name: string, value: string])[];
}

const STYLE = `<style>
.photo { position: relative; } .photo svg, .photo img { display: block; width: 100%; height: auto; border-radius: 6px; }
.photo svg { position: absolute; inset: 0; }
.photos { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1.2rem; align-items: start; }
.faces { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.6rem, 1fr)); gap: 1rem; }
.faces img { width: 100%; display: block; border-radius: 6px; } .faces figure, .photos figure { margin: 0; }
.faces figcaption, .photos figcaption { font-size: .82rem; margin-top: .35rem; line-height: 1.35; }
.matrix { border-collapse: separate; border-spacing: 2px; width: auto; margin: 0 auto; }
.matrix th, .matrix td { padding: 0; border: 0; text-align: center; vertical-align: middle; }
.matrix img { width: 3.1rem; display: block; border-radius: 4px; margin: 0 auto; }
.matrix th small { display: block; font-weight: 500; color: var(--soft); }
.matrix td { min-width: 3.3rem; height: 3.6rem; border-radius: 4px; font-size: .85rem; }
.matrix td.self { color: var(--faint); } .matrix td.same { outline: 2.5px solid var(--ink); outline-offset: -2.5px; font-weight: 700; }
.matrix td.open { outline: 2px dashed var(--soft); outline-offset: -2px; } .matrix td.within { background-image: repeating-linear-gradient(135deg, transparent 0 5px, color-mix(in srgb, var(--ink) 14%, transparent) 5px 6px); }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .8rem; } .pairs figure { margin: 0; font-size: .82rem; } .pairs img { width: 47%; border-radius: 4px; }
.matrix.many td { min-width: 2.05rem; height: 2.2rem; font-size: .68rem; } .matrix.many td.same { outline-width: 2px; outline-offset: -2px; }
.matrix.many img { width: 2rem; } .matrix.many th small { font-size: .68rem; }
.scroll.bare { padding: .6rem; }
@media print { .photos { grid-template-columns: repeat(3, 1fr); } .faces { grid-template-columns: repeat(7, 1fr); } }
</style>`;

/** The whole page. */
export function comparePage(results: CompareResults): string {
  const faces = results.photographs.flatMap((photograph) => photograph.faces);
  return page({
    title: `${count(faces.length, 'face')} in ${count(results.photographs.length, 'photograph')}`,
    kicker: 'From a photograph to a template',
    lead: lead(results, faces.length),
    body: html`${trusted(STYLE)}
<h2>What was found</h2>
<p>Each face has a box and five landmarks: the eyes (left blue, right orange, as seen), the tip of the nose, and the corners of the mouth.</p>
<div class="photos">${results.photographs.map(photograph)}</div>
${results.problems.length > 0 && html`<h3>Could not be read</h3><ul>${results.problems.map((line) => html`<li>${line}</li>`)}</ul>`}
<h2>What the network sees</h2>
<p>The similarity transform that fits the five landmarks best lays each face on the model's template, so that eyes and mouth are always at the same place. Quality runs from 0 to 1 and says how much a template of this face can be trusted.</p>
<div class="faces">${results.photographs.flatMap(({ name, faces }) => faces.map((face) => alignedFace(name, face)))}</div>
${faces.length > 1 && html`<h2>How alike they are</h2>${faces.length > MOST_IN_MATRIX ? mostAlike(results) : matrix(results)}`}
<h2>How it was made</h2>
${facts(results.settings)}`,
    footer:
      'Faces are personal data: this page holds them, and nothing of it left the machine it was made on.',
    pictures: true,
  });
}

const count = (n: number, what: string): string => `${n === 0 ? 'No' : n} ${what}${n === 1 ? '' : 's'}`;

/** Faces beyond which a matrix of every two of them cannot be read, and pairs that are then shown. */
const MOST_IN_MATRIX = 60;
const MOST_PAIRS = 300;

function lead({ similarities, decision, pairs: alike }: CompareResults, faces: number): Markup {
  const pairs = (faces * (faces - 1)) / 2;
  if (faces < 2) return html`Two faces are needed to compare.`;
  const scores = similarities.flatMap((row, a) => row.slice(a + 1));
  const least = scores.reduce((a, b) => Math.min(a, b));
  const most = scores.reduce((a, b) => Math.max(a, b));
  const range = html`The ${pairs} pairs of faces have similarities (cosines of their templates) from ${least.toFixed(2)} to ${most.toFixed(2)}.`;
  if (!decision) return range;
  const same = alike.filter((pair) => pair.decision === 'same').length;
  const apart = alike.length - same;
  return html`${range} At the threshold of ${decision.threshold.toFixed(3)}, ${same === 0 ? 'none counts' : same === 1 ? '1 counts' : `${same} count`} as one person.${apart > 0 && html` ${apart === 1 ? 'One more pair reaches it and is' : `${apart} more pairs reach it and are`} not taken for one person: ${reasonsOf(alike)}.`}${decision.fmr !== undefined && html` That threshold lets through ${percentOf(decision.fmr)} of the pairs of different people it was measured on (${decision.on}).`}`;
}

/** Why pairs that reach the threshold are not taken for one person, each reason once. */
const reasonsOf = (pairs: readonly AlikePair[]): string =>
  [...new Set(pairs.flatMap(({ reasons }) => reasons.map(({ message }) => message)))].join('; ');

/**
 * How dark a cell is, in per cent. Strangers of some models have cosines near 1, so it is the distance to the threshold
 * that is shown: pale far below it, and a step at it.
 */
function shade(similarity: number, threshold: number): number {
  const floor = threshold - 2 * (1 - threshold);
  const share = Math.min(1, Math.max(0, (similarity - floor) / (1 - floor || 1)));
  return Math.round(similarity >= threshold ? 70 + 90 * (share - 2 / 3) : 75 * share ** 2);
}

/** Two digits without the zero before the point, where there is little room. */
const short = (value: number): string => value.toFixed(2).replace('0.', '.');

const percentOf = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;

function photograph({ name, width, height, image, faces }: ComparedPhotograph): Markup {
  const drawn = faces.map(({ detection, number }) => ({ detection, label: String(number) }));
  return html`<figure><div class="photo"><img src="${image}" width="${width}" height="${height}" alt="${name}">${faceOverlay(width, height, drawn)}</div>
<figcaption>${name}: ${faces.length === 0 ? 'no face' : faces.map(({ number, detection }) => `${number} (score ${detection.score.toFixed(2)})`).join(', ')}</figcaption></figure>`;
}

function alignedFace(name: string, { number, aligned, quality, reasons }: ComparedFace): Markup {
  return html`<figure><img src="${aligned}" alt="face ${number} of ${name}"><figcaption><b>${number}</b> quality ${quality.toFixed(2)}${reasons.length > 0 && html`<br>${reasons.join(', ')}`}</figcaption></figure>`;
}

/** The pairs that reach the threshold, most alike first: what can be shown of very many faces. */
function mostAlike({ photographs, similarities, decision, pairs }: CompareResults): Markup {
  if (!decision)
    return html`<p>${similarities.length} faces are too many for a table of every two of them, and the model states no threshold: give --threshold to see the pairs that reach it.</p>`;
  const faces = photographs.flatMap((each) => each.faces.map((face) => ({ ...face, of: each.name })));
  const shown = [...pairs].sort((x, y) => y.similarity - x.similarity).slice(0, MOST_PAIRS);
  const pair = ({ a, b, similarity, decision: taken, reasons }: AlikePair) => {
    const [left, right] = [faces[a]!, faces[b]!];
    return html`<figure><img src="${left.aligned}" alt="face ${left.number}"> <img src="${right.aligned}" alt="face ${right.number}"><figcaption><b>${similarity.toFixed(3)}</b> ${left.number} (${left.of}) and ${right.number} (${right.of})${taken !== 'same' && html`<br>not taken for one person: ${reasons.map(({ message }) => message).join('; ')}`}</figcaption></figure>`;
  };
  return html`<p>The ${shown.length} ${shown.length < pairs.length && `most alike of ${pairs.length} `}pairs that reach ${decision.threshold.toFixed(3)}; ${faces.length} faces are too many for a table of every two of them.</p><div class="pairs">${shown.map(pair)}</div>`;
}

function matrix({ photographs, similarities, decision, pairs }: CompareResults): Markup {
  const taken = new Map(pairs.map((pair) => [pair.a * similarities.length + pair.b, pair]));
  const photographOf = photographs.flatMap(({ faces }, i) => faces.map(() => i));
  const faces = photographs.flatMap((each) => each.faces);
  const heading = ({ number, aligned }: ComparedFace) =>
    html`<th scope="col"><img src="${aligned}" alt="face ${number}"><small>${number}</small></th>`;
  const cell = (a: number, b: number): Markup => {
    const value = similarities[a]![b]!;
    if (a === b) return html`<td class="self">·</td>`;
    const pair = taken.get(Math.min(a, b) * similarities.length + Math.max(a, b));
    const look = [
      pair && (pair.decision === 'same' ? 'same' : 'open'),
      photographOf[a] === photographOf[b] && 'within',
    ].filter(Boolean);
    const why = pair?.reasons.map(({ message }) => message).join('; ');
    const share = shade(value, decision?.threshold ?? 0.5);
    return html`<td${look.length > 0 && html` class="${look.join(' ')}"`}${why !== undefined && why !== '' && html` title="${why}"`} style="background-color:color-mix(in srgb, var(--same) ${share}%, var(--card));color:${share > 60 ? '#fff' : 'inherit'}">${faces.length > 14 ? short(value) : value.toFixed(2)}</td>`;
  };
  const rows = faces.map(
    (face, a) =>
      html`<tr><th scope="row"><img src="${face.aligned}" alt="face ${face.number}"><small>${face.number}</small></th>${faces.map((_, b) => cell(a, b))}</tr>`,
  );
  return figure(
    html`<div class="scroll bare"><table class="matrix${faces.length > 14 && ' many'}"><thead><tr><td></td>${faces.map(heading)}</tr></thead><tbody>${rows}</tbody></table></div>`,
    decision
      ? html`Cosine similarity of every two templates. Framed: at least ${decision.threshold.toFixed(3)}, taken for the same person. Dashed: as alike, and not taken for one person. Hatched: two faces of one photograph.`
      : html`Cosine similarity of every two templates. The model states no threshold, so nothing is decided.`,
  );
}
