// Values of JSON as text again.

/** JSON text of a value, or a word for one that cannot be written: a damaged file may nest deeper than that. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return 'unreadable';
  }
}
