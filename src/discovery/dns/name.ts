import { isIP } from "node:net";

const labelPattern = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/;
const maxNameLength = 253;

/**
 * `name` without the final dot when it is a host or service name: labels of letters, digits, `_` and inner hyphens, at most 253 characters.
 * `undefined` for anything else, an IP address too: DNS can carry any bytes as a name, and not all of them are one.
 */
export function plainName(name: string): string | undefined {
  const plain = name.endsWith(".") ? name.slice(0, -1) : name;
  if (plain.length > maxNameLength || isIP(plain) !== 0) return undefined;
  return plain.split(".").every((label) => labelPattern.test(label)) ? plain : undefined;
}

/** The form in which names are compared: without the final dot, ASCII letters in lower case (RFC 4343). */
export function foldName(name: string): string {
  return (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase();
}
