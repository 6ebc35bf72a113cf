// Parameters may be stored with their axes in another order than the network's author wrote them, because a
// device multiplies faster that way. Here numbers go from the written (logical) order to the stored one and back.

/**
 * The numbers of `data`, an array of `shape`, with its axes in the order `axes`: axis i of the result is axis
 * `axes[i]` of the input. Always a copy.
 */
export function permute(data: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  const out = new Float32Array(data.length);
  if (axes.every((axis, i) => axis === i)) {
    out.set(data);
    return out;
  }
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  let to = 0;
  const copy = (depth: number, from: number) => {
    const size = shape[axes[depth]!]!;
    const stride = strides[axes[depth]!]!;
    if (depth === axes.length - 1) {
      for (let i = 0; i < size; i++, from += stride) out[to++] = data[from]!;
    } else {
      for (let i = 0; i < size; i++, from += stride) copy(depth + 1, from);
    }
  };
  copy(0, 0);
  return out;
}

/** From logical order to stored order: stored axis i holds logical axis `layout[i]`. */
export function toStored(
  data: Float32Array,
  shape: readonly number[],
  layout: readonly number[],
): Float32Array {
  return permute(data, shape, layout);
}

/** From stored order back to logical order. */
export function toLogical(
  data: Float32Array,
  shape: readonly number[],
  layout: readonly number[],
): Float32Array {
  const stored = layout.map((axis) => shape[axis]!);
  const inverse = layout.map((_, axis) => layout.indexOf(axis));
  return permute(data, stored, inverse);
}
