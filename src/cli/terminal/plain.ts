// Control characters move the cursor and write to the clipboard, format characters turn the reading direction round or hide text,
// separators break a line in two: what a registry or an instance says is for a terminal to show, not to obey.
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** `text` on one line, with every character that a terminal would obey, and every invisible one, written as `\u{1b}`. */
export function plain(text: string): string {
  return text.replace(unsafe, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The same of a text of several lines, which stay lines. */
export function plainLines(text: string): string {
  return text.split("\n").map(plain).join("\n");
}

// JSON itself escapes what is below U+0020, and lone surrogates.
const unsafeInJson = /[\p{Cf}\p{Zl}\p{Zp}\p{Co}\u007f-\u009f]/gu;

/** The same of JSON, where it is escaped in JSON's own way: the value stays what it was. */
export function plainJson(json: string): string {
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return json.replace(unsafeInJson, (character) => character.split("").map(escaped).join(""));
}
