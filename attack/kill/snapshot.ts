// What a folder holds, without what differs from run to run by right: clocks, speeds and the folder's own name.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Paths relative to the folder, with a hash of what is in each file. */
export type Snapshot = ReadonlyMap<string, string>;

/** Clocks, speeds, and what an earlier sitting has done. */
const CLOCKS = new Set([
  'earlier',
  'seconds',
  'imagesPerSecond',
  'waited',
  'since',
  'at',
  'installed',
  'date',
  'made',
]);

function withoutClocks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutClocks);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !CLOCKS.has(key));
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutClocks(inner)]));
}

const hash = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex').slice(0, 16);

/** What a file says, as a hash; 'torn' for a text that does not end as it should. */
function contentOf(path: string, folder: string): string {
  const bytes = readFileSync(path);
  const text = () => bytes.toString('utf8').replaceAll(folder, '<out>');
  try {
    if (path.endsWith('.json')) return hash(JSON.stringify(withoutClocks(JSON.parse(text()))));
    if (path.endsWith('.jsonl')) {
      const lines = text().split('\n');
      if (lines.pop() !== '') return 'torn';
      return hash(lines.map((line) => JSON.stringify(withoutClocks(JSON.parse(line)))).join('\n'));
    }
  } catch {
    return 'torn';
  }
  // Pages show times and speeds; that they are whole is enough.
  if (path.endsWith('.html')) return text().trimEnd().endsWith('</html>') ? 'whole' : 'torn';
  return hash(bytes);
}

/** All files below `folder` but those that `ignore` names. */
export function snapshot(folder: string, ignore?: RegExp): Snapshot {
  const found = new Map<string, string>();
  if (!existsSync(folder)) return found;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (!statSync(path).isFile() || ignore?.test(name)) continue;
    found.set(name, contentOf(path, folder));
  }
  return found;
}

/** What is in `now` and not as in `wanted`: one line each. */
export function differences(now: Snapshot, wanted: Snapshot): string[] {
  const names = new Set([...now.keys(), ...wanted.keys()]);
  return [...names].sort().flatMap((name) => {
    const [is, should] = [now.get(name), wanted.get(name)];
    if (is === should) return [];
    if (should === undefined) return [`${name} was left over`];
    return [is === undefined ? `${name} is missing` : `${name} differs${is === 'torn' ? ' (torn)' : ''}`];
  });
}
