// What hypersphere overlap prints for people: who is in both, who to look at, and what it rests on.
import { basename } from 'node:path';
import type { OverlapPair, OverlapResult } from '../evaluate/index.js';
import { expectedNumber } from '../report/expected-number.js';
import type { OverlapSet } from '../report/index.js';
import { duration } from './output.js';

/** Candidates that are printed; the file has them all. */
const PRINTED = 10;

export interface OverlapSaid {
  exclude: readonly string[];
  train: OverlapSet;
  test: OverlapSet;
  flags: { testPairs?: string; out: string; candidates: number };
  page: string | undefined;
  seconds: number;
}

/** The whole of what is printed. */
export function overlapText(
  { found, candidates, level, photographs }: OverlapResult,
  said: OverlapSaid,
): string[] {
  const { exclude, train: a, test: b, page, seconds } = said;
  const { testPairs, out, candidates: most } = said.flags;
  const count = (n: number, what: string) => `${n.toLocaleString('en')} ${what}`;
  const lines = [
    `${count(a.people, 'people')} of ${a.name} (${count(a.images, 'images')}) and ${count(b.people, 'people')} of ${b.name} (${count(b.images, 'images')})${testPairs === undefined ? '' : `, those of ${testPairs} only`}, ${duration(seconds)}`,
  ];
  if (level) {
    const { similarity, expectedFalse, comparisons } = level;
    lines.push(
      similarity === undefined
        ? 'too few people to tell from which similarity on two are one: look at the pairs, and choose --min-similarity'
        : `one person from a similarity of ${similarity.toFixed(3)} on${expectedFalse === undefined ? '' : `, where ${expectedNumber(expectedFalse)} false find${expectedFalse === 1 ? ' is' : 's are'} expected in ${comparisons.toLocaleString('en')} comparisons`}`,
    );
  }
  if (photographs) {
    const { compared, unseen } = photographs;
    const shared = found.filter(({ evidence }) => evidence.includes('photograph')).length;
    lines.push(
      `photographs: ${[
        `${count(compared, compared === 1 ? 'pair of images' : 'pairs of images')} compared by their pixels`,
        ...(unseen > 0 ? [`${unseen.toLocaleString('en')} by their embeddings only`] : []),
      ].join(
        ', ',
      )}; ${shared === 0 ? 'none is shared' : `${count(shared, shared === 1 ? 'pair' : 'pairs')} of people share one`}`,
    );
  }
  const sought = [
    ...['name', ...(photographs ? ['photograph'] : [])],
    ...(level?.similarity === undefined ? [] : ['likeness']),
  ];
  lines.push('', found.length > 0 ? 'in both:' : `nobody was found in both by ${either(sought)}`);
  lines.push(...rows(found));
  const others = candidates.slice(0, PRINTED);
  if (others.length > 0)
    lines.push(
      '',
      `to look at, the most alike of the others${candidates.length > PRINTED ? ` (${candidates.length} in the file)` : ''}:`,
      ...rows(others),
    );
  const shared = level?.sharedLabels ?? [];
  if (shared.length > 0)
    lines.push(
      '',
      `training labels that may share a person: ${shared
        .slice(0, PRINTED)
        .map(({ a: one, b: other, similarity }) => `${one} and ${other} (${similarity.toFixed(3)})`)
        .join(', ')}`,
    );
  if (page !== undefined) lines.push('', `look at ${page}`);
  lines.push(
    ...(page === undefined ? [''] : []),
    `${out}: ${count(exclude.length, exclude.length === 1 ? 'person' : 'people')} to leave out with hypersphere train --exclude ${basename(out) === out ? out : `'${out}'`}`,
  );
  if (most === 0) lines.push('no others are listed (--candidates 0)');
  return lines;
}

/** 'name', 'name or photograph', 'name, photograph or likeness'. */
const either = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

/** Pairs as a table. */
function rows(pairs: readonly OverlapPair[]): string[] {
  if (pairs.length === 0) return [];
  const cells = [
    ['training', 'test', 'by', 'similarity', 'false finds', 'images', 'most alike'],
    ...pairs.map(({ train, test, evidence, similarity, expectedFalse, images, alike }) => [
      train,
      test,
      evidence.join(', ') || '-',
      similarity?.toFixed(3) ?? '-',
      expectedFalse === undefined ? '-' : expectedNumber(expectedFalse),
      `${images.train}, ${images.test}`,
      alike ? `${alike.train} ${alike.test} (${alike.similarity.toFixed(3)})` : '-',
    ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd());
}
