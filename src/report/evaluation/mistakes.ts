// The hardest mistakes as pairs of faces with their scores. Pictures come from local files and go into the page as
// data; a face whose file is not there keeps its place, with its name in a grey frame.
import { stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { imagesBelow, readPhotograph } from '../../data/index.js';
import type { Mistake } from '../../evaluate/evaluation.js';
import { imageData } from '../draw-faces.js';
import { html, type Markup } from '../html.js';
import { whole } from './axes.js';

/** Pixels of the longer side of a face on the page, twice what it is shown at. */
const LONGEST = 160;

export const MISTAKES_STYLE = `
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(11.6rem, 1fr)); gap: 1.1rem .9rem; margin: .8rem 0 1.6rem; }
.mistakes figure { margin: 0; } .mistakes figcaption { font-size: .78rem; line-height: 1.35; margin-top: .35rem; overflow-wrap: anywhere; }
.mistakes figcaption b { color: var(--ink); font-size: .88rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 3px; }
.pair > * { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 5px; display: block; }
.missing { display: flex; align-items: center; justify-content: center; padding: .4rem; text-align: center; background: color-mix(in srgb, var(--faint) 30%, var(--card)); color: var(--ink); font: .68rem/1.25 system-ui, sans-serif; overflow: hidden; overflow-wrap: anywhere; }
@media print { .mistakes { grid-template-columns: repeat(6, 1fr); } .mistakes figure { break-inside: avoid; } }
`;

const KINDS: readonly { kind: Mistake['kind']; title: string; text: string }[] = [
  {
    kind: 'false match',
    title: 'Two people taken for one',
    text: 'The highest scores of different people that reached the threshold.',
  },
  {
    kind: 'false non-match',
    title: 'One person taken for two',
    text: 'The lowest scores of one person that stayed below the threshold.',
  },
];

/**
 * The section of the page; nothing without mistakes. Paths are taken below the folder `images` only; without it, and
 * for files that cannot be read, the names stand alone.
 */
export async function mistakesSection(
  mistakes: readonly Mistake[],
  images: string | undefined,
): Promise<Markup | undefined> {
  if (mistakes.length === 0) return undefined;
  const paths = [...new Set(mistakes.flatMap(({ a, b }) => [a.path, b.path]))];
  const pictures = new Map<string, string>();
  for (const path of paths) {
    const picture = await pictureOf(path, images);
    if (picture !== undefined) pictures.set(path, picture);
  }
  const missing = paths.length - pictures.size;
  const groups = KINDS.flatMap(({ kind, title, text }) => {
    const own = mistakes.filter((mistake) => mistake.kind === kind);
    if (own.length === 0) return [];
    return [
      html`<h3>${title}</h3><p>${text}</p>
<div class="mistakes">${own.map((mistake) => pair(mistake, pictures))}</div>`,
    ];
  });
  return html`<section>
<h2>Hardest mistakes</h2>
<p>The pairs that lie farthest on the wrong side, the worst first. Look here for wrong labels, bad alignment and what the model is weak at.</p>
${groups}
${missing > 0 && html`<p class="note">${whole(missing)} of ${whole(paths.length)} pictures ${images === undefined ? 'are named only, as the folder of the images is not known' : 'could not be read and are named only'}.</p>`}
</section>`;
}

function pair({ kind, a, b, score, threshold }: Mistake, pictures: ReadonlyMap<string, string>): Markup {
  const names =
    kind === 'false match' ? html`${called(a.person)} <br>and ${called(b.person)}` : called(a.person);
  return html`<figure><div class="pair">${face(a, pictures)}${face(b, pictures)}</div>
<figcaption><b>${score.toFixed(3)}</b> at threshold ${threshold.toFixed(3)}<br>${names}</figcaption></figure>
`;
}

/** 'Gian_Marco' as 'Gian Marco'. */
const called = (person: string): string => person.replaceAll('_', ' ');

function face({ path }: Mistake['a'], pictures: ReadonlyMap<string, string>): Markup {
  const picture = pictures.get(path);
  if (picture !== undefined) return html`<img src="${picture}" alt="${path}" title="${path}">`;
  const parts = path.split('/');
  return html`<span class="missing" title="${path}">${parts[parts.length - 1]}</span>`;
}

/** A face as data; of a folder (a video's frames) the middle picture. Undefined for what is not there. */
async function pictureOf(path: string, images: string | undefined): Promise<string | undefined> {
  if (!images) return undefined;
  const file = resolve(images, path);
  const below = relative(resolve(images), file);
  if (below === '' || below.startsWith('..') || isAbsolute(below)) return undefined;
  try {
    if (!(await stat(file)).isDirectory()) return await imageData(await readPhotograph(file), LONGEST);
    const frames = await imagesBelow(file);
    const middle = frames[Math.floor(frames.length / 2)];
    return middle === undefined
      ? undefined
      : await imageData(await readPhotograph(join(file, middle)), LONGEST);
  } catch {
    return undefined;
  }
}
