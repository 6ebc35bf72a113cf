// hypersphere convert: the field's training sets (train.rec, train.idx, property) as folders of images, and back.

import { existsSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { UserError } from '../common/errors.js';
import { PRIVATE, writeWhole } from '../common/files.js';
import { requireWritable, requireWritableFile } from '../common/folders.js';
import { locked, lockFolder } from '../common/lock.js';
import { openRecordSet, type RecordSet, writeRecordSet } from '../data/index.js';
import { interruptible } from './interrupt.js';
import { duration, endWith, note, type Progress, result, timedProgress, UsageError } from './output.js';

const HELP = `
A record set (MXNet's RecordIO, as InsightFace publishes training sets) becomes DIR/LABEL/NUMBER.jpg, one folder a
person, the images' bytes as they are. A run that was stopped goes on: what is there whole is passed over. Damaged
records are named and stepped over; without train.idx the file is scanned.
A folder with one folder a person becomes FILE.rec with FILE.idx, property, and FILE.lst, which keeps the names.

Examples:
  hypersphere convert faces_emore/train.rec --out faces
  hypersphere convert faces --out mine/train.rec`;

interface Flags {
  out: string;
  json?: boolean;
}

export function convertCommand(): Command {
  return new Command('convert')
    .description('record sets (train.rec) to image folders, and back')
    .argument(
      '<from>',
      'a .rec file or the folder that holds train.rec, or a folder with one folder a person',
    )
    .requiredOption('--out <place>', 'folder to unpack into, or .rec file to write')
    .option('--json', 'print what was done as one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(from: string, flags: Flags): Promise<void> {
  const found = statSync(from, { throwIfNoEntry: false });
  if (!found) throw new UserError(`${from}: no such file or folder`, { code: 'not-found' });
  const packs = /\.rec$/i.test(flags.out);
  if (packs && !found.isDirectory())
    throw new UsageError(
      `${flags.out}: a .rec file is made of a folder; to unpack ${from}, name a folder with --out`,
    );
  if (!packs && found.isDirectory() && !existsSync(join(from, 'train.rec')))
    throw new UserError(
      `${from}: holds no train.rec to unpack; name a .rec file, or to pack a folder of images one with --out`,
    );
  const { signal, end } = interruptible();
  try {
    await (packs ? pack(from, flags, signal) : unpack(from, flags, signal));
  } finally {
    end();
  }
}

async function pack(folder: string, { out, json }: Flags, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  requireWritableFile(out);
  let shown: Progress | undefined;
  const onProgress = (done: number, total: number) => {
    shown ??= timedProgress(total, 'images');
    shown.update(done, '');
  };
  const written = await writeRecordSet(folder, out, { onProgress, signal }).finally(() => shown?.stop());
  const { files, images, people, height, width, otherSizes, skipped } = written;
  for (const { path, reason } of skipped) note(`skipped ${path}: ${reason}`);
  if (otherSizes > 0)
    note(`${otherSizes} images are not ${height}x${width} as the first one is; property names that size`);
  const seconds = (performance.now() - started) / 1000;
  result(
    { out, files, images, people: people.length, height, width, otherSizes, skipped, seconds },
    `${images} images of ${people.length} people in ${files.join(', ')}; ${duration(seconds)}`,
    json,
  );
}

/** Problems that are printed one by one. */
const PRINTED = 10;

async function unpack(from: string, { out, json }: Flags, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  requireWritable(out);
  let scanning: Progress | undefined;
  const set = await openRecordSet(from, {
    onProgress(done, total) {
      scanning ??= timedProgress(Math.ceil(total / 2 ** 20), 'MiB scanned');
      scanning.update(Math.ceil(done / 2 ** 20), '');
    },
  }).finally(() => scanning?.stop());
  try {
    const { written, there, people, problems } = await locked(lockFolder(out), () =>
      unpackAll(set, out, signal),
    );
    const stopped = signal.aborted;
    const seconds = (performance.now() - started) / 1000;
    const all = problems.length + set.moreProblems;
    for (const problem of problems.slice(0, PRINTED)) note(problem);
    if (all > PRINTED) note(`and ${all - PRINTED} more of this kind`);
    if (written + there === 0 && !stopped) throw new UserError(`${set.file}: no image of it can be read`);
    result(
      {
        out,
        from: set.file,
        ...(set.property && { property: set.property }),
        records: set.length,
        written,
        there,
        people,
        indexed: set.indexed,
        problems,
        moreProblems: set.moreProblems,
        stopped,
        seconds,
      },
      `${stopped ? 'stopped: ' : ''}${written} images of ${people} people written to ${out}, ${there} were there, ${all} problems; ${duration(seconds)}`,
      json,
    );
    if (stopped) endWith('interrupted');
  } finally {
    await set.close();
  }
}

async function unpackAll(set: RecordSet, out: string, signal: AbortSignal) {
  const problems = [...set.problems];
  const people = new Set<number>();
  let written = 0;
  let there = 0;
  const shown = timedProgress(set.length, 'images');
  try {
    for (let i = 0; i < set.length && !signal.aborted; i++) {
      try {
        const { number, label, length, ending } = await set.describe(i);
        const file = join(out, String(label), `${number}${ending}`);
        const found = await stat(file).catch(() => undefined);
        if (found && found.size !== length)
          throw new NotOurs(
            `${file}: is another image than record ${number} of ${set.file} (${found.size} bytes, ${length} expected); choose an empty folder`,
          );
        if (found) there++;
        else {
          await writeWhole(file, (await set.read(i)).bytes, PRIVATE);
          written++;
        }
        people.add(label);
      } catch (error) {
        if (!(error instanceof UserError) || error instanceof NotOurs) throw error;
        problems.push(error.message);
      }
      shown.update(i + 1, '');
    }
  } finally {
    shown.stop();
  }
  const listedPeople = set.property?.people;
  if (listedPeople !== undefined && people.size !== listedPeople && !signal.aborted)
    problems.push(`property announces ${listedPeople} people, and images of ${people.size} were read`);
  return { written, there, people: people.size, problems };
}

/** The folder holds something else: going on would mix two sets. */
class NotOurs extends UserError {}
