/** A piece of a text: letters as they are, or the name of a variable. */
export type Piece = { readonly text: string; readonly name?: undefined } | { readonly name: string; readonly text?: undefined };

const variable = /\$(?:\{(\w+)\}|(\w+))/g;

/** Takes a text with `$name` and `${name}` apart. A `$` that no name follows stays. */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(variable)) {
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    // `$1st` is the first group and `st`.
    const name = match[1] ?? (/^\d/.exec(match[2] ?? "")?.[0] || match[2]) ?? "";
    pieces.push({ name });
    end = match.index + (match[1] === undefined ? name.length + 1 : match[0].length);
    if (end < match.index + match[0].length) pieces.push({ text: text.slice(end, match.index + match[0].length) });
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

/** Whether a text has a variable in it. */
export function hasVariable(text: string): boolean {
  return piecesOf(text).some(({ name }) => name !== undefined);
}

/** A text with those of its variables put in that have a value; the others stay, as `$name` where that is enough. */
export function withValues(text: string, known: (name: string) => string | undefined): string {
  let behind = "";
  // From the end, since what follows a name decides whether it needs braces.
  for (const { text: plain, name } of piecesOf(text).toReversed()) {
    const part = plain ?? known(name as string);
    behind = (part ?? (/^\w/.test(behind) ? `\${${name}}` : `$${name}`)) + behind;
  }
  return behind;
}
