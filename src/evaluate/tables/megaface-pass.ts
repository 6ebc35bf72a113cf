// Rank-1 among distractors and TAR at FAR 1e-6 by MegaFace's protocol: on probes and distractors that are given, or at
// the small scale on LFW alone, whose people with one photograph then distract.
import { resolve } from 'node:path';
import { UserError } from '../../common/errors.js';
import type { FaceSource } from '../../face/index.js';
import { megafaceLists } from '../megaface/lists.js';
import { megaface } from '../megaface/megaface.js';
import { fuse } from '../templates.js';
import type { Scale } from './paper-table.js';
import {
  alignmentOf,
  count,
  digest,
  following,
  type MeasureHooks,
  type Pass,
  type TestData,
  withModel,
} from './pass.js';

/** The lowest FAR of the protocol. */
const FAR = 1e-6;

/** The pass, or the flags that are missing. */
export async function openMegaface(
  { lfw: folder, probes, distractors }: TestData,
  scale: Scale,
): Promise<Pass | string> {
  if (probes !== undefined && distractors !== undefined) return megafacePass(probes, distractors);
  // LFW alone can stand in for both, as long as nobody takes it for MegaFace.
  if (scale === 'small' && folder !== undefined && probes === undefined && distractors === undefined)
    return megafacePass(folder, undefined);
  const flags = '--probes DIR --distractors DIR';
  return scale === 'small' ? `${flags} (or --lfw DIR, for a run of MegaFace's kind on LFW)` : flags;
}

/** Nobody may take the run on LFW for MegaFace. */
const ON_LFW =
  "MegaFace's protocol on LFW, not MegaFace: people with several photographs search among those with one; ";

function megafacePass(probes: string, distractors: string | undefined): Pass {
  const measured = async (source: FaceSource, other: FaceSource | undefined, hooks: MeasureHooks) => {
    const names = (from: FaceSource) => from.images.map(({ person }) => person);
    const lists = megafaceLists(names(source), other && names(other));
    const searching = lists.probes.length;
    const rows = [...lists.probes, ...lists.distractors];
    const all = [...source.images, ...(other?.images ?? [])];
    const { templates, unreadable } = await templatesOf(
      [source, ...(other ? [other] : [])],
      rows,
      searching,
      hooks,
    );
    const there = lists.distractors.map((_, i) => searching + i).filter((row) => !unreadable.has(row));
    const { trials, probePeople, mostTrials, identification, verification } = await megaface(
      {
        templates,
        people: rows.map((row) => all[row]!.person),
        files: rows.map((row) => all[row]!.path),
        probes: lists.probes.map((_, i) => i),
        distractors: there,
        sizes: [there.length],
        fars: [FAR],
        replicates: 0,
      },
      { threads: hooks.threads, signal: hooks.signal },
    );
    const [tar] = verification.tarAtFar;
    const skipped = unreadable.size > 0 ? `; ${count(unreadable.size)} that cannot be read left out` : '';
    const lead = `${other ? '' : ON_LFW}${count(searching)} photographs of ${count(probePeople)} people, ${count(there.length)} distractors${skipped}`;
    return {
      figures: {
        'rank-1': 100 * identification.at(-1)!.rates[0]!,
        tar: tar!.tar === null ? null : 100 * tar!.tar,
      },
      ...(tar!.reason !== undefined && { reasons: { tar: tar!.reason } }),
      about: {
        'rank-1': `${lead}, ${count(trials)} searches, ${(100 * mostTrials.share).toFixed(0)} % of them for one person`,
        tar: `${lead}, ${count(verification.differentPairs)} impostor scores`,
      },
      ...alignmentOf(source),
    };
  };
  return {
    key: digest([probes, distractors ?? ''].map((folder) => resolve(folder)).join(' ')),
    measure: (run, hooks) =>
      withModel(run, probes, hooks, (source) =>
        distractors === undefined
          ? measured(source, undefined, hooks)
          : withModel(run, distractors, hooks, (other) => measured(source, other, hooks), { nested: true }),
      ),
  };
}

/** Images whose features are held at once beside the templates. */
const GROUP = 4096;

/**
 * Templates, image and mirror concatenated, of rows that count through the sources one after the other, and the places
 * of those that cannot be read: the first `probes` must be.
 */
async function templatesOf(
  sources: readonly FaceSource[],
  rows: readonly number[],
  probes: number,
  hooks: MeasureHooks,
) {
  const firsts = sources.map((_, s) => sources.slice(0, s).reduce((sum, one) => sum + one.images.length, 0));
  const ofRow = (row: number) => firsts.findLastIndex((start) => row >= start);
  const unreadable = new Set<number>();
  let templates: { length: number; original: Float32Array } | undefined;
  for (let first = 0; first < rows.length; ) {
    const begun = first;
    const at = ofRow(rows[first]!);
    let end = first + 1;
    while (end < rows.length && end - first < GROUP && ofRow(rows[end]!) === at) end++;
    const features = await sources[at]!.features(
      rows.slice(first, end).map((row) => row - firsts[at]!),
      {
        ...following({
          signal: hooks.signal,
          onProgress: (done) => hooks.onProgress?.(begun + done, rows.length),
        }),
        onUnreadable(i, reason) {
          if (begun + i < probes) throw new UserError(reason);
          unreadable.add(begun + i);
        },
      },
    );
    const fused = fuse(features, 'concatenate');
    templates ??= { length: fused.length, original: new Float32Array(rows.length * fused.length) };
    templates.original.set(fused.original, first * fused.length);
    first = end;
  }
  return { templates: templates!, unreadable };
}
