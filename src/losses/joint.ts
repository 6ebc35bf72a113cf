// Joint losses by name: 'softmax+center' is the weighted sum of its parts. Each part has options, parameters and
// metrics under its own name; the weights are one more option. Class vectors and centres of a part are there for
// the parts behind it.
import { UserError } from '../common/errors.js';
import { add, mul } from '../graph/index.js';
import type { LossDefinition, LossOptions, LossTerms } from './definition.js';
import { refuse } from './options.js';

/** A plain object of options, or a UserError. */
function group(loss: string, name: string, value: unknown): Record<string, unknown> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(loss, name, value, 'an object');
  }
  return value as Record<string, unknown>;
}

/** The sum of `parts`, at least two, each with its weight. */
export function jointLoss(parts: readonly LossDefinition[]): LossDefinition {
  const names = parts.map(({ name }) => name);
  const loss = names.join('+');
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UserError(`${loss}: '${twice}' is named twice`);

  const check = (options: LossOptions = {}): Record<string, Record<string, unknown>> => {
    const strange = Object.keys(options).find((name) => name !== 'weights' && !names.includes(name));
    if (strange !== undefined) {
      throw new UserError(
        `${loss} has no option '${strange}'; it takes weights and the options of ${names.join(' and ')} under their names`,
      );
    }
    const given = group(loss, 'weights', options.weights);
    const other = Object.keys(given).find((name) => !names.includes(name));
    if (other !== undefined) {
      throw new UserError(`${loss}: a weight is given for '${other}', which is not part of it`);
    }
    const weights = Object.fromEntries(
      parts.map(({ name, weight: standard }) => {
        const weight = given[name] ?? standard;
        if (typeof weight !== 'number' || !(weight >= 0 && Number.isFinite(weight))) {
          refuse(loss, `the weight of ${name}`, weight, 'a number of at least 0');
        }
        return [name, weight];
      }),
    );
    const checked = parts.map((part) => [part.name, part.check(group(loss, part.name, options[part.name]))]);
    return { ...Object.fromEntries(checked), weights };
  };

  const build: LossDefinition['build'] = (context, options) => {
    const { weights, ...chosen } = check(options);
    let total: LossTerms['loss'] | undefined;
    let logits: LossTerms['logits'];
    let hits: LossTerms['hits'];
    let { classVectors, centres } = context;
    const schedule: LossTerms['schedule'][number][] = [];
    const metrics: Record<string, LossTerms['loss']> = {};
    for (const part of parts) {
      const scope = context.scope.child(part.name);
      const shared = { ...context, scope, part: part.name, classVectors, centres };
      const terms = part.build(shared, chosen[part.name]);
      const weighed = mul(terms.loss, weights![part.name] as number);
      total = total ? add(total, weighed) : weighed;
      logits ??= terms.logits;
      hits ??= terms.hits;
      classVectors ??= terms.classVectors;
      centres ??= terms.centres;
      schedule.push(...terms.schedule);
      metrics[`${part.name}.loss`] = terms.loss;
      for (const [name, value] of Object.entries(terms.metrics)) metrics[`${part.name}.${name}`] = value;
    }
    return { loss: total!, logits, hits, classVectors, centres, schedule, metrics };
  };

  const most = Math.max(...parts.map(({ needs }) => needs.imagesPerPerson ?? 0));
  const embedding = parts.find(({ embed }) => embed);
  return {
    name: loss,
    title: parts.map(({ title }) => title).join(' + '),
    formula: parts.map(({ name, formula }) => `${name}: ${formula}`).join('; '),
    paper: parts.map(({ paper }) => paper).join('; '),
    kind: parts[0]!.kind,
    needs: {
      ...(most > 0 && { imagesPerPerson: most }),
      wholeBatch: parts.some(({ needs }) => needs.wholeBatch),
    },
    weight: 1,
    options: {
      ...Object.fromEntries(
        parts.map((part) => [part.name, { default: part.defaults, valid: `options of ${part.name}` }]),
      ),
      weights: {
        default: Object.fromEntries(parts.map(({ name, weight }) => [name, weight])),
        valid: 'a number of at least 0 for each part',
      },
    },
    defaults: check(),
    check,
    build,
    ...(embedding && {
      embed: (scope, features, options) =>
        embedding.embed!(scope.child(embedding.name), features, check(options)[embedding.name]),
    }),
  };
}
