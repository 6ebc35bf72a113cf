// The ranks that embed for the first one of a run: they open the models that it opens, and compute their shares of what
// it computes.
import { type Communicator, follow, type Work } from '../../mpi/index.js';
import { openReader, type ReaderOptions } from '../open-reader.js';
import type { FaceReader } from '../reader.js';
import { type FaceQuestion, faceWorkHere, shareOf } from './aligned.js';
import type { Embedder } from './embedder.js';
import { type ModelQuestion, openEmbedder } from './open.js';
import { type PhotographQuestion, readingHere } from './photographs.js';

/** Computes what the first rank asks for until it has no more questions. */
export async function followEmbedding(communicator: Communicator): Promise<void> {
  const embedders = new Map<string, Embedder>();
  const readers = new Map<string, FaceReader>();
  const ofFaces: Work = (asked, bytes, rank) => {
    const question = asked as FaceQuestion;
    const { model, work, from, tolerant } = question;
    return faceWorkHere(embedders.get(model)!, work, shareOf(question, bytes, rank), {
      ...(from && { from }),
      tolerant,
    });
  };
  try {
    await follow(communicator, {
      async model(asked) {
        const { key, model, options } = asked as ModelQuestion;
        const embedder = embedders.get(key) ?? (await openEmbedder(model, options));
        embedders.set(key, embedder);
        return { told: JSON.stringify(embedder.manifest), numbers: new Float32Array(0) };
      },
      async reader(asked) {
        const { key, options } = asked as { key: string; options: ReaderOptions };
        const reader = readers.get(key) ?? (await openReader(options));
        readers.set(key, reader);
        return { told: JSON.stringify(reader.manifest), numbers: new Float32Array(0) };
      },
      both: ofFaces,
      embed: ofFaces,
      photographs(asked, _bytes, rank) {
        const { reader, choice, paths, starts } = asked as PhotographQuestion;
        return readingHere(readers.get(reader)!, paths.slice(starts[rank], starts[rank + 1]), choice);
      },
    });
  } finally {
    for (const opened of [...embedders.values(), ...readers.values()]) await opened.close();
  }
}
