// Identification among distractors in rows and sentences: what a reader needs beside the figures is how many of the
// distractors are no faces, and who the searches are.

import { decimals, percent, range, type SummaryRow } from '../summary.js';
import type { MegafaceResult } from './megaface.js';
import { SYNTHETIC } from './synthetic-distractors.js';

const whole = (count: number) => count.toLocaleString('en-US');

/** Rows for the figures of `result`, in the order to print them; `probes` is the number of probes. */
export function summariseMegaface(result: MegafaceResult, probes: number): SummaryRow[] {
  const { identification, verification, trials, probePeople, rankOneOverPeople, heldFars } = result;
  const row = (figure: string, value: string, interval = '', note = ''): SummaryRow => ({
    figure,
    value,
    interval,
    note,
  });
  const last = identification.at(-1)!;
  const ten = last.ranks.indexOf(10);
  const { intervals } = verification;
  return [
    ...identification.map(({ gallery, rates, intervals: own, synthetic }) =>
      row(
        `rank 1 at ${whole(gallery - 1)} distractors`,
        percent(rates[0]!),
        range(own?.[0]),
        synthetic ? `${whole(synthetic)} of them synthetic` : '',
      ),
    ),
    ...(ten < 0
      ? []
      : [
          row(
            `rank 10 at ${whole(last.gallery - 1)}`,
            percent(last.rates[ten]!),
            range(last.intervals?.[ten]),
          ),
        ]),
    row(
      `rank 1 at ${whole(last.gallery - 1)}, people alike`,
      percent(rankOneOverPeople),
      '',
      'mean over people, whose searches are many or few',
    ),
    ...verification.tarAtFar.map((entry) =>
      row(
        `TAR at FAR ${entry.far < 1e-4 ? entry.far.toExponential() : entry.far}`,
        entry.tar === null ? 'not known' : percent(entry.tar),
        range(entry.interval),
        entry.reason ??
          `threshold ${entry.threshold === null ? 'above every pair' : decimals(entry.threshold)}`,
      ),
    ),
    row('AUC', decimals(verification.auc!)),
    row('EER', percent(verification.eer!)),
    row(
      'trials',
      `${whole(trials)} searches`,
      '',
      `${whole(probes)} probes of ${whole(probePeople)} people; ${whole(verification.differentPairs)} scores with real distractors`,
    ),
    ...(intervals
      ? [
          row(
            'intervals',
            '95 %',
            '',
            `bootstrap over probe people, ${intervals.replicates} draws, seed ${intervals.seed}; those of TAR find the threshold anew in every draw${heldFars.length > 0 ? `, that of FAR ${heldFars.join(' and ')} held` : ''}`,
          ),
        ]
      : []),
  ];
}

/** What a reader must know before comparing a figure with another. */
export function megafaceNotes({ synthetic, mostTrials, rankOneOverPeople }: MegafaceResult): string[] {
  const notes: string[] = [];
  if (synthetic) {
    const { count, threshold, real, synthetic: drawn } = synthetic;
    const share = (value: number) => (value === 0 ? 'none' : `${(100 * value).toPrecision(2)} %`);
    notes.push(
      `${whole(count)} distractors are synthetic: ${SYNTHETIC}; ${share(real)} of the scores with real ones reach ${decimals(threshold)}, ${share(drawn)} of those with synthetic ones`,
      'FARs are those among real distractors alone',
    );
  }
  if (mostTrials.share > 0.1)
    notes.push(
      `${percent(mostTrials.share)} of the searches are for ${mostTrials.person}; with people weighing alike rank 1 is ${percent(rankOneOverPeople)} at the most distractors`,
    );
  return notes;
}
