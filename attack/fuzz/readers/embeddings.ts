// Embeddings and templates with the names of their rows, and features that are kept while they are computed.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '../../../src/data/safetensors.js';
import { writeSafetensorsHeader } from '../../../src/data/safetensors-header.js';
import { KeptFeatures } from '../../../src/face/embed/kept-features.js';
import { readEmbeddings } from '../../../src/face/embed/read.js';
import { manifestSchema } from '../../../src/face/models/manifest.js';
import { packRows } from '../../../src/search/pack.js';
import type { TemplateType } from '../../../src/search/source.js';
import { openTemplates } from '../../../src/search/templates-file.js';
import { type Files, ofFiles, type Reader } from '../reader.js';
import { asJson, asText, tinyManifest } from '../samples.js';
import { npyMatrices } from './weights.js';

const images = [
  { path: 'ada/1.jpg', person: 'ada' },
  { path: 'bob/1.jpg', person: 'bob' },
];
const list = asJson({ file: 'e', folder: 'faces', model: tinyManifest, length: 3, images, skipped: [] });
const rows = Float32Array.from([1, 2, 3, -1, 0, 0.5]);

const stored = (): Files[] => {
  const tensor = { dtype: 'float32', shape: [2, 3], data: rows } as const;
  const lines = images.map((image) => JSON.stringify({ ...image, embedding: [1, 2, 3] }));
  const numpy = Buffer.from(npyMatrices()[0]!);
  return [
    { 'e.safetensors': writeSafetensors(new Map([['embeddings', tensor]])), 'e.safetensors.json': list },
    // The first row of the sample matrix begins with 0; none of the rows is zero.
    { 'e.npy': numpy, 'e.npy.json': list },
    { 'e.jsonl': asText(...lines), 'e.jsonl.json': list },
    { 'e.jsonl': asText(...lines) },
  ];
};

async function readStored(folder: string): Promise<void> {
  for (const ending of ['safetensors', 'npy', 'jsonl'])
    await readEmbeddings(`${folder}/e.${ending}`).catch((error: Error) => {
      if (error.message !== `${folder}/e.${ending}: no such file`) throw error;
    });
}

function templates(type: TemplateType): Files {
  const unit = Float32Array.from([1, 0, 0, 0.6, 0.8, 0]);
  const { values, scales } = packRows(unit, 3, type);
  const code = { float32: 'F32', float16: 'F16', int8: 'I8' }[type];
  const header = writeSafetensorsHeader(
    new Map([
      ['templates', { code, shape: [2, 3] }],
      ...(scales ? [['scales', { code: 'F32', shape: [2] }] as const] : []),
    ]),
    { format: 'hypersphere-templates/1' },
  );
  const bytes = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const parts = [header, bytes(values), ...(scales ? [bytes(scales)] : [])];
  return { 't.safetensors': new Uint8Array(Buffer.concat(parts)) };
}

async function readTemplates(folder: string): Promise<void> {
  const file = await openTemplates(`${folder}/t.safetensors`);
  try {
    // As a search does: a block of rows at a time, whatever the file says.
    const count = Math.min(file.count, Math.floor(2 ** 16 / file.length));
    await file.read(0, count, new Float32Array(count * file.length));
    await file.packed?.read(0, 0, { values: new Int8Array(), scales: new Float32Array() });
  } finally {
    await file.close();
  }
}

const manifest = manifestSchema.parse(tinyManifest);
/** As its own writer leaves it, so that checksums are right. */
async function kept(): Promise<Files[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hypersphere-kept-'));
  try {
    const file = join(folder, 'keep');
    const features = await KeptFeatures.open(file, manifest, undefined);
    for (const image of ['ada/1.jpg', 'bob/1.jpg'])
      features.add([image, 100, 200].join('\0'), Float32Array.of(1, 2, 3, 4), Float32Array.of(4, 3, 2, 1));
    await features.close();
    return [{ keep: readFileSync(file) }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function readKept(folder: string): Promise<void> {
  const features = await KeptFeatures.open(`${folder}/keep`, manifest, undefined);
  features.add('cy/1.jpg\x001\x002', new Float32Array(4), new Float32Array(4));
  await features.close();
}

export const embeddingReaders: readonly Reader[] = [
  ofFiles('embeddings', readStored, stored),
  ofFiles('templates', readTemplates, () => (['float32', 'float16', 'int8'] as const).map(templates)),
  ofFiles('kept-features', readKept, kept, { share: 0.5 }),
];
