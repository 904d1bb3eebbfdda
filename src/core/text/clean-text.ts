const lineBreaks = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
// Control characters move a cursor and write to a clipboard, format characters reverse the reading direction or hide text.
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}]/gu;

/**
 * `text` on one line, for messages: names, headers and answers of others are quoted in them, and would otherwise forge lines in a log or be
 * obeyed by a terminal. Line breaks become a space; characters that are not to be seen are written as `\u{1b}`.
 */
export function cleanText(text: string): string {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e) return cleaned(text);
  }
  return text;
}

/** A value as messages quote it: as JSON has it, on one line, cut off after 200 characters. */
export function quoted(value: unknown): string {
  const text = typeof value === "string" && value.length > maxQuoted ? `${value.slice(0, maxQuoted)}…` : value;
  return cleanText(String(JSON.stringify(text)));
}

const maxQuoted = 200;

function cleaned(text: string): string {
  return text.replace(lineBreaks, " ").replace(unsafe, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
