import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";

const wild = /[*?[]/;
/** Files that one `include` may bring. */
const maxMatches = 1_000;

/** Whether the path of an `include` stands for any number of files. */
export function isPattern(path: string): boolean {
  return wild.test(path);
}

/**
 * The files that a pattern with `*`, `?` and `[…]` stands for, in the order of their names, as `glob` of C has it: none where none matches, a
 * directory that is not there included; `*` does not match a dot at the beginning.
 * Rejects with an Error where they are too many.
 */
export async function filesOf(prefix: string, pattern: string): Promise<readonly string[]> {
  const whole = resolve(prefix, pattern);
  const segments = whole.split("/").slice(1);
  let found: readonly string[] = ["/"];
  for (const segment of segments) {
    const next: string[] = [];
    for (const directory of found) {
      if (!isPattern(segment)) next.push(join(directory, segment));
      else for (const name of await namesIn(directory)) if (matches(name, segment)) next.push(join(directory, name));
      if (next.length > maxMatches) throw new Error(`the pattern stands for more than ${maxMatches} files`);
    }
    found = next;
  }
  // A path behind the last pattern may lead nowhere.
  const last = segments.at(-1) ?? "";
  if (isPattern(last)) return found;
  const there: string[] = [];
  for (const file of found) if ((await namesIn(join(file, ".."))).includes(last)) there.push(file);
  return there;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    const names = await readdir(directory);
    return names.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  } catch {
    return [];
  }
}

/** In time proportional to the product of both lengths. */
function matches(name: string, pattern: string): boolean {
  if (name.startsWith(".") && !pattern.startsWith(".")) return false;
  const parts = partsOf(pattern);
  let reachable = new Set([0]);
  const spread = (from: Set<number>) => {
    for (const at of from) if (parts[at] === "*") from.add(at + 1);
    return from;
  };
  spread(reachable);
  for (const character of name) {
    const next = new Set<number>();
    for (const at of reachable) {
      const part = parts[at];
      if (part === "*") next.add(at);
      else if (part?.(character)) next.add(at + 1);
    }
    reachable = spread(next);
  }
  return reachable.has(parts.length);
}

type Part = "*" | ((character: string) => boolean);

function partsOf(pattern: string): readonly Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] as string;
    const end = character === "[" ? pattern.indexOf("]", at + 2) : -1;
    if (character === "*") parts.push("*");
    else if (character === "?") parts.push(() => true);
    else if (end !== -1) {
      parts.push(oneOf(pattern.slice(at + 1, end)));
      at = end;
    } else parts.push((given) => given === character);
  }
  return parts;
}

function oneOf(set: string): Part {
  const isNegated = set.startsWith("!") || set.startsWith("^");
  const listed = isNegated ? set.slice(1) : set;
  return (character) => {
    let isListed = false;
    for (let at = 0; at < listed.length; at++) {
      const from = listed[at] as string;
      const to = listed[at + 1] === "-" && at + 2 < listed.length ? (listed[at + 2] as string) : from;
      if (character >= from && character <= to) isListed = true;
      if (to !== from) at += 2;
    }
    return isListed !== isNegated;
  };
}
