// YouTube Faces' accuracy: every frame of every video of the list is embedded, and a video is the mean of its frames.
import { resolve } from 'node:path';
import { UserError } from '../../common/errors.js';
import { findVideos, readVideoPairs } from '../../data/ytf.js';
import { fuse } from '../templates.js';
import { videoTemplate, ytf } from '../ytf.js';
import { alignmentOf, count, digest, following, type Pass, type TestData, withModel } from './pass.js';

/** How the frames of a video become one score; the paper does not say how its own did. */
const AGGREGATION = 'mean-feature';

/** The pass, or the flags that are missing. */
export async function openYtf({ ytf: folder, splits: file }: TestData): Promise<Pass | string> {
  if (folder === undefined || file === undefined) return '--ytf DIR --splits FILE';
  const list = await readVideoPairs(file);
  if (list.folds.length < 2)
    throw new UserError(`${file}: one split; two are needed, as a fold's threshold comes from the others`);
  return {
    key: digest(`${resolve(folder)} ${JSON.stringify(list.pairs)}`),
    measure: (run, hooks) =>
      withModel(
        run,
        folder,
        hooks,
        async (source) => {
          const paths = source.images.map(({ path }) => path);
          const { videos, pairs } = findVideos(list, paths, folder);
          const frames = videos.reduce((sum, { rows }) => sum + rows.length, 0);
          const templates = [];
          let done = 0;
          for (const { name, rows } of videos) {
            const features = await source.features(rows, following({ signal: hooks.signal }));
            templates.push(videoTemplate(fuse(features, 'concatenate'), AGGREGATION, name));
            done += rows.length;
            hooks.onProgress?.(done, frames);
          }
          const people = videos.map(({ person }) => person);
          const { accuracy, standardError } = ytf({
            ...{ videos: templates, pairs, aggregation: AGGREGATION, people, replicates: 0 },
          });
          return {
            figures: { ytf: 100 * accuracy },
            errors: { ytf: 100 * standardError },
            about: {
              ytf: `${count(pairs.length)} pairs of ${count(videos.length)} videos, ${count(frames)} frames, aggregation ${AGGREGATION}`,
            },
            ...alignmentOf(source),
          };
        },
        { nested: true },
      ),
  };
}
