// Weights as signed integers, symmetric about 0, with a scale for every output channel or one for all.

export interface QuantizedWeights {
  data: Int8Array;
  /** weight = data * scale; one, or one a channel. */
  scales: Float32Array;
}

export interface WeightRule {
  /** The largest magnitude: 63 for 7 bits, 127 for 8. */
  largest: number;
  perChannel: boolean;
}

/**
 * Entry i belongs to channel channelOf(i). `leastScales` are what scales must not fall
 * below, a number a channel, so that a bias can be told in units of them.
 */
export function quantizeWeights(
  weights: Float32Array,
  channelOf: (index: number) => number,
  leastScales: Float64Array,
  { largest, perChannel }: WeightRule,
): QuantizedWeights {
  const magnitudes = new Float64Array(leastScales.length);
  weights.forEach((w, i) => {
    const c = channelOf(i);
    magnitudes[c] = Math.max(magnitudes[c]!, Math.abs(w));
  });
  const each = magnitudes.map((m, c) => Math.max(m / largest, leastScales[c]!));
  const wanted = perChannel ? each : Float64Array.of(each.reduce((a, b) => Math.max(a, b)));
  const scales = Float32Array.from(wanted, (scale) => scale || 1);
  const data = Int8Array.from(weights, (w, i) => {
    const level = Math.round(w / scales[perChannel ? channelOf(i) : 0]!);
    return Math.max(-largest, Math.min(largest, level));
  });
  return { data, scales };
}
