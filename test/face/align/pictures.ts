// The formula-made picture that test/fixtures/make_align_fixture.py warps.

/** Overlaid slanted triangle waves, [height, width, 3]. */
export function waves(height: number, width: number): Uint8Array {
  const wave = (t: number) => Math.abs((t % 510) - 255);
  return Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return Math.floor((wave(x * 9 + c * 60) + wave(y * 7 + x * 3)) / 2);
  });
}
