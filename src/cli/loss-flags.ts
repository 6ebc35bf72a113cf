// How a loss and its options are read from flags: '--loss softmax+center --weight center=0.008', '--margin 0.5',
// and '--option NAME=VALUE' for everything a loss takes.
import { InvalidArgumentError } from 'commander';
import { UserError } from '../common/errors.js';
import { type LossDefinition, lossNamed } from '../losses/index.js';

/** The flags that say something about a loss. */
export interface LossFlags {
  loss?: string;
  margin?: number;
  lambdaMin?: number;
  gradient?: string;
  option?: Assignment[];
  weight?: Assignment[];
}

/** NAME=VALUE, NAME with dots between the names of groups. */
export interface Assignment {
  path: string[];
  value: unknown;
}

/** The name of a loss, or of several with '+' between them. */
export function lossName(text: string): string {
  try {
    return lossNamed(text).name;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** Collects NAME=VALUE; a value is a number, true or false where it looks like one, else a word. */
export function assignment(text: string, before: Assignment[] = []): Assignment[] {
  const [, name, word] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || word === undefined)
    throw new InvalidArgumentError('It must be NAME=VALUE, as in margin=0.5 or center.rate=0.3.');
  const number = Number(word);
  const value = Number.isNaN(number) ? ({ true: true, false: false }[word] ?? word) : number;
  return [...before, { path: name.split('.'), value }];
}

/** The options that the flags set, as a loss takes them. Throws a `UserError` for one that no part takes. */
export function lossOptionsOf(flags: LossFlags, loss: string | undefined): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  const shortcuts: [flag: string, path: string[], value: unknown][] = [
    ['--margin', ['margin'], flags.margin],
    ['--gradient', ['gradient'], flags.gradient],
    ['--lambda-min', ['annealing', 'minimum'], flags.lambdaMin],
  ];
  for (const [flag, path, value] of shortcuts) {
    if (value !== undefined) set(options, [...owner(loss, flag, path[0]!), ...path], value);
  }
  for (const { path, value } of flags.option ?? []) set(options, path, value);
  if (flags.weight && loss !== undefined && !loss.includes('+')) {
    throw new UserError(`--weight: ${loss} stands alone; weights are for a sum, as in --loss softmax+center`);
  }
  for (const { path, value } of flags.weight ?? []) set(options, ['weights', ...path], value);
  return options;
}

/** The part of a joint loss that takes an option, as the beginning of its path. */
function owner(loss: string | undefined, flag: string, option: string): string[] {
  if (loss === undefined || !loss.includes('+')) return [];
  const takers = loss
    .split('+')
    .map(lossNamed)
    .filter((part: LossDefinition) => option in part.options);
  if (takers.length === 1) return [takers[0]!.name];
  const which = takers.length === 0 ? 'no part' : takers.map(({ name }) => name).join(' and ');
  throw new UserError(
    `${flag}: ${which} of ${loss} takes '${option}'; say whose with --option LOSS.${option}=VALUE`,
  );
}

/** Sets the option of a path. Throws a `UserError` for a part of an option that has a value of its own. */
function set(
  options: Record<string, unknown>,
  [name = '', ...rest]: readonly string[],
  value: unknown,
  before = '',
): void {
  if (rest.length === 0) {
    options[name] = value;
    return;
  }
  const full = `${before}${name}`;
  const group = (Object.hasOwn(options, name) ? options[name] : undefined) ?? {};
  if (typeof group !== 'object')
    throw new UserError(`'${full}' is ${group} already and has no part '${rest.join('.')}'; leave one out`);
  set(group as Record<string, unknown>, rest, value, `${full}.`);
  options[name] = group;
}
