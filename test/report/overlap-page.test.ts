// The page of people in both sets: whole, closed to the network, names that cannot become tags, and pictures only from
// the folders of the two sets.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OverlapPair } from '../../src/evaluate/index.js';
import { expectedNumber, type OverlapReport, overlapPage } from '../../src/report/index.js';
import { expectWellFormed } from '../support/markup.js';

const EVIL = `<script>alert('x')</script>"><img src=x onerror=alert(1)> & co`;
const folder = mkdtempSync(join(tmpdir(), 'hypersphere-'));
afterAll(() => rmSync(folder, { recursive: true }));
const inside = join(folder, 'faces');
beforeAll(async () => {
  mkdirSync(inside);
  for (const file of [join(inside, '1.jpg'), join(folder, 'outside.jpg')])
    await sharp({ create: { width: 12, height: 12, channels: 3, background: '#808080' } })
      .jpeg()
      .toFile(file);
});

const pair = (more: Partial<OverlapPair> = {}): OverlapPair => ({
  ...{ train: EVIL, test: 'Ann_Lee', evidence: ['embeddings'], images: { train: 2, test: 1 } },
  ...{ similarity: 0.75, expectedFalse: 0.00002, next: { test: 'Bo', similarity: 0.25 } },
  alike: { train: '1.jpg', test: '1.jpg', similarity: 0.8 },
  others: { train: ['gone.jpg'], test: [] },
  ...more,
});
const tail = { pairs: 6000, from: 0.3, upTo: 0.4, share: 0.1, exponent: 10 };
const report = (more: Partial<OverlapReport> = {}): OverlapReport => ({
  train: { name: EVIL, folder: inside, people: 60, images: 120 },
  test: { name: 'lfw', folder: inside, people: 100, images: 100 },
  ...{ found: [pair()], candidates: [pair({ evidence: [], expectedFalse: 3 })], settings: [['Model', EVIL]] },
  level: {
    ...{ comparisons: 6000, similarity: 0.6, expectedFalse: 1, tail, training: { ...tail, people: 60 } },
    curve: [0.3, 0.31, 0.75].map((similarity, i) => ({
      similarity,
      seen: 600 - 299 * i,
      expected: 600 / 9 ** i,
      byTraining: 900,
    })),
    sharedLabels: [{ a: '7', b: EVIL, similarity: 0.9 }],
  },
  ...more,
});

describe('the page', () => {
  test('is whole, closed to the network, and holds all it shows', async () => {
    const text = await overlapPage(report());
    expectWellFormed(text);
    const { document } = parseHTML(text);
    expect(document.querySelectorAll('script, link, iframe, object, embed, base')).toHaveLength(0);
    const policy = document.querySelector('meta[http-equiv]')!.getAttribute('content');
    expect(policy).toBe("default-src 'none'; style-src 'unsafe-inline'; img-src data:");
    const images = [...document.querySelectorAll('img')];
    expect(images).toHaveLength(4);
    for (const image of images) expect(image.getAttribute('src')).toMatch(/^data:image\/jpeg;base64,/);
    // What is not there keeps its place, with its name.
    expect([...document.querySelectorAll('.missing')].map((one) => one.textContent)).toEqual([
      'gone.jpg',
      'gone.jpg',
    ]);
    expect(document.querySelector('h1')!.textContent).toBe('1 person in both sets');
    expect(document.querySelector('.lead')!.textContent).toMatch(
      /from a similarity .* of 0\.600 on, where 1 false find is expected in all 6,000 comparisons: 1 by the embeddings, 0 by/,
    );
    const [found, other] = [...document.querySelectorAll('.pairs figcaption')].map((one) => one.textContent);
    expect(found).toContain(`${EVIL} and Ann Lee`.replaceAll('_', ' '));
    expect(found).toMatch(
      /similarity 0\.750, false finds expected there: less than 0\.0001; the two images 0\.800; next: Bo 0\.250/,
    );
    expect(other).toMatch(/false finds expected there: 3;/);
    expect(document.querySelectorAll('svg.plot circle')).toHaveLength(3);
  });

  test('shows nothing from outside of the two folders', async () => {
    const outside = { train: '../outside.jpg', test: join(folder, 'outside.jpg'), similarity: 1 };
    const one = report({
      found: [pair({ alike: outside, others: { train: [], test: [] } })],
      candidates: [],
    });
    const { document } = parseHTML(await overlapPage(one));
    expect(document.querySelectorAll('img')).toHaveLength(0);
    const unknown = report({ train: { ...one.train, folder: '' }, test: { ...one.test, folder: '' } });
    expect(parseHTML(await overlapPage(unknown)).document.querySelectorAll('img')).toHaveLength(0);
  });

  test('of names alone, of nobody and of too few people says so', async () => {
    const { level: _, ...named } = report({ found: [pair({ evidence: ['name'] })], candidates: [] });
    const lead = async (one: OverlapReport) => {
      const text = await overlapPage(one);
      expectWellFormed(text);
      return parseHTML(text).document.querySelector('header')!.textContent!;
    };
    expect(await lead(named)).toMatch(/by their names only: 1 has the same/);
    expect(await lead(report({ found: [] }))).toMatch(/Nobody found in both sets/);
    const few = report({ found: [], level: { comparisons: 6, curve: [], sharedLabels: [] } });
    expect(await lead(few)).toMatch(/Too few people to tell who is in both sets/);
    expect(await lead(few)).not.toMatch(/[Nn]obody (found )?in both/);
  });

  test('says of a photograph what its pixels say, or that only the embeddings do', async () => {
    const photograph = { train: '1.jpg', test: '1.jpg', similarity: 0.99 };
    const evidence: OverlapPair['evidence'] = ['embeddings', 'photograph'];
    const one = report({
      found: [
        pair({ evidence, photographs: [{ ...photograph, correlation: 0.9876 }] }),
        pair({ evidence, photographs: [photograph] }),
      ],
      photographs: { strangers: 0.7, compared: 8, unseen: 2 },
    });
    const text = await overlapPage(one);
    expectWellFormed(text);
    const { document } = parseHTML(text);
    const said = [...document.querySelectorAll('.pairs figcaption')].map((caption) => caption.textContent);
    expect(said[0]).toMatch(/one photograph: its pixels correlate 0\.988; similarity 0\.750/);
    expect(said[1]).toMatch(/one photograph, by the embeddings; similarity/);
    // Two finds of one training person.
    expect(document.querySelector('h1')!.textContent).toBe('1 person in both sets');
    expect(document.querySelector('.lead')!.textContent).toMatch(
      /By a photograph that both have: 2, of 8 pairs of images .* pixels and 2 by their embeddings only\./,
    );
  });
});

test('an expected number has two digits', () => {
  const said = [0, 0.00009, 0.00045, 0.138, 1, 1.58, 99.4, 1234.5].map(expectedNumber);
  expect(said).toEqual([
    'less than 0.0001',
    'less than 0.0001',
    '0.00045',
    '0.14',
    '1',
    '1.6',
    '99',
    '1,235',
  ]);
});
