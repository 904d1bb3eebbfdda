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
const piece = /"(?:[^"\\]|\\.)*"(?<colon>\s*:)?|[{}[\]]/g;

function refuseDuplicates(text: string, part: string): void {
  const names: Set<string>[] = [];
  for (const match of text.matchAll(piece)) {
    const [found] = match;
    if (found === "{" || found === "[") {
      names.push(new Set());
      if (names.length > maxDepth) throw new TokenRefused(`the ${part} is deeper than ${maxDepth} levels`);
    } else if (found === "}" || found === "]") names.pop();
    else if (match.groups?.["colon"] !== undefined) {
      // Parsed, since a name may be written with escapes or without.
      const name = JSON.parse(found.slice(0, found.lastIndexOf('"') + 1)) as string;
      const seen = names.at(-1);
      if (seen?.has(name)) throw new TokenRefused(`the ${part} has a name twice`);
      seen?.add(name);
    }
  }
}
