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
    const character = text[at];
    if (character === "{" || character === "[") {
      names.push(new Set());
      if (names.length > maxDepth) throw new TokenRefused(`the ${part} is deeper than ${maxDepth} levels`);
    } else if (character === "}" || character === "]") names.pop();
    else if (character === '"') {
      const end = endOfString(text, at);
      if (isName(text, end)) {
        // Parsed, since a name may be written with escapes or without.
        const name = JSON.parse(text.slice(at, end)) as string;
        const seen = names.at(-1);
        if (seen?.has(name)) throw new TokenRefused(`the ${part} has a name twice`);
        seen?.add(name);
      }
      at = end - 1;
    }
  }
}

/** The place behind a string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Whether a colon follows, as it does a name and nothing else. */
function isName(text: string, end: number): boolean {
  let at = end;
  while (/\s/.test(text[at] ?? "")) at++;
  return text[at] === ":";
}
