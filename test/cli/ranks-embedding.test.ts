// embed and evaluate under mpirun: the same files, figures and lines as one process gives, on any number of ranks, with
// bad files, kept features, and a rank that is killed.
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { samplePhotographs } from '../../src/face/index.js';
import { noise } from '../data/pictures.js';
import { noMpi, onRanks, type Run, type RunOptions } from '../support/ranks.js';
import { command, hypersphere } from './hypersphere.js';
import { meansModel } from './means-model.js';

const folder = mkdtempSync(join(tmpdir(), 'hypersphere-ranks-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...parts: string[]) => join(folder, ...parts);
const data = at('faces');
const pairs = at('pairs.txt');
const model = meansModel(at('means.onnx'));
const PEOPLE = 10;
/** Small batches, so that few faces are many shares. */
const small = [...model, '--batch', '2'];
const lfw = ['evaluate', 'lfw', '--data', data, '--pairs', pairs, '--json'];

const name = (person: number) => `Person_${String.fromCharCode(65 + person)}`;
const png = (seed: number) =>
  sharp(noise(8, 8, 3, seed), { raw: { width: 8, height: 8, channels: 3 } })
    .png()
    .toBuffer();

beforeAll(async () => {
  // Ten people with three faces of noise each; two folds of pairs.
  for (let person = 0; person < PEOPLE; person++) {
    mkdirSync(join(data, name(person)), { recursive: true });
    for (const i of [1, 2, 3])
      writeFileSync(
        join(data, name(person), `${name(person)}_000${i}.png`),
        await png(10 * person + Math.min(i, 2)),
      );
  }
  const fold = (first: number) => [
    ...[0, 1, 2, 3, 4].map((i) => `${name(first + i)}\t${2 - (i % 2)}\t3`),
    ...[0, 1, 2, 3, 4].map((i) => `${name(first + i)}\t1\t${name((first + i + 3) % PEOPLE)}\t2`),
  ];
  writeFileSync(pairs, ['2\t5', ...fold(0), ...fold(5), ''].join('\n'));
});

const run = (ranks: number, flags: readonly string[], options?: RunOptions) =>
  onRanks(ranks, command, flags, options);

/** What one process says; its exit code is 0. */
async function alone(...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await hypersphere(...flags);
  expect({ code, stderr: withoutProgress(stderr) }).toEqual({ code: 0, stderr: '' });
  return stdout;
}
const withoutProgress = (text: string) => text.replace(/^\d+\/\d+ images.*\n/gm, '');

/** The first rank's standard output, when the run went well and nobody else spoke. */
function spoken({ code, ranks, launcher }: Run): string {
  const [first, ...others] = ranks;
  expect({ code, launcher, stderr: withoutProgress(first!.stderr) }).toEqual({
    ...{ code: 0, launcher: '', stderr: '' },
  });
  for (const other of others) expect(other).toEqual({ stdout: '', stderr: '' });
  return first!.stdout;
}

/** An evaluation without the time that it took, and the name of the file of kept features. */
const figures = (text: string) => ({ ...JSON.parse(text), seconds: 0 });

/** The lines of all ranks on standard error. */
const lines = ({ ranks }: Run): string[] =>
  ranks.flatMap(({ stderr }) => withoutProgress(stderr).split('\n')).filter((line) => line !== '');

describe.skipIf(noMpi)(`embedding on ranks${noMpi ? ` (${noMpi})` : ''}`, () => {
  test('embed writes the files of one process, whatever the shares and with a bad image', async () => {
    const bad = join(data, name(4), 'broken.png');
    writeFileSync(bad, 'no picture');
    try {
      await aloneSkipping(['embed', ...small, '--data', data, '--out', at('one.npy')]);
      for (const ranks of [2, 3]) {
        const flags = ['embed', ...small, '--data', data, '--out', at(`${ranks}.npy`), '--json'];
        const told = JSON.parse(spoken(await run(ranks, flags).then(withoutSkipped)));
        expect(told).toMatchObject({ images: 30, skipped: [{ path: `${name(4)}/broken.png` }] });
        expect(readFileSync(at(`${ranks}.npy`))).toEqual(readFileSync(at('one.npy')));
        const [list, listOfOne] = [`${ranks}.npy.json`, 'one.npy.json'].map((file) =>
          JSON.parse(readFileSync(at(file), 'utf8')),
        );
        expect({ ...list, file: '' }).toEqual({ ...listOfOne, file: '' });
      }
    } finally {
      rmSync(bad);
    }
  });

  test('embed serves fewer images than ranks', async () => {
    mkdirSync(at('two', 'Ann'), { recursive: true });
    for (const i of [1, 2]) writeFileSync(at('two', 'Ann', `${i}.png`), await png(i));
    const flags = ['embed', ...model, '--batch', '1', '--data', at('two')];
    await alone(...flags, '--out', at('few-one.jsonl'));
    spoken(await run(3, [...flags, '--out', at('few-3.jsonl'), '--json']));
    expect(readFileSync(at('few-3.jsonl'), 'utf8')).toBe(readFileSync(at('few-one.jsonl'), 'utf8'));
  });

  test('embed --photographs reads the photographs of one process', async () => {
    const photographs = samplePhotographs();
    mkdirSync(at('photographs'));
    for (let i = 0; i < 10; i++) {
      const from = photographs[i % photographs.length]!;
      writeFileSync(at('photographs', `${i}.jpg`), readFileSync(from));
    }
    writeFileSync(at('photographs', '3.jpg'), await png(3));
    const flags = ['embed', '--photographs', '--face', 'all', '--data', at('photographs'), '--threads', '1'];
    const one = JSON.parse(await aloneSkipping([...flags, '--out', at('photographs-one.jsonl'), '--json']));
    const outcome = withoutSkipped(await run(2, [...flags, '--out', at('photographs-2.jsonl'), '--json']));
    const two = JSON.parse(spoken(outcome));
    expect({ ...two, seconds: 0, out: '', list: '' }).toEqual({ ...one, seconds: 0, out: '', list: '' });
    const rows = (file: string) =>
      readFileSync(at(file), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { path: string; embedding: number[] });
    const wanted = rows('photographs-one.jsonl');
    for (const [i, { path, embedding }] of rows('photographs-2.jsonl').entries()) {
      expect(path).toBe(wanted[i]!.path);
      // Groups of photographs differ, and the detector's products round by them.
      embedding.forEach((value, d) => {
        expect(value).toBeCloseTo(wanted[i]!.embedding[d]!, 3);
      });
    }
  });

  test('evaluate lfw gives the figures of one process on 2 and 3 ranks', async () => {
    const one = figures(await alone(...lfw, ...small));
    for (const ranks of [2, 3]) expect(figures(spoken(await run(ranks, [...lfw, ...small])))).toEqual(one);
    expect(one.verification.pairs).toBe(20);
  });

  test('evaluate bin sends the faces that lie in one file', async () => {
    const set = fileURLToPath(new URL('../fixtures/bin/protocol2.bin', import.meta.url));
    const flags = ['evaluate', 'bin', set, ...model, '--json'];
    expect(figures(spoken(await run(2, flags)))).toEqual(figures(await alone(...flags)));
  });

  test('a report is written once, and a table is printed once', async () => {
    const flags = ['evaluate', 'pairs', '--pairs', pairs, '--data', data, ...small];
    const { ranks, code } = await run(2, [...flags, '--report', at('report')]);
    expect(code).toBe(0);
    expect(ranks.map(({ stdout }) => stdout.includes('accuracy'))).toEqual([true, false]);
    expect(readdirSync(at('report'))).toContain('evaluation.json');
  });

  test('an image that cannot be read is the error of one process, said once', async () => {
    const file = join(data, name(9), `${name(9)}_0003.png`);
    const whole = readFileSync(file);
    writeFileSync(file, 'no picture');
    try {
      const one = await hypersphere(...lfw, ...small);
      expect(one.code).toBe(3);
      const three = await run(3, [...lfw, ...small]);
      expect(three.code).toBe(3);
      expect(lines(three).join('\n')).toBe(withoutProgress(one.stderr).trim());
      expect(lines(three)[0]).toContain(`${name(9)}_0003.png`);
    } finally {
      writeFileSync(file, whole);
    }
  });

  test('what is not understood, or not there, is said once', async () => {
    const wrong = await run(2, [...lfw, '--mode', 'best']);
    expect(wrong.code).toBe(2);
    expect(lines(wrong).filter((line) => line.includes('best'))).toHaveLength(1);
    const missing = await run(2, [...lfw, '--model', at('none.onnx')]);
    expect(missing.code).toBe(3);
    expect(lines(missing)).toEqual([expect.stringContaining('none.onnx')]);
  });

  test('features that were kept are taken up by any number of ranks', async () => {
    const keep = ['--keep', at('kept')];
    const one = figures(await alone(...lfw, ...small));
    expect(figures(spoken(await run(2, [...lfw, ...small, ...keep])))).toEqual(one);
    const size = statSync(at('kept')).size;
    // Half of it, cut within a record; the first image of the other half is read from the file, not from the folder.
    truncateSync(at('kept'), size - Math.floor(size / 3));
    const first = join(data, name(0), `${name(0)}_0001.png`);
    const { mtime } = statSync(first);
    const whole = readFileSync(first);
    writeFileSync(first, Buffer.alloc(whole.length));
    utimesSync(first, mtime, mtime);
    try {
      expect(figures(spoken(await run(3, [...lfw, ...small, ...keep])))).toEqual(one);
      expect(statSync(at('kept')).size).toBe(size);
    } finally {
      writeFileSync(first, whole);
    }
  });

  test('a rank that is killed ends the run with one line, and the next goes on', async () => {
    // Many names of one face: what matters is that it takes a while.
    const many = at('many');
    for (let person = 0; person < 4; person++) {
      mkdirSync(join(many, name(person)), { recursive: true });
      const face = join(many, name(person), `${name(person)}_0001.png`);
      writeFileSync(face, await png(person));
      for (let i = 2; i <= 500; i++)
        linkSync(face, join(many, name(person), `${name(person)}_${String(i).padStart(4, '0')}.png`));
    }
    // 'evaluate open-set' takes every image of the folder.
    const kept = at('kept-many');
    const flags = [
      ...['evaluate', 'open-set', '--data', many, '--keep', kept, '--replicates', '0', '--json', ...model],
      ...['--batch', '1'],
    ];
    const looking = setInterval(() => {
      if ((statSync(kept, { throwIfNoEntry: false })?.size ?? 0) < 40_000) return;
      clearInterval(looking);
      process.kill(processOfRank(1, kept), 'SIGKILL');
    }, 5);
    const outcome = await run(2, flags, { mpirun: ['--mca', 'odls_base_sigkill_timeout', '3'] });
    clearInterval(looking);
    expect(outcome.code).not.toBe(0);
    // On a busy machine mpirun may be quicker than the thread that looks who has died.
    expect(lines(outcome)).toEqual([
      expect.stringMatching(
        /^hypersphere: (rank 1 ended|mpirun ends the run); the same command goes on from what --keep has written$/,
      ),
    ]);
    const size = statSync(kept).size;
    const after = figures(spoken(await run(3, flags)));
    expect(statSync(kept).size).toBeGreaterThan(size);
    expect(after).toEqual(
      figures(await alone(...flags.filter((flag) => flag !== '--keep' && flag !== kept))),
    );
  });
});

/** The process of a rank of the run that names `file`. */
function processOfRank(rank: number, file: string): number {
  const holds = (pid: string, what: string, text: string) => {
    try {
      return readFileSync(`/proc/${pid}/${what}`, 'utf8').split('\0').includes(text);
    } catch {
      return false;
    }
  };
  const found = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .find((pid) => holds(pid, 'cmdline', file) && holds(pid, 'environ', `OMPI_COMM_WORLD_RANK=${rank}`));
  if (found === undefined) throw new Error(`rank ${rank} is not there`);
  return Number(found);
}

/** The run without the lines about skipped images, which are the first rank's. */
function withoutSkipped(outcome: Run): Run {
  const [first, ...others] = outcome.ranks;
  const stderr = first!.stderr.replace(/^skipped .*\n/gm, '');
  return { ...outcome, ranks: [{ ...first!, stderr }, ...others] };
}

async function aloneSkipping(flags: readonly string[]): Promise<string> {
  const { code, stdout } = await hypersphere(...flags);
  expect(code).toBe(0);
  return stdout;
}
