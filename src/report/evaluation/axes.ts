// Axes on which rates are read: logarithmic, and the normal deviate of detection error trade-offs (Martin et al.,
// "The DET Curve in Assessment of Detection Task Performance", 1997), on which normally distributed scores make
// straight lines. An axis maps a rate to a place; plots are drawn in places, and ticks say the rates.

/** One axis of a plot. Rates are shares, 0..1, unless an axis says otherwise. */
export interface Axis {
  label: string;
  /** The place of a value. */
  at(value: number): number;
  /** The values at its two ends. */
  domain: readonly [number, number];
  ticks: readonly number[];
  format(value: number): string;
}

/** 0.001 as '0.001', and what is smaller than 0.0001 as '1e-5'. */
export const share = (value: number): string =>
  value !== 0 && Math.abs(value) < 0.99e-4 ? short(value).toExponential() : String(short(value));

/** 0.001 as '0.1', for axes in per cent. */
export const inPercent = (value: number): string => String(short(value * 100));

/** 13233 as '13,233'. */
export const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

/** 10,000,000 as '10M', and what is below 10,000 as it is. */
export const brief = (value: number): string => {
  const count = Math.round(value);
  if (count >= 1e6) return `${short(count / 1e6)}M`;
  return count >= 1e4 ? `${short(count / 1e3)}k` : whole(count);
};

const short = (value: number): number => Number(value.toPrecision(4));

/** Powers of ten in [low, high]. */
export function decades([low, high]: readonly [number, number]): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(`1e${first + i}`));
}

/** Powers of ten, with 2 and 5 between them where they are few. */
function logTicks(domain: readonly [number, number]): number[] {
  const tens = decades(domain);
  if (tens.length > 2) return tens;
  const around = decades([domain[0] / 10, domain[1]]);
  return around
    .flatMap((ten) => [ten, 2 * ten, 5 * ten])
    .filter((tick) => tick >= domain[0] * (1 - 1e-9) && tick <= domain[1] * (1 + 1e-9));
}

export function logAxis(
  label: string,
  domain: readonly [number, number],
  format: (value: number) => string,
): Axis {
  return { label, at: Math.log10, domain, ticks: logTicks(domain), format };
}

/** Ticks of a normal-deviate axis, as the field's plots have them. */
const DEVIATES = [
  1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99,
];

export function deviateAxis(
  label: string,
  domain: readonly [number, number],
  format: (value: number) => string,
): Axis {
  const ticks = DEVIATES.filter((tick) => tick >= domain[0] && tick <= domain[1]);
  return { label, at: probit, domain, ticks, format };
}

/** An axis on which equal steps are equal. */
export function plainAxis(
  label: string,
  domain: readonly [number, number],
  format: (value: number) => string,
): Axis {
  const step = niceStep(domain[1] - domain[0]);
  const first = Math.ceil(domain[0] / step - 1e-9);
  const count = Math.floor(domain[1] / step + 1e-9) - first + 1;
  const ticks = Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  return { label, at: (value) => value, domain, ticks, format };
}

/** 1, 2 or 5 times a power of ten, so that a length has four to ten of them. */
function niceStep(length: number): number {
  const ten = 10 ** Math.floor(Math.log10(length / 4));
  return ten * [5, 2, 1].find((times) => length / (ten * times) >= 4)!;
}

/**
 * The normal deviate of a share in (0, 1): where the standard normal distribution function is `p`. Acklam's rational
 * approximation, relative error below 1.15e-9; infinite at 0 and 1.
 */
export function probit(p: number): number {
  if (p <= 0) return Number.NEGATIVE_INFINITY;
  if (p >= 1) return Number.POSITIVE_INFINITY;
  if (p > 0.5) return -probit(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return polynomial(TAIL_NUMERATOR, q) / (q * polynomial(TAIL_DENOMINATOR, q) + 1);
  }
  const q = p - 0.5;
  const r = q * q;
  return (q * polynomial(NUMERATOR, r)) / (r * polynomial(DENOMINATOR, r) + 1);
}

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);

const NUMERATOR = [
  -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
  2.506628277459239,
];
const DENOMINATOR = [
  -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1,
];
const TAIL_NUMERATOR = [
  -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const TAIL_DENOMINATOR = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416];
