// Whether evaluations may be compared: figures of another protocol, mode, pair list or alignment are figures of another
// thing. Everything that was set is compared; only what describes the model itself may differ.
import type { Evaluation } from '../../evaluate/evaluation.js';

/** An evaluation with the name that it has among the others. */
export interface Run {
  name: string;
  /** For where there is little room: the folder's name, if the model's is that of others too. */
  short: string;
  evaluation: Evaluation;
}

/** Evaluations with names: the model's, made distinct by the folder's where two are alike. `places` are their files. */
export function named(found: readonly { file: string; evaluation: Evaluation }[]): Run[] {
  const folders = found.map(({ file }) => {
    const parts = file.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
    const last = parts.pop()!;
    return last === 'evaluation.json' && parts.length > 0 ? parts.pop()! : last;
  });
  const models = found.map(({ evaluation }) => evaluation.model.name);
  const twice = (list: readonly string[], name: string) => list.indexOf(name) !== list.lastIndexOf(name);
  const names = models.map((name, i) => (twice(models, name) ? `${name} (${folders[i]})` : name));
  return found.map(({ evaluation }, i) => {
    const number = twice(names, names[i]!) ? `${i + 1}: ` : '';
    const short = twice(models, models[i]!) ? folders[i]! : models[i]!;
    return { evaluation, name: `${number}${names[i]}`, short: `${number}${short}` };
  });
}

/** One line of what was set, run by run; '' where a run does not have it. */
export interface SettingRow {
  name: string;
  values: string[];
  differs: boolean;
  /** Whether it differs in a way that makes the figures those of two things. */
  matters: boolean;
}

/** Settings that say which model it was and where it ran, and may differ between runs that are compared. */
const OF_THE_MODEL = /^(distractors: )?(embeddings|model|computed on|image and mirror|scores|meaning)$/i;

/** All settings side by side, first what a model is, then what was set, in the order of the first run that has it. */
export function settingRows(runs: readonly Run[]): SettingRow[] {
  const model = (name: string, value: (evaluation: Evaluation) => string | undefined): SettingRow =>
    row(
      name,
      runs.map(({ evaluation }) => value(evaluation) ?? ''),
      false,
    );
  const names = [...new Set(runs.flatMap(({ evaluation }) => evaluation.settings.map(([name]) => name)))];
  const trials = (name: string, value: (evaluation: Evaluation) => number | undefined): SettingRow =>
    row(
      name,
      runs.map(({ evaluation }) => String(value(evaluation) ?? '')),
      true,
    );
  return [
    model('Model', ({ model: { name } }) => name),
    model('File', ({ model: { file } }) => file),
    model('Hash (SHA-256)', ({ model: { sha256 } }) => sha256?.slice(0, 12)),
    model('Trained on', ({ model: { trainedOn } }) => trainedOn),
    model('Template', ({ model: { template } }) => template),
    model('Numbers of a template', ({ model: { length } }) => String(length)),
    row(
      'Protocol',
      runs.map(({ evaluation }) => evaluation.protocol),
      true,
    ),
    row(
      'Evaluation',
      runs.map(({ evaluation }) => evaluation.title),
      true,
    ),
    ...names.map((name) =>
      row(
        name,
        runs.map(({ evaluation }) => settingOf(evaluation, name)),
        !OF_THE_MODEL.test(name),
      ),
    ),
    trials('Pairs of one person', ({ verification }) => verification?.samePairs),
    trials('Pairs of different people', ({ verification }) => verification?.differentPairs),
    trials('Searches', ({ identification }) => identification?.[0]?.trials),
    trials('Mated searches', ({ openSet }) => openSet?.[0]?.mated),
    trials('Non-mated searches', ({ openSet }) => openSet?.[0]?.nonMated),
  ].filter(({ values }) => values.some((value) => value !== ''));
}

/** Of a setting that is there twice, each value once. */
const settingOf = ({ settings }: Evaluation, name: string): string =>
  [...new Set(settings.filter(([own]) => own === name).map(([, value]) => value))].join('; ');

function row(name: string, values: string[], matters: boolean): SettingRow {
  const distinct = (as: (value: string) => string) => new Set(values.map(as)).size > 1;
  // How image and mirror become one template belongs to the model, as a file of scores does.
  const alike = (value: string) => asData(value).replace(/image and mirror: \w+|the scores of .*$/, '');
  return { name, values, differs: distinct(asData), matters: matters && distinct(alike) };
}

/**
 * The same data in another folder is the same data: '../lfw/pairs.txt: 10 folds' is 'pairs.txt: 10 folds'. And faces
 * that are taken as they are do not change with the template that a model states.
 */
const asData = (value: string): string =>
  value
    .replaceAll('\\', '/')
    .replace(/(^|\s)(?:[^\s/]*\/)+(?=[^\s/])/g, '$1')
    .replace(/; the model's template: .*$/, '');

/** What forbids a comparison; empty when nothing does. */
export const differences = (rows: readonly SettingRow[]): SettingRow[] =>
  rows.filter(({ matters }) => matters);
