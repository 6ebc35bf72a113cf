// How many false finds are to be expected, as a number for people.

/** '.00045', '1.6', '120': two digits. */
export function expectedNumber(value: number): string {
  if (value < 0.0001) return 'less than 0.0001';
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(2)));
}
