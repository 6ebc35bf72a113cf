// What is said of a collapse that the watch has found: what happened, what is kept, and what to change.
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { type Annealing, lossNamed } from '../losses/index.js';
import { checkpointNames } from './checkpoint.js';
import type { Config } from './config.js';
import { FILES } from './run-folder.js';
import type { Collapse, CollapseWatch } from './watch.js';

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;
const short = (value: number): number => Number(value.toPrecision(3));

/** The error of a run whose embeddings have collapsed; `found` is missing on ranks that did not see the metrics. */
export function collapsed(config: Config, found?: Collapse): UserError {
  if (!found)
    return new UserError('the embeddings have collapsed; see the message of rank 0', { code: 'diverged' });
  return new UserError(
    `step ${found.now.step}: ${what(found)}; ${kept(config)}; ${remedy(found, config)} and train again with --force or another --out, ` +
      'or go on regardless with --no-watch',
    { code: 'diverged', data: { step: found.now.step, what: what(found) } },
  );
}

/** The same of a run that goes on regardless. */
export const collapseWarning = (config: Config, found: Collapse): string =>
  `step ${found.now.step}: ${what(found)}; for a model of use ${remedy(found, config)} and train again`;

/** What to know of a finished run whose model guesses; undefined for one that learned. */
export function guessing(watch: CollapseWatch): string | undefined {
  const now = watch.guessing;
  if (!now) return undefined;
  return `the run has not learned to tell people apart: accuracy ${percent(now.accuracy)}, loss ${short(now.loss)} at its end; train longer, or change the rate (--lr) or the warm-up (--warm-up)`;
}

/** What happened, in words. */
function what(found: Collapse): string {
  const { now } = found;
  if (found.kind === 'fell') {
    return `the accuracy has fallen from ${percent(found.best.accuracy)} at step ${found.best.step} to ${percent(now.accuracy)}`;
  }
  const lengths = `from a mean length of ${short(found.start)} to ${short(now.length)}`;
  return found.kind === 'shrunk'
    ? `the embeddings have collapsed ${lengths}, and the loss, ${short(now.loss)}, is that of guessing (log K = ${short(found.guess)})`
    : `the embeddings have grown ${lengths}, and the accuracy, ${percent(now.accuracy)}, is that of guessing`;
}

function kept({ out }: Config): string {
  const [newest] = checkpointNames(join(out, FILES.checkpoints));
  return newest
    ? `the last checkpoint is ${join(out, FILES.checkpoints, newest)}`
    : 'no checkpoint was written yet';
}

/** What to change, by what happened and what the loss has. */
function remedy({ kind }: Collapse, { loss, lossOptions, lr, warmUp }: Config): string {
  const warm = warmUp === 0 ? ['add --warm-up 100'] : [];
  if (kind === 'grown')
    return [`lower --lr (${lr} now)`, ...warm, 'lower the scale (--option scale=30)'].join(', or ');
  const annealing = annealingOf(loss, lossOptions);
  const anneal = annealing ? [`raise --lambda-min (${annealing.minimum} now)`] : [];
  if (annealing && !annealing.wait) {
    anneal.unshift('let lambda wait for the angles (--option annealing.wait=true)');
  }
  return [...anneal, `change --lr (${lr} now)`, ...warm].join(', or ');
}

/** The annealing of a loss, or of the first part of a joint loss that has one. */
function annealingOf(loss: string, options: Record<string, unknown>): Annealing | undefined {
  const parts = loss.split('+');
  const owner = parts.find((part) => 'annealing' in lossNamed(part).options);
  if (owner === undefined) return undefined;
  const own = parts.length > 1 ? (options[owner] as Record<string, unknown>) : options;
  return own.margin === 1 ? undefined : (own.annealing as Annealing);
}
