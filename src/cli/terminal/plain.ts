// Control characters move the cursor and write to the clipboard, format characters reverse the reading direction or hide text, separators
// break a line in two. Text of a registry or an instance must be shown by a terminal and not obeyed.
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** `text` on one line; characters that a terminal would obey, and invisible ones, are written as `\u{1b}`. */
export function plain(text: string): string {
  return text.replace(unsafe, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The same for a text of several lines, which stay lines. */
export function plainLines(text: string): string {
  return text.split("\n").map(plain).join("\n");
}

// JSON itself escapes characters below U+0020 and lone surrogates.
const unsafeInJson = /[\p{Cf}\p{Zl}\p{Zp}\p{Co}\u007f-\u009f]/gu;

/** The same for JSON, with the escapes of JSON, so that the value does not change. */
export function plainJson(json: string): string {
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return json.replace(unsafeInJson, (character) => character.split("").map(escaped).join(""));
}
