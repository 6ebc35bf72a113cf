// Which tensor of a file is which parameter of a network: by a map that is given, by names (our own or a known
// dialect's), and what is left by order, if the shapes are the same all the way. Nothing is left over silently.
import { UserError } from '../../common/errors.js';
import type { StoredNumbers } from '../../data/index.js';
import { type Dialect, dialects } from './dialects.js';
import { sameShape, shapeText, sharedSlope } from './shapes.js';
import type { WeightFile } from './tensors.js';

/** A parameter that is looked for. */
export interface Wanted {
  name: string;
  shape: readonly number[];
  /** A parameter that some files have and this network has not, since it is zero. */
  zero?: boolean;
}

/** The outcome of one attempt. */
export interface Match {
  /** The file's name of each parameter, by ours. */
  assigned: Map<string, string>;
  /** How many parameters each rule found. */
  rules: { rule: string; count: number }[];
  /** Tensors of the file that are no part of the network, each with the reason. */
  ignored: { name: string; reason: string }[];
  /** Parameters that were not found. */
  missing: Wanted[];
  /** Tensors that have no place in the network. */
  over: string[];
  /** The tensors that have a missing parameter's name but not its shape, by our name. */
  misshapen: Map<string, string>;
}

/** What a match needs to know. */
export interface MatchOptions {
  net: string;
  wanted: readonly Wanted[];
  /** Length of the embedding, which tells a classifier from the network. */
  embedding: number;
  /** The file's names of parameters, by ours, where they are known. */
  map?: Readonly<Record<string, string>>;
}

const COUNTER = /(^|\.)num_batches_tracked$/;
type Tensors = ReadonlyMap<string, StoredNumbers>;

export const fits = (wanted: Wanted, tensor: StoredNumbers): boolean =>
  sameShape(wanted.shape, tensor.shape) || sharedSlope(wanted.name, tensor.shape);

/** Matches the tensors of `file` with the parameters wanted; what it could not match is in the result. */
export function matchTensors({ file, tensors }: WeightFile, options: MatchOptions): Match {
  const counters = [...tensors.keys()].filter((name) => COUNTER.test(name));
  const rest = new Map([...tensors].filter(([name]) => !COUNTER.test(name)));
  const given = fromMap(file, rest, options);
  const byName = bestDialect(rest, given, options);
  const partly = complete(rest, [given, byName], options);
  // Names that are the same by chance must not stand in the way of the order.
  const match =
    partly.missing.length > 0 && byName.found.size > 0
      ? pick(partly, complete(rest, [given], options))
      : partly;
  match.ignored.unshift(...counters.map((name) => ({ name, reason: 'a counter of batches' })));
  return match;
}

const pick = (a: Match, b: Match): Match => (b.missing.length + b.over.length === 0 ? b : a);

/** Parameters found by one rule: their names by ours. */
interface Found {
  rule: string;
  found: Map<string, string>;
  /** Those of the right name and another shape. */
  misshapen?: Map<string, string>;
}

function fromMap(file: string, tensors: Tensors, { wanted, map = {} }: MatchOptions): Found {
  const found = new Map<string, string>();
  for (const [ours, theirs] of Object.entries(map)) {
    const parameter = wanted.find(({ name }) => name === ours);
    const tensor = tensors.get(theirs);
    if (!parameter) throw new UserError(`the map names '${ours}', which is no parameter of the network`);
    if (!tensor) throw new UserError(`the map names '${theirs}', which is no tensor of ${file}`);
    if (!fits(parameter, tensor)) {
      throw new UserError(
        `the map gives '${ours}' ${shapeText(parameter.shape)} the tensor '${theirs}' ${shapeText(tensor.shape)}; their shapes differ`,
      );
    }
    found.set(ours, theirs);
  }
  return { rule: 'the map given', found };
}

/** What comes before all names of a part of the file, such as DataParallel's 'module.', the likeliest first. */
function prefixes(tensors: Tensors): string[] {
  const counts = new Map<string, number>([['', tensors.size]]);
  for (const name of tensors.keys()) {
    const parts = name.split('.');
    for (let depth = 1; depth < Math.min(parts.length, 4); depth++) {
      const prefix = `${parts.slice(0, depth).join('.')}.`;
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  return [...counts].filter(([, count]) => count * 2 >= tensors.size).map(([prefix]) => prefix);
}

/** The dialect that names the most parameters. */
function bestDialect(tensors: Tensors, given: Found, { net, wanted }: MatchOptions): Found {
  let best: Found = { rule: '', found: new Map() };
  for (const prefix of prefixes(tensors)) {
    for (const dialect of dialects.filter(({ nets }) => nets.test(net))) {
      const found = new Map<string, string>();
      const misshapen = new Map<string, string>();
      for (const parameter of wanted) {
        if (given.found.has(parameter.name)) continue;
        const theirs = prefix + dialect.rename(parameter.name);
        const tensor = tensors.get(theirs);
        if (tensor) (fits(parameter, tensor) ? found : misshapen).set(parameter.name, theirs);
      }
      if (found.size > best.found.size) best = { rule: ruleOf(dialect, prefix), found, misshapen };
    }
  }
  return best;
}

const ruleOf = ({ name }: Dialect, prefix: string): string =>
  prefix === '' ? name : `${name} behind '${prefix}'`;

/** What the rules before found, the rest by order, and what is then left on both sides. */
function complete(tensors: Tensors, before: readonly Found[], { wanted, embedding }: MatchOptions): Match {
  const assigned = new Map(before.flatMap(({ found }) => [...found]));
  const taken = new Set(assigned.values());
  const open = wanted.filter(({ name }) => !assigned.has(name));
  const free = [...tensors].filter(([name]) => !taken.has(name));
  const found = open.some(({ zero }) => !zero) ? byOrder(open, free, embedding) : new Map<string, string>();
  for (const [ours, theirs] of found) assigned.set(ours, theirs);
  const used = new Set(assigned.values());
  const left = free.filter(([name]) => !used.has(name));
  const missing = wanted.filter(({ name, zero }) => !zero && !assigned.has(name));
  const misshapen = new Map(before.flatMap((rule) => [...(rule.misshapen ?? [])]));
  for (const name of assigned.keys()) misshapen.delete(name);
  // While something is missing without a trace, what looks like a classifier may be it.
  const heads = missing.every(({ name }) => misshapen.has(name)) ? headsOf(left, embedding) : [];
  return {
    assigned,
    rules: [...before, { rule: 'order and shapes', found }].flatMap(({ rule, found: { size } }) =>
      size > 0 ? [{ rule, count: size }] : [],
    ),
    ignored: heads.map((name) => ({ name, reason: 'a classifier of the training' })),
    missing,
    over: left.flatMap(([name]) => (heads.includes(name) ? [] : [name])),
    misshapen,
  };
}

type Entry = readonly [name: string, tensor: StoredNumbers];

/** The classifiers among tensors: [people, embedding], as it is or transposed, and the bias behind it. */
function headsOf(entries: readonly Entry[], embedding: number): string[] {
  const heads: string[] = [];
  let people: number | undefined;
  for (const [name, { shape }] of entries) {
    const isHead = shape.length === 2 && shape.includes(embedding);
    const isBias = people !== undefined && shape.length === 1 && shape[0] === people;
    if (isHead || isBias) heads.push(name);
    people = isHead ? shape[shape[0] === embedding ? 1 : 0] : undefined;
  }
  return heads;
}

/** All open parameters in the order of the file, if every shape fits; with or without those that are zero. */
function byOrder(open: readonly Wanted[], free: readonly Entry[], embedding: number): Map<string, string> {
  for (const wanted of [open.filter(({ zero }) => !zero), open]) {
    const part = free.slice(0, wanted.length);
    const rest = free.slice(wanted.length);
    if (part.length < wanted.length || headsOf(rest, embedding).length < rest.length) continue;
    if (wanted.every((parameter, i) => fits(parameter, part[i]![1]))) {
      return new Map(wanted.map(({ name }, i) => [name, part[i]![0]]));
    }
  }
  return new Map();
}
