// What may come of a case: a value, or one line for the user. Everything else is a failure.
import { UserError } from '../../src/common/errors.js';

/** What went wrong. */
export type Problem =
  /** An error that is not a UserError. */
  | 'exception'
  /** A UserError without words, or with more of them than a line has. */
  | 'message'
  /** A file of the corpus that is valid was refused. */
  | 'refused'
  /** The process ended. */
  | 'crash'
  /** More time than the limit. */
  | 'time'
  /** More memory than the limit. */
  | 'memory';

export interface Failure {
  reader: string;
  number: number;
  problem: Problem;
  /** One line: the error's message and where it was thrown, or how the process ended. */
  detail: string;
}

/** The longest message that is still a line. A newline in one is shown as an escape, as all of a file's text is. */
const LONGEST = 2000;

/** The problem with an error that a reader threw; undefined for one that may be. */
export function problemOf(error: unknown): Pick<Failure, 'problem' | 'detail'> | undefined {
  if (!(error instanceof UserError)) {
    const { name = 'no error', message = String(error), stack = '' } = error instanceof Error ? error : {};
    return { problem: 'exception', detail: `${name}: ${oneLine(message)}${thrownAt(stack)}` };
  }
  const { message } = error;
  if (message.trim() === '' || message.length > LONGEST)
    return { problem: 'message', detail: `${message.length} characters: ${oneLine(message)}` };
  return undefined;
}

const oneLine = (text: string): string => JSON.stringify(text.slice(0, 160)).slice(1, -1);

/** The first place in our sources of a stack, else its first place. */
function thrownAt(stack: string): string {
  const places = [...stack.matchAll(/\/(src\/[^:\s)]+:\d+)|at (.+)/g)];
  const place = places.find(([, own]) => own)?.[1] ?? places[0]?.[2]?.slice(0, 80);
  return place ? ` (${place})` : '';
}

/** Failures of one cause: the same problem in the same reader at the same place. */
export const causeOf = ({ reader, problem, detail }: Failure): string =>
  `${reader} ${problem} ${/\((src\/[^)]+)\)$/.exec(detail)?.[1] ?? detail.replace(/\d+/g, 'N').slice(0, 60)}`;
