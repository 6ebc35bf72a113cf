// Sets of images in one file: record files with their index, and verification sets.
import { openCollection } from '../../../src/data/open-collection.js';
import { readRecordIndex } from '../../../src/data/record-index.js';
import { openRecordSet } from '../../../src/data/record-set.js';
import { distinctPairs, parseVerificationBin } from '../../../src/data/verification-bin.js';
import { type Files, ofBytes, ofFiles, type Reader } from '../reader.js';
import { fixture } from '../samples.js';

const set = (): Files => ({
  'train.rec': fixture('rec/train.rec'),
  'train.idx': fixture('rec/train.idx'),
  property: fixture('rec/property'),
});
const sets = (): Files[] => {
  const { 'train.rec': records } = set();
  return [set(), { 'train.rec': records! }];
};

/** Every record, each damaged one refused by itself as a training does it. */
async function readSet(folder: string): Promise<void> {
  const records = await openRecordSet(folder);
  try {
    for (let i = 0; i < Math.min(records.length, 100); i++) await records.read(i).catch(passUserError);
  } finally {
    await records.close();
  }
}

async function readCollection(folder: string): Promise<void> {
  const collection = await openCollection(`${folder}/train.rec`);
  try {
    const images = Math.min(collection.starts.at(-1)!, 100);
    for (let image = 0; image < images; image++) await collection.bytes(image).catch(passUserError);
  } finally {
    await collection.close();
  }
}

function passUserError(error: Error): void {
  if (error.name !== 'UserError') throw error;
}

const bins = (): Uint8Array[] =>
  [
    ...['arrays', 'marks', 'protocol2', 'protocol3', 'protocol4', 'protocol5'],
    ...['python2-protocol0', 'python2-protocol2'],
  ].map((name) => fixture(`bin/${name}.bin`));

export const recordReaders: readonly Reader[] = [
  ofFiles('record-set', readSet, sets),
  ofFiles('record-collection', readCollection, sets),
  ofFiles(
    'record-index',
    (folder) => readRecordIndex(`${folder}/train.idx`),
    () => [{ 'train.idx': fixture('rec/train.idx') }],
  ),
  ofBytes('verification-bin', (bytes) => distinctPairs(parseVerificationBin(bytes)), bins, {
    hostile: () => ['hostile', 'hostile-image'].map((name) => fixture(`bin/${name}.bin`)),
  }),
];
