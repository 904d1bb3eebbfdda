import { quoted } from "../text/clean-text.ts";
import { callerHeader, requestHeadersOfTheMesh } from "./own-headers.ts";

const tokenName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Headers of the connection and the framing of one hop, the one that names the instance, and those of the mesh. The mesh sets them itself and drops
 * those of the caller, which may have passed on the headers of an incoming request.
 */
const ownedByTheMesh: ReadonlySet<string> = new Set([
  ...requestHeadersOfTheMesh,
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
 * An object without inherited names, since `__proto__` is a header like any other. The engine keeps it in its fast form, unlike an object from
 * `Object.create(null)`.
 */
class HeaderMap {
  readonly [name: string]: string;
}
Object.setPrototypeOf(HeaderMap.prototype, null);
// `constructor` is a name like any other.
Reflect.deleteProperty(HeaderMap.prototype, "constructor");

// The engine gives the objects of a class as many places inside as the first ones had use for: those of an attempt of a
// GET. Otherwise the attempts of all calls would have a second object for the further headers, where the first calls waited for discovery, with two each.
const model: Record<string, string> = new HeaderMap();
for (const name of ["accept", "user-agent", "x-mesh-deadline-ms", callerHeader]) model[name] = "";

/** Request headers by name in lower case, without a prototype: `__proto__` is a name like any other. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** Headers as `fetch` takes them: pairs, a record, or an instance of any `Headers` class. */
export type HeadersInput = Iterable<readonly string[]> | Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** A header of the framing that says something about a body: the length of a stream, which nothing else tells. */
export interface GivenFraming {
  contentLength?: string;
}

/**
 * Headers as they are sent: names in lower case, values of repeated names joined by a comma (RFC 9110 §5.3). Headers of the mesh's own, such
 * as `host` and `content-length`, are dropped; `framing` gets the length.
 * @throws TypeError for a name or value that HTTP does not allow; it does not show values, which may be credentials.
 */
export function requestHeaders(input: HeadersInput | undefined, framing?: GivenFraming): Record<string, string> {
  const headers = new HeaderMap();
  if (input === undefined) return headers;
  if (typeof input !== "object" || input === null)
    throw new TypeError(`headers: ${input === null ? "null" : `a ${typeof input}`} is neither an object nor a list of pairs`);
  if (Symbol.iterator in input) {
    for (const pair of input as Iterable<readonly string[]>) {
      if (pair.length !== 2) throw new TypeError("headers: every entry must be a pair of name and value");
      add(headers, `${pair[0]}`, pair[1], framing);
    }
    return headers;
  }
  // A class of headers from before they could be iterated: its own keys are none, and all headers would be lost.
  if (typeof (input as { readonly forEach?: unknown }).forEach === "function") {
    (input as unknown as Headers).forEach((value, name) => {
      add(headers, name, value, framing);
    });
    return headers;
  }
  for (const name of Object.keys(input)) {
    const value = (input as Record<string, unknown>)[name];
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const each of value) add(headers, name, each, framing);
    else add(headers, name, value, framing);
  }
  return headers;
}

/** A copy of `headers`, which its maker may add to. */
export function copyOfHeaders(headers: RequestHeaders): Record<string, string> {
  const copy: Record<string, string> = new HeaderMap();
  for (const name in headers) copy[name] = headers[name] as string;
  return copy;
}

/** A copy of `headers`, with `others` over them. All names are in lower case. */
export function headersWith(headers: RequestHeaders, others: Readonly<Record<string, string>>): RequestHeaders {
  const copy = copyOfHeaders(headers);
  for (const name in others) copy[name] = others[name] as string;
  return copy;
}

/** Why a program may not set this header of a request; `undefined` where it may. A message does not show the value, which may be a credential. */
export function headerFault(name: string, value?: string): string | undefined {
  if (!tokenName.test(name)) return "is not a valid header name";
  if (ownedByTheMesh.has(name.toLowerCase())) return "is a header of the connection, of the body's framing, or of the mesh's own";
  if (value !== undefined && !fieldValue.test(value)) return "has a value with characters that a header cannot carry";
  return undefined;
}

/** Strips the white space of HTTP from both ends; `trim` would strip characters that are part of a value. */
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

function add(headers: Record<string, string>, name: string, given: unknown, framing: GivenFraming | undefined): void {
  // A whole line in the place of a name may hold a credential.
  if (!tokenName.test(name)) throw new TypeError(`headers: ${quoted(name.split(":")[0])} is not a valid header name`);
  // A template throws for a symbol, which `String` would turn into text.
  const value = trimmed(`${given}`);
  // The value may be a credential: it is not quoted.
  if (!fieldValue.test(value)) throw new TypeError(`headers: the value of "${name}" has characters that a header cannot carry`);
  const key = name.toLowerCase();
  if (ownedByTheMesh.has(key)) {
    if (framing !== undefined && key === "content-length")
      framing.contentLength = framing.contentLength === undefined ? value : `${framing.contentLength}, ${value}`;
    return;
  }
  const known = headers[key];
  headers[key] = known === undefined ? value : `${known}${key === "cookie" ? "; " : ", "}${value}`;
}
