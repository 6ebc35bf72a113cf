// Every command that writes.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Kit } from './kit.js';
import type { Scenario } from './scenario.js';

const threads = ['--threads', '1'];
const training = (data: string, out: string) => [
  ...['train', '--data', data, '--net', 'sphereface-4', '--loss', 'cosface', '--out', join(out, 'run')],
  ...[
    '--size',
    '32x32',
    '--embedding',
    '16',
    '--batch',
    '4',
    '--lr',
    '0.01',
    '--steps',
    '12',
    '--holdout',
    '2',
  ],
  ...['--checkpoint-steps', '2', ...threads],
];
const resumed = (args: string[], out: string): string[] =>
  existsSync(join(out, 'run', 'config.json')) ? [...args, '--resume'] : args;

const embed = (kit: Kit, out: string, data: string, name: string) => [
  ...['embed', '--model', kit.model, '--data', data, '--out', join(out, name), ...threads],
];
const quantize = (kit: Kit, out: string, model: string) => [
  ...[
    'quantize',
    '--model',
    model,
    '--faces',
    kit.crowd,
    '--images',
    '4',
    '--out',
    join(out, 'int8.onnx'),
    ...threads,
  ],
];
const importing = (file: string, out: string) => [
  ...[
    'import',
    file,
    '--net',
    'sphereface-4',
    '--size',
    '32x32',
    '--out',
    join(out, 'net.onnx'),
    '--order',
    'rgb',
  ],
  ...['--scale', '1/127.5', '--flip', 'sum', '--template', 'arcface'],
];
const embeddings = (kit: Kit, other = false) => join(kit.folder, `${other ? 'other' : 'crowd'}.safetensors`);

/** Embeddings that other commands begin from. */
export const preparations = (kit: Kit): string[][] => [
  ['embed', '--model', kit.model, '--data', kit.crowd, '--out', embeddings(kit), ...threads],
  ['embed', '--model', kit.model, '--data', kit.otherCrowd, '--out', embeddings(kit, true), ...threads],
];

const search = (kit: Kit, out: string, other = false) => [
  ...[
    'search',
    '--build',
    join(out, 'templates.int8'),
    '--type',
    'int8',
    '--embeddings',
    embeddings(kit, other),
  ],
];
const calibrate = (kit: Kit, out: string, other = false) => [
  ...[
    'calibrate',
    '--embeddings',
    embeddings(kit, other),
    '--out',
    join(out, 'calibration.json'),
    '--replicates',
    '10',
  ],
];
const overlap = (kit: Kit, out: string, other = false) => [
  ...['overlap', '--train', embeddings(kit, other), '--test', embeddings(kit, !other)],
  ...['--out', join(out, 'exclude.json'), '--report', join(out, 'report')],
];
const evaluate = (kit: Kit, out: string, model = kit.model) => [
  ...[
    'evaluate',
    'pairs',
    '--model',
    model,
    '--data',
    kit.crowd,
    '--pairs',
    kit.pairs,
    '--folds',
    '2',
    ...threads,
  ],
  ...['--report', join(out, 'report')],
];
const project = (kit: Kit, out: string) => [
  ...[
    'project',
    '--embeddings',
    embeddings(kit),
    '--loss',
    'tpe',
    '--out',
    join(out, 'run'),
    '--batch',
    '16',
  ],
  ...['--lr', '0.03', '--steps', '200', '--holdout', '5', '--length', '4', ...threads],
];
const cache = (_: Kit, out: string) => ({ HYPERSPHERE_CACHE: join(out, 'cache') });

const CHECKPOINTS = /checkpoints\//;

/** Embeds with the model `mine` of the store. */
const embedWithMine = (kit: Kit, out: string) => [
  ...['embed', '--model', 'mine', '--data', kit.crowd, '--out', join(out, 'read.npy')],
  ...threads,
];

/** A model carries its manifest; the file beside it is a copy with the model's hash. */
const MANIFEST_BESIDE = /\.json$/;

export const scenarios: readonly Scenario[] = [
  {
    name: 'train',
    args: (kit, out) => training(kit.faces, out),
    again: (kit, out) => resumed(training(kit.faces, out), out),
    grows: true,
    ignore: CHECKPOINTS,
  },
  {
    name: 'align',
    args: (kit, out) => [
      ...[
        'align',
        '--data',
        kit.photographs,
        '--landmarks',
        kit.landmarks,
        '--out',
        join(out, 'faces'),
        ...threads,
      ],
    ],
    grows: true,
  },
  {
    name: 'embed',
    args: (kit, out) => embed(kit, out, kit.crowd, 'e.safetensors'),
    older: (kit, out) => embed(kit, out, kit.otherCrowd, 'e.safetensors'),
  },
  {
    name: 'embed-npy',
    args: (kit, out) => embed(kit, out, kit.crowd, 'e.npy'),
    older: (kit, out) => embed(kit, out, kit.otherCrowd, 'e.npy'),
    reads: (_, out) => ['search', '--build', join(out, 'read.f32'), '--embeddings', join(out, 'e.npy')],
  },
  {
    name: 'evaluate',
    // Page and plots are drawn from evaluation.json.
    copies: /\.(html|svg)$/,
    args: (kit, out) => evaluate(kit, out),
    older: (kit, out) => evaluate(kit, out, kit.otherModel),
    // A page and its plots are drawn from evaluation.json, which is one file.
    reads: (_, out) => [
      'evaluate',
      'compare',
      join(out, 'report'),
      join(out, 'report'),
      '--report',
      join(out, 'read'),
    ],
  },
  {
    name: 'evaluate-keep',
    args: (kit, out) => [...evaluate(kit, out), '--keep', join(out, 'features')],
    grows: true,
  },
  {
    name: 'project',
    args: project,
    again: (kit, out) => resumed(project(kit, out), out),
    grows: true,
    ignore: CHECKPOINTS,
  },
  {
    name: 'quantize',
    args: (kit, out) => quantize(kit, out, kit.model),
    older: (kit, out) => quantize(kit, out, kit.otherModel),
    copies: MANIFEST_BESIDE,
    reads: (kit, out) => [
      ...[
        'embed',
        '--model',
        join(out, 'int8.onnx'),
        '--data',
        kit.crowd,
        '--out',
        join(out, 'read.npy'),
        ...threads,
      ],
    ],
  },
  {
    name: 'import',
    args: (kit, out) => importing(kit.checkpoint, out),
    older: (kit, out) => importing(kit.otherCheckpoint, out),
    copies: MANIFEST_BESIDE,
    reads: (kit, out) => [
      ...[
        'embed',
        '--model',
        join(out, 'net.onnx'),
        '--data',
        kit.faces,
        '--out',
        join(out, 'read.npy'),
        ...threads,
      ],
    ],
  },
  {
    name: 'convert',
    args: (kit, out) => ['convert', kit.faces, '--out', join(out, 'train.rec')],
    older: (kit, out) => ['convert', kit.otherFaces, '--out', join(out, 'train.rec')],
    reads: (_, out) => ['convert', join(out, 'train.rec'), '--out', join(out, 'read')],
  },
  {
    name: 'search-build',
    args: (kit, out) => search(kit, out),
    older: (kit, out) => search(kit, out, true),
    reads: (kit, out) => ['search', '--templates', join(out, 'templates.int8'), '--probes', embeddings(kit)],
  },
  {
    name: 'calibrate',
    args: (kit, out) => calibrate(kit, out),
    older: (kit, out) => calibrate(kit, out, true),
  },
  {
    name: 'overlap',
    args: (kit, out) => overlap(kit, out),
    older: (kit, out) => overlap(kit, out, true),
    reads: (kit, out) => [...training(kit.faces, join(out, 'read')), '--exclude', join(out, 'exclude.json')],
  },
  {
    name: 'reproduce',
    args: (kit, out) => [
      ...[
        'reproduce',
        'table3',
        '--data',
        kit.faces,
        '--out',
        join(out, 'table'),
        '--rows',
        'softmax,a-softmax-m4',
      ],
      ...[
        '--seeds',
        '1',
        '--steps',
        '6',
        '--size',
        '32x32',
        '--batch',
        '4',
        '--checkpoint-steps',
        '2',
        ...threads,
      ],
    ],
    grows: true,
    ignore: CHECKPOINTS,
  },
  {
    name: 'models-add',
    args: (kit) => ['models', 'add', kit.model, '--name', 'mine'],
    env: cache,
    reads: embedWithMine,
  },
  {
    name: 'models-install',
    args: (kit) => ['models', 'install', 'mine', '--url', kit.url, '--sha256', kit.sha256],
    env: cache,
    reads: embedWithMine,
  },
  {
    name: 'detect-draw',
    args: (kit, out) => ['detect', kit.portrait, '--draw', join(out, 'drawn'), ...threads],
  },
  {
    name: 'compare',
    args: (kit, out) => ['compare', kit.portrait, '--out', join(out, 'page'), ...threads],
  },
  {
    name: 'toy-figure',
    args: (_, out) => ['toy', '--figure', '3', '--out', join(out, 'figures'), ...threads],
    grows: true,
  },
  {
    name: 'toy',
    args: (_, out) => [
      'toy',
      '--losses',
      'softmax',
      '--images',
      '60',
      '--steps',
      '3',
      '--out',
      join(out, 'toy'),
      ...threads,
    ],
  },
];

/** The scenarios of these names; all of them without a name. */
export function scenariosNamed(names: readonly string[]): readonly Scenario[] {
  const unknown = names.find((name) => scenarios.every((scenario) => scenario.name !== name));
  if (unknown !== undefined)
    throw new Error(`no command '${unknown}'; there are ${scenarios.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name));
}
