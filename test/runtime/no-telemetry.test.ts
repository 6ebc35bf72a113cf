// Nothing leaves the machine: no command and no program opens a socket, and none makes a file outside the cache, the
// output and the temporary folder. ONNX Runtime would: it looks up its collector's host some ten seconds after its
// first session, queues events in the user's cache folder, and writes a log that follows links.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeModel } from '../../src/lower/onnx.js';
import { command } from '../cli/hypersphere.js';
import { writePeople } from '../data/pictures.js';
import { type Home, newHome, noStrace, type Traced, traced } from '../support/traced.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Seconds of a session: longer than the runtime waits before it uploads (9 to 10). */
const LONG = 20;

if (noStrace) process.stderr.write(`${noStrace}\n`);

let home: Home;
let faces: string;
let model: string;
beforeAll(async () => {
  home = newHome();
  faces = join(home.temporary, 'faces');
  await writePeople(faces, { ada: 4, bob: 4, cyd: 4 });
  model = join(home.temporary, 'model.onnx');
  const nodes = [
    { opType: 'Conv', inputs: ['x', 'same'], outputs: ['planes'] },
    { opType: 'GlobalAveragePool', inputs: ['planes'], outputs: ['mean'] },
    { opType: 'Flatten', inputs: ['mean'], outputs: ['y'] },
  ];
  const [x, y] = [
    ['N', 3, 12, 12],
    ['N', 3],
  ].map((shape, i) => ({
    ...{ name: 'xy'[i]!, dtype: 'float32' as const, shape },
  }));
  const same = {
    ...{ name: 'same', dtype: 'float32' as const, shape: [3, 3, 1, 1] },
    data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
  };
  const graph = { name: 'means', inputs: [x!], outputs: [y!], initializers: [same], nodes };
  writeFileSync(model, encodeModel({ opset: 17, graph }));
});
afterAll(() => home.remove());

/** What a process did that it may not do. */
function faults({ sockets, written }: Traced): string[] {
  const allowed = [home.temporary, home.cache, '/dev/', '/proc/'];
  const made = written.filter(
    (path) => !allowed.some((folder) => path.startsWith(folder)) && path !== home.caches,
  );
  return [...sockets, ...made, ...home.files().filter((name) => /\.onnxruntime|mat-debug|\.ses$/.test(name))];
}

const program = (name: string, text: string): string => {
  const file = join(home.temporary, `${name}.mjs`);
  writeFileSync(file, text);
  return file;
};
const of = (file: string): string => JSON.stringify(new URL(`../../${file}`, import.meta.url).href);

test('one module loads the runtime, and it turns the telemetry off before', () => {
  const loads = /(?:from|import|require|resolve)\s*\(?\s*['"]onnxruntime-node['"]/;
  const files = ['src', 'test', 'bench', 'examples'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.[mc]?[jt]s$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  const found = files.filter((name) => loads.test(readFileSync(join(ROOT, name), 'utf8')));
  expect(found.filter((name) => name !== 'test/runtime/no-telemetry.test.ts')).toEqual([
    'src/runtime/onnxruntime.ts',
  ]);
  const [first] = readFileSync(join(ROOT, 'src/runtime/onnxruntime.ts'), 'utf8').match(/^(im|ex)port .*$/m)!;
  expect(first).toBe("import './no-telemetry.js';");
});

// They wait for the runtime's timer most of the time.
describe.skipIf(noStrace)('under strace', { concurrent: true }, () => {
  test('the runtime alone would open sockets and make files, and the trace shows them', async () => {
    const other = newHome();
    try {
      const file = program(
        'alone',
        `import ort from ${JSON.stringify(join(ROOT, 'node_modules/onnxruntime-node/dist/index.js'))};
        await ort.InferenceSession.create(${JSON.stringify(model)});
        setTimeout(() => process.exit(), ${1000 * LONG});`,
      );
      const done = await traced([process.execPath, file], other);
      expect(done.code).toBe(0);
      expect(done.sockets.join('\n')).toMatch(/AF_INET/);
      expect(other.files().join('\n')).toMatch(/\.onnxruntime\/onnxruntime\.db/);
      expect(done.written.some((path) => path.includes('mat-debug-'))).toBe(true);
    } finally {
      other.remove();
    }
  });

  test('training, quantising, comparing', async () => {
    const out = join(home.temporary, 'out');
    const run = (...words: string[]) => traced([process.execPath, command, ...words], home);
    // Ctrl-C ends a training run that would go on.
    const stopped = ['timeout', '--foreground', '-s', 'INT', String(LONG), process.execPath, command];
    const recipe = [
      '--net',
      'sphereface-4',
      '--loss',
      'softmax',
      '--size',
      '16x16',
      '--batch',
      '4',
      '--threads',
      '1',
    ];
    const prepared = ['--order', 'rgb', '--mean', '127.5', '--scale', '1/128', '--threads', '1'];
    const all = await Promise.all([
      traced(
        [...stopped, 'train', '--data', faces, ...recipe, '--steps', '1000000', '--out', join(out, 'run')],
        home,
      ),
      run('quantize', '--model', model, '--faces', faces, '--out', join(out, 'int8.onnx'), ...prepared),
      run('compare', '--out', join(out, 'page')),
    ]);
    expect(all.slice(1).map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual([0, 0]);
    expect(all[0]!.stderr).toMatch(/--resume/);
    expect(all.map(faults)).toEqual([[], [], []]);
    expect(readdirSync(join(out, 'run'))).toContain('metrics.jsonl');
    expect(readdirSync(join(out, 'page'))).toContain('index.html');
  });

  test('a program that imports the package, in a worker thread alone', async () => {
    const work = `
      const { openDevice } = await import(${of('dist/index.js')});
      const device = await openDevice('cpu');
      const model = await device.load(${JSON.stringify(model)});
      const { y } = await model.run({ x: new Float32Array(3 * 12 * 12).fill(2) });
      console.log(Math.round(y.data[0]));
      setTimeout(() => process.exit(), ${1000 * LONG});`;
    const thread = program('thread', work);
    const main = program(
      'main',
      `import { Worker } from 'node:worker_threads';
      // The main thread knows nothing of Hypersphere.
      new Worker(${JSON.stringify(thread)}, { stdout: false });`,
    );
    const all = await Promise.all([thread, main].map((file) => traced([process.execPath, file], home)));
    for (const done of all) expect([done.code, done.stdout.trim(), faults(done)]).toEqual([0, '2', []]);
  });

  test('a log that telemetry would have written, where a link lies in its place', async () => {
    const other = newHome();
    try {
      const kept = join(other.folder, 'kept.txt');
      writeFileSync(kept, 'kept');
      const file = program(
        'linked',
        `import { openDevice } from ${of('dist/index.js')};
        const device = await openDevice('cpu');
        await device.load(${JSON.stringify(model)});`,
      );
      // The shell's process becomes the program's.
      const script = `ln -s "$1" "$2/mat-debug-$$.log" && exec "$3" "$4"`;
      const words = ['sh', '-c', script, 'sh', kept, other.temporary, process.execPath, file];
      const { code, stderr } = await traced(words, other);
      expect([code, stderr]).toEqual([0, '']);
      expect(readFileSync(kept, 'utf8')).toBe('kept');
    } finally {
      other.remove();
    }
  });
});

test('3,000 paths on a command line', () => {
  const names = Array.from({ length: 3000 }, (_, i) => `holiday/photographs/of-the-year/${10000 + i}.jpg`);
  const file = program(
    'long',
    `import { openDevice } from ${of('dist/index.js')};
    const device = await openDevice('cpu');
    await device.load(${JSON.stringify(model)});
    console.log(process.argv.length);`,
  );
  const done = spawnSync(process.execPath, [file, ...names], { env: home.environment, encoding: 'utf8' });
  expect([done.signal, done.status, done.stdout.trim()]).toEqual([null, 0, '3002']);
});
