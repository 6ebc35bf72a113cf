// Features and predictions of a whole set of images from one small trained network, as the toy and the trained
// figures measure and draw them.
import { type ImageSet, readPlanes } from '../../data/index.js';
import type { Device } from '../../runtime/index.js';
import type { Vectors } from '../../theory/index.js';

/** What a network makes of a set. */
export interface Embedded {
  /** [N, D] */
  vectors: Vectors & { original: Float32Array };
  /** [N], the class with the largest logit, without margin. */
  predicted: Int32Array;
  /** [N, K], without margin; K are the classes trained on, whatever the set's own. */
  logits: Float32Array;
}

/** Features [N, length] and logits of every image of a set, by a model as `trainFeatures` gives it. */
export async function embedSet(
  device: Device,
  model: Uint8Array,
  set: ImageSet,
  length: number,
): Promise<Embedded> {
  const count = set.labels.length;
  const original = new Float32Array(count * length);
  let logits = new Float32Array(0);
  const network = await device.load(model);
  for (let from = 0; from < count; from += 500) {
    const indices = Int32Array.from({ length: Math.min(500, count - from) }, (_, i) => from + i);
    const outputs = await network.run({ images: await readPlanes(set, indices) });
    const scores = outputs.logits!.data as Float32Array;
    const classes = scores.length / indices.length;
    if (from === 0) logits = new Float32Array(count * classes);
    original.set(outputs.features!.data as Float32Array, from * length);
    logits.set(scores, from * classes);
  }
  await network.dispose();
  const classes = logits.length / count;
  const predicted = Int32Array.from({ length: count }, (_, i) => {
    const scores = logits.subarray(i * classes, (i + 1) * classes);
    return scores.indexOf(Math.max(...scores));
  });
  return { vectors: { length, original }, predicted, logits };
}

/** Share of the predictions that are right. */
export const shareRight = (predicted: Int32Array, labels: Int32Array): number =>
  predicted.filter((label, i) => label === labels[i]).length / labels.length;
