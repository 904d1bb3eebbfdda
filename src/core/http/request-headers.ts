const tokenName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Headers that describe the connection and the framing of one hop, or name the instance: the mesh sets them itself, and
 * a caller that hands on the headers of an incoming request must not change them.
 */
const ownedByTheMesh: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * An object without a prototype of names (`__proto__` is a header like any other) that the engine keeps in its fast form, which an
 * object made by `Object.create(null)` is not.
 */
class HeaderMap {
  readonly [name: string]: string;
}
Object.setPrototypeOf(HeaderMap.prototype, null);
// `constructor` is a name like any other, too.
Reflect.deleteProperty(HeaderMap.prototype, "constructor");

/** Names in lower case, without prototype: `__proto__` is a header name like any other. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** What `fetch` takes for headers; any `Headers` class will do. */
export type HeadersInput = Iterable<readonly string[]> | Readonly<Record<string, string | number | readonly string[] | undefined>>;

/**
 * Headers as they go out: lower-case names, repeated ones joined by a comma (RFC 9110 §5.3).
 * @throws TypeError for a name or value that HTTP does not allow.
 */
export function requestHeaders(input: HeadersInput | undefined): Record<string, string> {
  const headers = new HeaderMap();
  if (input === undefined) return headers;
  if (typeof input !== "object" || input === null)
    throw new TypeError(`headers: ${input === null ? "null" : `a ${typeof input}`} is neither an object nor a list of pairs`);
  if (Symbol.iterator in input) {
    for (const pair of input as Iterable<readonly string[]>) {
      if (pair.length !== 2) throw new TypeError("headers: every entry must be a pair of name and value");
      add(headers, `${pair[0]}`, pair[1]);
    }
    return headers;
  }
  for (const name of Object.keys(input)) {
    const value = (input as Record<string, unknown>)[name];
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const each of value) add(headers, name, each);
    else add(headers, name, value);
  }
  return headers;
}

/** `headers` with others over them, as a copy. Names are in lower case already. */
export function headersWith(headers: RequestHeaders, others: Readonly<Record<string, string>>): RequestHeaders {
  const copy: Record<string, string> = new HeaderMap();
  for (const name in headers) copy[name] = headers[name] as string;
  for (const name in others) copy[name] = others[name] as string;
  return copy;
}

/** Without the white space that HTTP knows at its ends; `trim` would take characters away that are part of a value. */
function trimmed(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isWhiteSpace(value.charCodeAt(start))) start++;
  while (end > start && isWhiteSpace(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

function isWhiteSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13;
}

function add(headers: Record<string, string>, name: string, given: unknown): void {
  // A whole line, given for a name, may hold a credential.
  if (!tokenName.test(name)) throw new TypeError(`headers: ${JSON.stringify(name.split(":")[0])} is not a valid header name`);
  // Not `String`, which makes text of a symbol.
  const value = trimmed(`${given}`);
  // The value may be a credential: it is not quoted.
  if (!fieldValue.test(value)) throw new TypeError(`headers: the value of "${name}" has characters that a header cannot carry`);
  const key = name.toLowerCase();
  if (ownedByTheMesh.has(key)) return;
  const known = headers[key];
  headers[key] = known === undefined ? value : `${known}${key === "cookie" ? "; " : ", "}${value}`;
}
