import { copyOfHeaders, type RequestHeaders } from "../../core/http/request-headers.ts";
import type { HeaderChanges } from "../route.ts";

/** Changes of headers, read once: names in lower case. */
export interface CompiledChanges {
  readonly removed: readonly string[];
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly added: readonly (readonly [name: string, value: string])[];
}

/** Reads changes of headers; `undefined` where they change nothing. */
export function compileChanges(changes: HeaderChanges | undefined): CompiledChanges | undefined {
  if (changes === undefined) return undefined;
  const compiled = {
    removed: (changes.remove ?? []).map((name) => name.toLowerCase()),
    set: lowered(changes.set),
    added: lowered(changes.add),
  };
  return compiled.removed.length + compiled.set.length + compiled.added.length === 0 ? undefined : compiled;
}

function lowered(headers: Readonly<Record<string, string>> = {}): CompiledChanges["set"] {
  return Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
}

/** The headers of a request with the changes. */
export function changedHeaders(headers: RequestHeaders, { removed, set, added }: CompiledChanges): RequestHeaders {
  const changed = copyOfHeaders(headers);
  for (const name of removed) delete changed[name];
  for (const [name, value] of set) changed[name] = value;
  for (const [name, value] of added) {
    const known = changed[name];
    changed[name] = known === undefined ? value : `${known}${name === "cookie" ? "; " : ", "}${value}`;
  }
  return changed;
}

/** The header lines of a response with the changes: an added one is a line of its own. */
export function changedLines(lines: readonly string[], { removed, set, added }: CompiledChanges): readonly string[] {
  const gone = new Set([...removed, ...set.map(([name]) => name)]);
  const changed: string[] = [];
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index] as string;
    if (!gone.has(name)) changed.push(name, lines[index + 1] as string);
  }
  for (const [name, value] of set) changed.push(name, value);
  for (const [name, value] of added) changed.push(name, value);
  return changed;
}
