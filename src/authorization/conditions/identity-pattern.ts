import { parseSpiffeId } from "../../core/peers/spiffe-id.ts";

/**
 * Checks an identity of a rule: `*`, a SPIFFE id, all below one (with a slash at the end), or another name.
 * @throws Error saying why, for another text.
 */
export function checkIdentityPattern(text: string): void {
  if (text === "*") return;
  if (text.includes("*")) throw new Error("* stands alone, for any identity; all below a path end in /: spiffe://example.org/shop/");
  if (!text.startsWith("spiffe://")) {
    if (/^spiffe:/i.test(text)) throw new Error("a SPIFFE id begins with spiffe:// in lower case");
    if (text.endsWith("/")) throw new Error("only SPIFFE ids have a path, and a slash at the end for all below it");
    return;
  }
  if (parseSpiffeId(text.endsWith("/") ? text.slice(0, -1) : text) === undefined) throw new Error("it is no SPIFFE id");
}

/** Whether a verified identity matches. Of a text that ends in a slash, all that is below: never the id before the slash, nor one that only begins alike. */
export function matchesIdentity(pattern: string, identity: string | undefined): boolean {
  if (identity === undefined) return false;
  if (pattern === "*") return true;
  return pattern.endsWith("/") ? identity.length > pattern.length && identity.startsWith(pattern) : identity === pattern;
}
