import { TokenRefused } from "./token-verifier.ts";

/** Deeper values are refused: no honest token has them, and each walk over the claims would have to be bounded by itself. */
const maxDepth = 16;

/**
 * Parses the object that a part of a token is. An object with the same name twice is refused, at any depth, since two readers may take different values
 * (RFC 7519 §4 leaves it open, RFC 8259 §4 warns of it).
 * @throws TokenRefused naming the part.
 */
export function strictObject(bytes: Uint8Array, part: string): Record<string, unknown> {
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    // The error of the parser quotes the text.
    throw new TokenRefused(`the ${part} is not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TokenRefused(`the ${part} is not an object`);
  refuseDuplicates(text, part);
  return value as Record<string, unknown>;
}

/** Of a text that is JSON already: strings, and the braces outside of them, are enough. */
function refuseDuplicates(text: string, part: string): void {
  const names: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === "{" || letter === "[") {
      names.push(new Set());
      if (names.length > maxDepth) throw new TokenRefused(`the ${part} is deeper than ${maxDepth} levels`);
    } else if (letter === "}" || letter === "]") names.pop();
    else if (letter === '"') {
      const end = endOfString(text, at);
      // Parsed, since a name may be written with escapes or without.
      if (isName(text, end + 1)) seenOnce(names.at(-1), JSON.parse(text.slice(at, end + 1)) as string, part);
      at = end;
    }
  }
}

function seenOnce(names: Set<string> | undefined, name: string, part: string): void {
  if (names?.has(name)) throw new TokenRefused(`the ${part} has a name twice`);
  names?.add(name);
}

/** The place of the quotation mark that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

/** Whether a colon follows. */
function isName(text: string, from: number): boolean {
  let at = from;
  while (text[at] === " " || text[at] === "\t" || text[at] === "\n" || text[at] === "\r") at++;
  return text[at] === ":";
}
