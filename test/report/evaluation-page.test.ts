// The page of an evaluation: whole, closed to the network, every figure of the summary on it, what is not known said
// to be so, faces as data where there are files, and a section only for what was measured.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Evaluation, Mistake } from '../../src/evaluate/evaluation.js';
import { evaluationPage } from '../../src/report/evaluation/evaluation-page.js';
import { parseEvaluation, readEvaluation } from '../../src/report/evaluation/read.js';
import { writeEvaluation } from '../../src/report/index.js';
import { cmc, det, EVIL, evaluationOf, verificationOf } from '../support/evaluations.js';
import { expectWellFormed, expectXml } from '../support/markup.js';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evaluation-'));
  mkdirSync(join(folder, 'faces', 'video'), { recursive: true });
  const picture = sharp({ create: { width: 400, height: 300, channels: 3, background: '#a05030' } });
  await picture
    .clone()
    .jpeg()
    .toFile(join(folder, 'faces', 'a.jpg'));
  await picture
    .clone()
    .png()
    .toFile(join(folder, 'faces', 'video', '1.png'));
  await picture.clone().jpeg().toFile(join(folder, 'secret.jpg'));
  writeFileSync(join(folder, 'faces', 'broken.jpg'), 'no picture');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const mistake = (a: string, b: string, more: Partial<Mistake> = {}): Mistake => ({
  ...{ kind: 'false match', score: 0.6123, threshold: 0.45 },
  ...{ a: { path: a, person: 'One_Person' }, b: { path: b, person: 'Other_Person' } },
  ...more,
});

const whole = (): Evaluation =>
  evaluationOf({
    verification: verificationOf(400),
    identification: [cmc(10), cmc(1000, 0.6), { ...cmc(100_000, 0.4), synthetic: 90_000 }],
    openSet: [det(10), det(100)],
    mistakes: [mistake('a.jpg', 'b.jpg')],
  });

type Page = ReturnType<typeof parseHTML>['document'];

/** What holds for every page of an evaluation. */
function expectPage(text: string): Page {
  expectWellFormed(text);
  const { document } = parseHTML(text);
  expect(document.querySelectorAll('script, link, iframe, object, embed, base')).toHaveLength(0);
  const policy = document.querySelector('meta[http-equiv]')!.getAttribute('content');
  expect(policy).toBe("default-src 'none'; style-src 'unsafe-inline'; img-src data:");
  for (const image of document.querySelectorAll('img'))
    expect(image.getAttribute('src')).toMatch(/^data:image\/jpeg;base64,[A-Za-z0-9+/=]+$/);
  for (const element of document.querySelectorAll('*'))
    for (const name of element.getAttributeNames()) expect(name).not.toMatch(/^on|^href$|^srcset$/);
  expect(text).not.toMatch(/https?:\/\/(?!www\.w3\.org\/)/);
  expect(text).not.toMatch(/\bNaN\b|undefined|Infinity|\[object/);
  return document;
}

const headings = (document: Page) => [...document.querySelectorAll('h2')].map((h) => h.textContent);

describe('the page', () => {
  test('has every figure of the summary, first, and says what is not known', async () => {
    const evaluation = whole();
    const { page } = await evaluationPage(evaluation);
    const document = expectPage(page);
    const [table] = document.querySelectorAll('table');
    for (const { figure, value, interval, note } of evaluation.summary)
      for (const part of [figure, value, interval, note]) expect(table!.textContent).toContain(part);
    expect(table!.textContent).toContain('not known');
    expect(headings(document)).toEqual([
      'Before comparing',
      'Verification: are two faces one person?',
      'Identification: who of the gallery is it?',
      'Open-set search: is it anyone of the gallery?',
      'How far the two kinds lie apart',
      'Hardest mistakes',
      'Uncertainty',
      'Settings and data',
    ]);
    for (const text of ['model-a', 'ab'.repeat(32), 'lfw/pairs.txt: 2 folds', 'faces taken as they are'])
      expect(document.body.textContent).toContain(text);
    expect(document.querySelector('footer')!.textContent).toContain('personal data');
  });

  test('without parts has no sections of them, and no picture of anything', async () => {
    const { page, plots } = await evaluationPage(evaluationOf({ notes: [] }));
    const document = expectPage(page);
    expect(headings(document)).toEqual(['Uncertainty', 'Settings and data']);
    expect(plots).toEqual([]);
    expect(document.body.textContent).toContain('No intervals were computed');
    expect(document.querySelector('footer')!.textContent).not.toContain('personal');
  });

  test.each([
    [{ verification: verificationOf(400) }, ['roc', 'det', 'scores', 'angles']],
    // Without a miss there is no trade-off to draw.
    [
      { verification: { ...verificationOf(400), roc: { far: [0, 1], tar: [1, 1] } } },
      ['roc', 'scores', 'angles'],
    ],
    [
      { protocol: 'ijb', identification: [cmc(10), cmc(20)], openSet: [det(10), det(20)] },
      ['cmc', 'open-set-det'],
    ],
    [{ identification: [cmc(1000)] }, ['cmc']],
    [{ identification: [cmc(10), cmc(100, 0.7)] }, ['cmc', 'rank-1']],
    [{ openSet: [det(50)] }, ['open-set-det']],
    [{ openSet: [det(50), det(500)] }, ['open-set-det', 'open-set-fnir', 'open-set-thresholds']],
    [{ verification: { ...verificationOf(400), scores: undefined, angles: undefined } }, ['roc', 'det']],
  ])('draws what there is: %#', async (parts, ids) => {
    const { plots, page } = await evaluationPage(evaluationOf(parts as Partial<Evaluation>));
    expectPage(page);
    expect(plots.map(({ id }) => id)).toEqual(ids);
    for (const { svg } of plots) expect(svg.text).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('leads with the main figure, its uncertainty and its trials', async () => {
    const lead = async (parts: Partial<Evaluation>) =>
      parseHTML((await evaluationPage(evaluationOf(parts))).page)
        .document.querySelector('.lead')!
        .textContent!.replaceAll('\u00a0', ' ');
    const part = verificationOf(400);
    const [low, high] = part.accuracyInterval!.map((bound) => `${(100 * bound).toFixed(2)} %`);
    const verified = await lead({ verification: part });
    expect(verified).toContain(`judges ${(100 * part.accuracy!).toFixed(2)} % of 600 pairs rightly`);
    expect(verified).toContain(`(95 % interval ${low} to ${high})`);
    expect(verified).toContain('200 pairs of one person, 400 of two');
    expect(await lead({ identification: [cmc(10), cmc(1000, 0.6)] })).toContain(
      'in a gallery of 1,000, the right person comes first in 60.00 % of 500 searches (95 % interval 55.00 % to 65.00 %)',
    );
    // The lowest FPIR that is known, in the largest gallery.
    const searched = await lead({ openSet: [det(100), det(10)] });
    expect(searched).toContain('with 100 people enrolled and 1 % of the searches for strangers allowed');
    expect(searched).toContain('29.00 %');
    expect(searched).toContain('1,000 searches for enrolled people and 2,000 for strangers');
    expect(await lead({})).toContain('accuracy 91.25 % +- 0.75 (95 % interval 88.00 % to 93.50 %)');
  });

  test('names which galleries are padded, and which had no miss', async () => {
    const { page } = await evaluationPage(whole());
    expect(page).toContain('Galleries of 100,000 and more hold synthetic templates');
    const perfect = { ...det(10), fnir: det(10).fnir.map(() => 0) };
    const { page: other } = await evaluationPage(evaluationOf({ openSet: [perfect, det(100)] }));
    expect(other).toContain('no search missed where that is known: gallery 10.');
  });

  test('draws scores in their own unit, and squared distances as the cosines they stand for', async () => {
    const axis = async (part: object) => {
      const { plots } = await evaluationPage(
        evaluationOf({ verification: { ...verificationOf(400), ...part } }),
      );
      return plots.find(({ id }) => id === 'scores')!.svg.text;
    };
    const histogram = { from: 0, width: 10, counts: [1, 3, 0, 5], total: 9, mean: 22, standardDeviation: 9 };
    const scores = { same: histogram, different: histogram };
    const own = await axis({ scores, angles: undefined, thresholds: [24, 26] });
    expect(own).toContain('>threshold 25<');
    expect(own).toContain('>score<');
    expect(own).toContain('10 to 20: 3 of 9 same pairs');
    expect(own.match(/<rect/g)).toHaveLength(6);
    // A squared distance of 1.2 is a cosine of 0.4.
    const distances = await axis({ thresholdOf: 'squared distance', thresholds: [1.1, 1.3] });
    expect(distances).toContain('>threshold 0.4<');
    expect(distances).toContain('>score (cosine)<');
  });

  test('keeps hostile names as text', async () => {
    const evil = evaluationOf({
      title: EVIL,
      model: { name: EVIL, file: EVIL, length: 1, trainedOn: EVIL },
      settings: [[EVIL, EVIL]],
      notes: [EVIL],
      summary: [{ figure: EVIL, value: EVIL, interval: EVIL, note: EVIL }],
      mistakes: [mistake(EVIL, `${EVIL}.jpg`, { a: { path: EVIL, person: EVIL } })],
      verification: verificationOf(50),
    });
    const { page } = await evaluationPage(evil, { images: folder });
    const document = expectPage(page);
    expect(document.querySelectorAll('img')).toHaveLength(0);
    expect(document.querySelector('.lead')!.textContent).toContain(EVIL);
    expect(document.querySelector('.missing')!.textContent).toContain('co');
  });
});

describe('mistakes', () => {
  const shown = async (mistakes: Mistake[], images?: string) => {
    const { page } = await evaluationPage(evaluationOf({ mistakes }), images ? { images } : {});
    return expectPage(page);
  };

  test('are pairs of faces with score and threshold, shrunk', async () => {
    const document = await shown([mistake('a.jpg', 'a.jpg')], join(folder, 'faces'));
    const images = [...document.querySelectorAll('img')];
    expect(images.map((image) => image.getAttribute('alt'))).toEqual(['a.jpg', 'a.jpg']);
    const data = Buffer.from(images[0]!.getAttribute('src')!.split(',')[1]!, 'base64');
    const { width, height } = await sharp(data).metadata();
    expect([width, height]).toEqual([160, 120]);
    const caption = document.querySelector('.mistakes figcaption')!.textContent;
    for (const part of ['0.612', '0.450', 'One Person', 'Other Person']) expect(caption).toContain(part);
  });

  test('of one person name them once, under a heading of their own', async () => {
    const document = await shown([mistake('a', 'b', { kind: 'false non-match' })]);
    expect([...document.querySelectorAll('h3')].map((h) => h.textContent)).toEqual([
      'One person taken for two',
    ]);
    expect(document.querySelector('.mistakes figcaption')!.textContent).not.toContain('Other Person');
  });

  test('of videos show a frame', async () => {
    const document = await shown([mistake('video', 'a.jpg')], join(folder, 'faces'));
    expect(document.querySelectorAll('img')).toHaveLength(2);
  });

  test('whose pictures are missing, broken or elsewhere are named in a frame', async () => {
    const images = join(folder, 'faces');
    const document = await shown([mistake('gone.jpg', 'broken.jpg'), mistake('../secret.jpg', '.')], images);
    expect(document.querySelectorAll('img')).toHaveLength(0);
    expect([...document.querySelectorAll('.missing')].map((frame) => frame.textContent)).toEqual([
      ...['gone.jpg', 'broken.jpg', 'secret.jpg', '.'],
    ]);
    expect(document.body.textContent).toContain('4 of 4 pictures could not be read');
    const nowhere = await shown([mistake('a.jpg', 'b.jpg')]);
    expect(nowhere.querySelectorAll('.missing')).toHaveLength(2);
    expect(nowhere.body.textContent).toContain('the folder of the images is not known');
  });
});

describe('the folder', () => {
  test('holds the data, the page and the plots, without a folder of this machine', async () => {
    const out = join(folder, 'out');
    const images = join(folder, 'faces');
    const evaluation = evaluationOf({
      ...whole(),
      model: { name: 'model-a', file: join(folder, 'deep', 'a.onnx'), length: 128 },
      settings: [['Pairs', `${join(folder, 'pairs.txt')}: 2 folds, scale 1/128`]],
      notes: [`2 images of '${join(folder, 'x')}' were skipped`],
      mistakes: [mistake(join(images, 'a.jpg'), 'video/1.png')],
    });
    const { page, files } = await writeEvaluation(out, evaluation, { images });
    expect(page).toBe(join(out, 'index.html'));
    expect(files.map((file) => file.slice(out.length + 1)).sort()).toEqual(readdirSync(out).sort());
    expect(files).toHaveLength(2 + 9);
    for (const file of files) {
      const text = readFileSync(file, 'utf8');
      expect(text).not.toContain(folder);
      if (file.endsWith('.svg')) expectXml(text);
    }
    const kept = (await readEvaluation(out)).evaluation;
    expect(kept.model.file).toBe('a.onnx');
    expect(kept.settings[0]![1]).toBe('pairs.txt: 2 folds, scale 1/128');
    expect(kept.notes[0]).toBe("2 images of 'x' were skipped");
    expect(kept.mistakes![0]!.a.path).toBe('a.jpg');
    expect(kept.verification!.roc).toEqual(evaluation.verification!.roc);
    expect(parseHTML(readFileSync(page, 'utf8')).document.querySelectorAll('img')).toHaveLength(2);
    // Another evaluation in the same folder leaves no plot of this one.
    await writeEvaluation(out, evaluationOf({ identification: [cmc(10)] }));
    expect(readdirSync(out).sort()).toEqual(['cmc.svg', 'evaluation.json', 'index.html']);
  });

  test('survives what JSON has no numbers for', async () => {
    const part = verificationOf(400);
    const bare = { ...part.scores!, same: { ...part.scores!.same, mean: Number.NaN } };
    const out = join(folder, 'nan');
    const { page } = await writeEvaluation(
      out,
      evaluationOf({
        verification: { ...part, scores: bare, thresholds: [Number.POSITIVE_INFINITY, 0.3] },
        openSet: [{ ...det(10), thresholds: det(10).thresholds.map((t, i) => (i ? t : Infinity)) }],
      }),
    );
    expectPage(readFileSync(page, 'utf8'));
  });

  test.each([
    [{ model: { name: 'm', file: 'f', length: 2, sha256: 7 } }, 'damaged at model.sha256'],
    [{ openSet: [{ ...det(10), points: [{ ...det(10).points[0], reason: {} }] }] }, 'reason'],
    [{ identification: [{ ...cmc(10), synthetic: 'many' }] }, 'damaged at identification.0.synthetic'],
  ])('with %o of another type is one clear line', (part, words) => {
    const text = JSON.stringify({ ...evaluationOf({}), ...part });
    expect(() => parseEvaluation(text, 'x.json')).toThrow(words);
  });

  test.each([
    ['{', 'cut off or no JSON'],
    ['null', 'no evaluation'],
    ['[]', 'no evaluation'],
    ['{"format":"hypersphere-evaluation/2"}', "of the format 'hypersphere-evaluation/2'"],
    ['{"format":"hypersphere-evaluation/1"}', 'damaged at protocol'],
  ])('with %s for an evaluation is one clear line', (text, words) => {
    expect(() => parseEvaluation(text, 'x.json')).toThrow(words);
    expect(() => parseEvaluation(text, 'x.json')).toThrow(/^x\.json: .*make it again with: [^\n]*$/);
  });

  test.each<[string, (evaluation: Evaluation) => void]>([
    ['verification.roc', ({ verification }) => verification!.roc.far.pop()],
    ['verification.roc.tar.0', ({ verification }) => (verification!.roc.tar[0] = 7)],
    ['identification.0', ({ identification }) => identification![0]!.rates.pop()],
    ['openSet.0', ({ openSet }) => openSet![0]!.fnir.pop()],
    ['mistakes.0.kind', ({ mistakes }) => Object.assign(mistakes![0]!, { kind: 'none' })],
    ['seconds', (evaluation) => Object.assign(evaluation, { seconds: 'long' })],
  ])('with an edited %s says where it is damaged', (place, edit) => {
    const evaluation = structuredClone(whole());
    edit(evaluation);
    expect(() => parseEvaluation(JSON.stringify(evaluation), 'x.json')).toThrow(`damaged at ${place} (`);
  });
});
