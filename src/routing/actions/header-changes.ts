import { copyOfHeaders, type RequestHeaders } from "../../core/http/request-headers.ts";
import type { HeaderChanges, HeaderValue } from "../route.ts";
import { compileText, type TextMaker, type TextSource } from "./header-text.ts";

type Line = readonly [name: string, value: string | TextMaker];

/** Changes of headers, read once: names in lower case. */
export interface CompiledChanges {
  readonly removed: readonly string[];
  readonly set: readonly Line[];
  readonly setIfAbsent: readonly Line[];
  readonly added: readonly Line[];
}

/**
 * Reads changes of headers; `undefined` where they change nothing.
 * @throws Error for a text with a part that does not exist.
 */
export function compileChanges(changes: HeaderChanges | undefined): CompiledChanges | undefined {
  if (changes === undefined) return undefined;
  const compiled = {
    removed: (changes.remove ?? []).map((name) => name.toLowerCase()),
    set: linesOf(changes.set),
    setIfAbsent: linesOf(changes.setIfAbsent),
    added: linesOf(changes.add),
  };
  return Object.values(compiled).every(({ length }) => length === 0) ? undefined : compiled;
}

function linesOf(headers: Readonly<Record<string, HeaderValue>> = {}): readonly Line[] {
  return Object.entries(headers).map(([name, value]) => [name.toLowerCase(), typeof value === "string" ? value : compileText(value.text)]);
}

/** The headers of a request with the changes, and with texts from `source`, the call as it came. */
export function changedHeaders(headers: RequestHeaders, changes: CompiledChanges, source: TextSource): RequestHeaders {
  const changed = copyOfHeaders(headers);
  const { removed, set, setIfAbsent, added } = changes;
  for (const name of removed) delete changed[name];
  for (const [name, value] of set) setTo(changed, name, textOf(value, source));
  for (const [name, value] of setIfAbsent) if (changed[name] === undefined) setTo(changed, name, textOf(value, source));
  for (const [name, value] of added) {
    const text = textOf(value, source);
    const known = changed[name];
    setTo(changed, name, known === undefined || text === undefined ? (text ?? known) : `${known}${name === "cookie" ? "; " : ", "}${text}`);
  }
  return changed;
}

/** A text that was made and is empty stands for no header. */
function textOf(value: string | TextMaker, source: TextSource): string | undefined {
  return typeof value === "string" ? value : value(source) || undefined;
}

function setTo(headers: Record<string, string>, name: string, value: string | undefined): void {
  if (value === undefined) delete headers[name];
  else headers[name] = value;
}

/** The header lines of a response with the changes: an added one is a line of its own. */
export function changedLines(lines: readonly string[], { removed, set, setIfAbsent, added }: CompiledChanges): readonly string[] {
  const gone = new Set([...removed, ...set.map(([name]) => name)]);
  const changed: string[] = [];
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index] as string;
    if (!gone.has(name)) changed.push(name, lines[index + 1] as string);
  }
  const push = ([name, value]: Line): void => {
    // The checks of routes let no made text pass here: a response has no request's parts.
    if (typeof value === "string") changed.push(name, value);
  };
  set.forEach(push);
  for (const line of setIfAbsent) if (!changed.some((name, index) => index % 2 === 0 && name === line[0])) push(line);
  added.forEach(push);
  return changed;
}
