// A list of people to leave out of training: as `hypersphere overlap` writes it, JSON with the evidence beside the
// names, or a text file that a person wrote, one name a line.
import { z } from 'zod';
import { UserError } from '../common/errors.js';
import { readWhole } from '../common/files.js';

/** The format that `hypersphere overlap` writes. */
export const OVERLAP_FORMAT = 'hypersphere-overlap/1';

const schema = z.looseObject({ format: z.literal(OVERLAP_FORMAT), exclude: z.array(z.string().min(1)) });

/**
 * The names in `file`, each once, in its order: of JSON {"format": "hypersphere-overlap/1", "exclude": [names]}, else
 * of text with one name a line, where what follows a '#' at the beginning of a line or after a space is a comment.
 * There may be none: an overlap that was sought and not found. Throws a UserError that begins with the file's name.
 */
export async function readExcludeFile(file: string): Promise<string[]> {
  const bytes = await readWhole(file);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(
      `${file}: is not text; give the file that 'hypersphere overlap' wrote, or one name a line`,
    );
  }
  return [...new Set(/^\s*[[{]/.test(text) ? fromJson(text, file) : fromLines(text, file))];
}

function fromJson(text: string, file: string): string[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file}: not JSON: ${(error as Error).message}`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data.exclude;
  const [issue] = parsed.error.issues;
  const where = issue!.path.join('.') || 'the whole';
  throw new UserError(
    `${file}: not a list of people to exclude, {"format": "${OVERLAP_FORMAT}", "exclude": [names]}: ${where}: ${issue!.message}`,
  );
}

function fromLines(text: string, file: string): string[] {
  return text.split(/\r?\n/).flatMap((line, i) => {
    const name = line.replace(/(^|\s)#.*$/, '').trim();
    // A path or several columns would match nobody, and silently leave everybody in.
    if (/[/\\\t]/.test(name))
      throw new UserError(
        `${file}: line ${i + 1}: '${name.replaceAll('\t', ' ')}' is not one name; write one name a line`,
      );
    return name === '' ? [] : [name];
  });
}
