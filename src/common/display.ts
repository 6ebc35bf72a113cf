// Text from outside (file names, people's names, what a file says of itself) as it is shown on a terminal.

/**
 * What a terminal would obey or hide instead of showing it: control characters (C0, DEL and C1, among them escape and
 * newline), line and paragraph separators, marks of writing direction (Unicode's Bidi_Control), invisible characters
 * but the joiners that some scripts need, and halves of surrogate pairs.
 */
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const escaped = (character: string): string => {
  const code = character.charCodeAt(0);
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
};

/** One line of text in which everything unsafe is shown as an escape, such as \x1b or \u202e. */
export const printable = (text: string): string => text.replace(unsafe, escaped);

/** The same for text of several lines, whose newlines and tabs are meant. */
export const printableLines = (text: string): string =>
  text.replace(unsafe, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  );
