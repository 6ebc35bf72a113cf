// How the faces of a folder are aligned, where the folder says so: `hypersphere align` leaves that in align.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALIGN_FILES } from './journal.js';
import { type Template, templateNamed } from './template.js';

/** The template of a folder that `align` wrote; nothing for any other. */
export function alignmentOf(folder: string): Template | undefined {
  try {
    const settings = JSON.parse(readFileSync(join(folder, ALIGN_FILES.settings), 'utf8')) as {
      template?: unknown;
    };
    return typeof settings.template === 'string' ? templateNamed(settings.template) : undefined;
  } catch {
    return undefined;
  }
}
