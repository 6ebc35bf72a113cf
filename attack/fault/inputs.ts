// Inputs that are no files: pipes that nobody writes to, devices without an end; and names that a terminal would obey.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { type Ended, start } from '../kill/command.js';
import type { Kit } from '../kill/kit.js';
import { exitOf, type Fault, problemsOf, type Trial } from './fault.js';

/** Commands that take a file, given its path and a folder for what they write. */
const takers: Readonly<Record<string, (file: string, kit: Kit, out: string) => string[]>> = {
  info: (file) => ['info', file],
  'embed --model': (file, kit, out) => [
    'embed',
    '--model',
    file,
    '--data',
    kit.crowd,
    '--out',
    join(out, 'e.npy'),
  ],
  'embed --manifest': (file, kit, out) => [
    ...['embed', '--model', kit.model, '--manifest', file, '--data', kit.crowd, '--out', join(out, 'e.npy')],
  ],
  verify: (file, kit) => ['verify', file, kit.portrait],
  detect: (file) => ['detect', file],
  identify: (file, kit) => ['identify', '--gallery', kit.gallery, file],
  compare: (file, kit, out) => ['compare', file, kit.portrait, '--out', out],
  'verify --calibration': (file, kit) => ['verify', kit.portrait, kit.portrait, '--calibration', file],
  import: (file, _, out) => [
    'import',
    file,
    '--net',
    'sphereface-4',
    '--order',
    'rgb',
    '--out',
    join(out, 'x.onnx'),
  ],
  'train --config': (file, _, out) => ['train', '--config', file, '--out', join(out, 'run')],
  'train --exclude': (file, kit, out) => [
    ...[
      'train',
      '--data',
      kit.faces,
      '--net',
      'sphereface-4',
      '--loss',
      'softmax',
      '--out',
      join(out, 'run'),
    ],
    ...['--exclude', file],
  ],
  'align --landmarks': (file, kit, out) => [
    ...['align', '--data', kit.photographs, '--landmarks', file, '--out', join(out, 'faces')],
  ],
  'evaluate pairs --pairs': (file, kit) => [
    ...['evaluate', 'pairs', '--model', kit.model, '--data', kit.crowd, '--pairs', file],
  ],
  'evaluate pairs --scores': (file) => ['evaluate', 'pairs', '--scores', file],
  'evaluate lfw --pairs': (file, kit) => [
    'evaluate',
    'lfw',
    '--model',
    kit.model,
    '--data',
    kit.crowd,
    '--pairs',
    file,
  ],
  'evaluate bin': (file, kit) => ['evaluate', 'bin', file, '--model', kit.model],
  'evaluate compare': (file, _, out) => ['evaluate', 'compare', file, file, '--report', out],
  'evaluate open-set --lists': (file, kit) => [
    ...['evaluate', 'open-set', '--model', kit.model, '--data', kit.crowd, '--lists', file],
  ],
  'convert .rec': (file, _, out) => ['convert', file, '--out', out],
  'search --templates': (file) => ['search', '--templates', file, '--probes', file],
  'search --embeddings': (file, _, out) => ['search', '--build', join(out, 't'), '--embeddings', file],
  'calibrate --embeddings': (file, _, out) => [
    'calibrate',
    '--embeddings',
    file,
    '--out',
    join(out, 'c.json'),
  ],
  'project --embeddings': (file, _, out) => [
    'project',
    '--embeddings',
    file,
    '--loss',
    'tpe',
    '--out',
    join(out, 'run'),
  ],
  'models add': (file) => ['models', 'add', file, '--name', 'odd'],
};

/** File endings that the commands ask for. */
const endings: Readonly<Record<string, string>> = {
  'convert .rec': '.rec',
  'search --embeddings': '.safetensors',
  'calibrate --embeddings': '.npy',
  'project --embeddings': '.jsonl',
  import: '.pth',
  'evaluate bin': '.bin',
};

/** Seconds by the clock after which a command that waits is ended. */
const PATIENCE = 120;

/** Runs a command that may wait for ever. */
async function patiently(args: readonly string[]): Promise<Ended> {
  const { child, ended } = start(args);
  const timer = new AbortController();
  const first = await Promise.race([
    ended,
    wait(1000 * PATIENCE, undefined, { signal: timer.signal }).catch(() => undefined),
  ]);
  timer.abort();
  if (!first) child.kill('SIGKILL');
  return ended;
}

/** Every command with a path that `make` makes. */
async function* withEvery(kit: Kit, make: (path: string) => void): AsyncGenerator<Trial> {
  for (const [what, args] of Object.entries(takers)) {
    const out = mkdtempSync(join(kit.folder, 'odd-'));
    const file = join(out, `odd${endings[what] ?? '.jpg'}`);
    make(file);
    const ended = await patiently(args(file, kit, out));
    // A page of the other photographs names the one that was left out.
    const codes = what === 'compare' ? [0] : [exitOf('bad-input'), exitOf('usage')];
    yield { what, problems: problemsOf(ended, { codes, names: file }) };
  }
}

const pipe = (path: string): void => void execFileSync('mkfifo', [path]);
const zeros = (path: string): void => symlinkSync('/dev/zero', path);
const onWindows = (): string | undefined =>
  process.platform === 'win32' ? 'Windows has no such files' : undefined;

export const pipeAsInput: Fault = {
  name: 'a pipe as input',
  missing: onWindows,
  run: (kit) => withEvery(kit, pipe),
};
export const deviceAsInput: Fault = {
  name: '/dev/zero as input',
  missing: onWindows,
  run: (kit) => withEvery(kit, zeros),
};

/** A folder of faces, and a photograph with faces, that holds one odd file beside good ones. */
function folderWith(kit: Kit, make: (path: string) => void): string {
  const folder = mkdtempSync(join(kit.folder, 'among-'));
  mkdirSync(join(folder, 'portrait'));
  copyFileSync(kit.portrait, join(folder, 'portrait', '0.jpg'));
  for (const person of ['p0', 'p1', 'p2']) {
    mkdirSync(join(folder, person));
    for (const name of readdirSync(join(kit.crowd, person)))
      copyFileSync(join(kit.crowd, person, name), join(folder, person, name));
  }
  make(join(folder, 'p1', 'odd.png'));
  return folder;
}

export const amongGoodFiles: Fault = {
  name: 'a pipe or a device among images',
  missing: onWindows,
  async *run(kit) {
    for (const make of [pipe, zeros]) {
      const data = folderWith(kit, make);
      const out = mkdtempSync(join(kit.folder, 'among-out-'));
      const commands = {
        embed: ['embed', '--model', kit.model, '--data', data, '--out', join(out, 'e.npy')],
        train: [
          ...[
            'train',
            '--data',
            data,
            '--net',
            'sphereface-4',
            '--loss',
            'softmax',
            '--size',
            '32x32',
            '--batch',
            '2',
          ],
          ...['--steps', '2', '--threads', '1', '--out', join(out, 'run')],
        ],
        align: ['align', '--data', data, '--out', join(out, 'faces'), '--threads', '1'],
        convert: ['convert', data, '--out', join(out, 'train.rec')],
      };
      for (const [what, args] of Object.entries(commands))
        yield {
          what: `${what}, ${make === pipe ? 'pipe' : 'device'}`,
          problems: problemsOf(await patiently(args), { codes: [0] }),
        };
    }
  },
};

/** Escape sequences that clear a screen and set a title, ends of lines, marks of direction. */
const NAMES = [
  '\u001b[2J\u001b]0;title\u0007x',
  'a\nhypersphere: b',
  'c\rd',
  '\u202egpj.exe',
  '\u009b31m',
  'quote\'"$(id)',
];

export const oddNames: Fault = {
  name: 'names that a terminal obeys',
  missing: onWindows,
  async *run(kit) {
    const folder = mkdtempSync(join(kit.folder, 'names-'));
    for (const [i, name] of NAMES.entries()) {
      mkdirSync(join(folder, 'faces', name), { recursive: true });
      for (const image of readdirSync(join(kit.crowd, `p${i}`)))
        copyFileSync(join(kit.crowd, `p${i}`, image), join(folder, 'faces', name, `${name}-${image}`));
      // One that cannot be read, so that its name comes up.
      copyFileSync(kit.pairs, join(folder, 'faces', name, `${name}-bad.png`));
    }
    const data = join(folder, 'faces');
    const good = {
      embed: ['embed', '--model', kit.model, '--data', data, '--out', join(folder, 'e.npy')],
      train: [
        ...[
          'train',
          '--data',
          data,
          '--net',
          'sphereface-4',
          '--loss',
          'softmax',
          '--size',
          '32x32',
          '--batch',
          '4',
        ],
        ...['--steps', '2', '--threads', '1', '--out', join(folder, 'run')],
      ],
      convert: ['convert', data, '--out', join(folder, 'train.rec')],
      'search --build': ['search', '--build', join(folder, 't'), '--embeddings', join(folder, 'e.npy')],
      search: ['search', '--templates', join(folder, 't'), '--probes', join(folder, 'e.npy')],
      'evaluate open-set': ['evaluate', 'open-set', '--model', kit.model, '--data', data],
    };
    for (const [what, args] of Object.entries(good)) {
      // An evaluation over fewer images than its folder has would be another one.
      const codes = [what.startsWith('evaluate') ? exitOf('bad-input') : 0];
      yield { what, problems: problemsOf(await patiently(args), { codes }) };
    }
    for (const name of NAMES) {
      for (const args of [
        ['verify', name, name],
        ['info', name],
        ['embed', '--model', name, '--data', name, '--out', 'x.npy'],
        [name],
      ]) {
        const codes = [exitOf('not-found'), exitOf('bad-input'), exitOf('usage')];
        const ended = await patiently(args);
        yield {
          what: `${args[0] === name ? 'a command' : args[0]} of such a name`,
          problems: problemsOf(ended, { codes }),
        };
      }
    }
  },
};
