// Several sources of one set of images as one: the unit embeddings of each image are joined, so that a cosine is the
// mean of the sources' cosines. So are the patches of an ensemble measured (see ensemble.ts).
import { UserError } from '../../common/errors.js';
import { squaredNorm } from '../../theory/vectors.js';
import type { FaceSource, SourceFeatures } from './source.js';

/**
 * The images of the first source, which all others must have too, by path. Throws a UserError that names the first
 * image that one lacks.
 */
export function joinSources(sources: readonly FaceSource[]): FaceSource {
  const [first, ...others] = sources;
  if (!first) throw new UserError('an ensemble has at least one source of embeddings');
  if (others.length === 0) return first;
  const { images, folder } = first;
  const rowsOf = sources.map((source) => {
    const places = new Map(source.images.map(({ path }, row) => [path, row]));
    return images.map(({ path }) => {
      const row = places.get(path);
      if (row === undefined)
        throw new UserError(
          `${source.file}: has no embedding of ${path}, which ${first.file} has; an ensemble needs one folder embedded by every model`,
        );
      return row;
    });
  });
  return {
    file: sources.map(({ file }) => file).join(' + '),
    images,
    folder,
    fusion: 'none',
    skipped: sources.flatMap(({ skipped }) => skipped),
    facts: sources.flatMap(({ facts }) => facts),
    async features(rows, hooks) {
      const parts: SourceFeatures[] = [];
      for (const [s, source] of sources.entries())
        parts.push(
          await source.features(
            rows.map((row) => rowsOf[s]![row]!),
            hooks,
          ),
        );
      return joined(sources, parts, rows.length);
    },
    async close() {
      for (const source of sources) await source.close();
    },
  };
}

/** Rows of the parts' templates, each of length 1 / sqrt(parts), or 0 where a part's features are zeros. */
function joined(
  sources: readonly FaceSource[],
  parts: readonly SourceFeatures[],
  count: number,
): SourceFeatures {
  const pieces = parts.map((part, s) => {
    const { length, original } = part;
    const mirrored = sources[s]!.fusion === 'none' ? undefined : part.mirrored;
    if (!mirrored) return [{ length, data: original }];
    if (sources[s]!.fusion === 'sum')
      return [{ length, data: original.map((value, i) => value + mirrored[i]!) }];
    return [
      { length, data: original },
      { length, data: mirrored },
    ];
  });
  const length = pieces.flat().reduce((sum, piece) => sum + piece.length, 0);
  const out = new Float32Array(count * length);
  for (let i = 0; i < count; i++) {
    let at = i * length;
    for (const own of pieces) {
      const norm = Math.sqrt(
        own.reduce((sum, { length: n, data }) => sum + squaredNorm(data, i * n, n), 0) * parts.length,
      );
      for (const { length: n, data } of own) {
        if (norm > 0) for (let d = 0; d < n; d++) out[at + d] = data[i * n + d]! / norm;
        at += n;
      }
    }
  }
  return { length, original: out };
}
