import { widthOf } from "./width.ts";

/** Columns that a text is given at least, however narrow the terminal says that it is. */
const least = 10;

/** Begins a line that goes on with the text of the one before: none begins with what a registry or an instance has said. */
export const goesOn = "↳ ";

/**
 * `text`, one line of escaped text, broken at its spaces into lines of at most `width` columns. The lines behind the first begin with `lead`.
 * A word that is longer than a line is broken, too.
 */
export function wrapped(text: string, width: number, lead: string = goesOn): readonly string[] {
  if (widthOf(text) <= width) return [text];
  const lines: string[] = [];
  const [, indent = ""] = /^( *)/.exec(text) ?? [];
  let line = indent;
  let isEmpty = true;
  const room = Math.max(width, widthOf(lead) + least);
  const next = (): void => {
    lines.push(line.trimEnd());
    line = lead;
    isEmpty = true;
  };
  let wordEnd = indent.length;
  for (const { 0: word, index } of text.matchAll(/[^ ]+/g)) {
    const gap = text.slice(wordEnd, index);
    wordEnd = index + word.length;
    if (!isEmpty && widthOf(line) + gap.length + widthOf(word) > room) next();
    else if (!isEmpty) line += gap;
    let rest = word;
    for (let end = cutAt(rest, room - widthOf(line)); end < rest.length; end = cutAt(rest, room - widthOf(line))) {
      line += rest.slice(0, end);
      rest = rest.slice(end);
      next();
    }
    line += rest;
    isEmpty = false;
  }
  if (!isEmpty) lines.push(line);
  return lines;
}

/** `text` with its middle left out where it is wider than `width` columns: names differ at their ends. */
export function shortened(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const room = Math.max(1, width - 1);
  const head = text.slice(0, cutAt(text, Math.ceil(room / 2)));
  const reversed = [...text].reverse().join("");
  const tail = reversed.slice(0, cutAt(reversed, room - widthOf(head)));
  return `${head}…${[...tail].reverse().join("")}`;
}

/** Where `text` has to be cut so that it takes at most `width` columns, and at least one character. */
function cutAt(text: string, width: number): number {
  let taken = 0;
  let end = 0;
  for (const character of text) {
    taken += widthOf(character);
    if (taken > width && end > 0) return end;
    end += character.length;
  }
  return end;
}
