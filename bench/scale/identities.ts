// Made-up identities: an image is a function of who it shows and of a number that tells one's images apart.
import { random } from '../../src/common/random.js';

/** Waves that add up to an identity's pattern in one channel. */
const WAVES = 3;

/**
 * Writes one image of `identity` as planes [channels, height, width] in about [-1, 1] into `into` from `at` on:
 * a few waves of the identity's own, moved a little and with a little noise by `image`.
 */
export function writeIdentity(
  into: Float32Array,
  at: number,
  { identity, image }: { identity: number; image: number },
  [channels, height, width]: readonly [number, number, number],
): void {
  const own = random(1, 'identity', identity);
  const noise = random(1, 'image', identity, image);
  const [dx, dy] = [0.05 * noise.normal(), 0.05 * noise.normal()];
  for (let c = 0; c < channels; c++) {
    const waves = Array.from({ length: WAVES }, () => ({
      fx: 6 * own.normal(),
      fy: 6 * own.normal(),
      phase: 2 * Math.PI * own.uniform(),
    }));
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let value = 0;
        for (const { fx, fy, phase } of waves)
          value += Math.sin(fx * (x / width + dx) + fy * (y / height + dy) + phase);
        into[at++] = value / WAVES + 0.1 * (noise.uniform() - 0.5);
      }
    }
  }
}
