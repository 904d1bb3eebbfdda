import { stringify } from "node:querystring";
import type { CallOptions } from "../core/dispatch.ts";
import { isBlob, isNodeStream, tagOf } from "../fetch/brands.ts";
import type { BodyInput } from "../fetch/request-body.ts";
import { type DispatchOptions, errors } from "../wire/undici/undici.ts";

const { InvalidArgumentError, NotSupportedError } = errors;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Headers that undici refuses in a request, since they are the connection's. */
const refused: ReadonlySet<string> = new Set(["transfer-encoding", "keep-alive", "upgrade"]);

/**
 * Checks what undici checks of a request, in undici's words.
 * @throws InvalidArgumentError, NotSupportedError of undici.
 */
export function checkDispatch(options: DispatchOptions): void {
  const { path, method, upgrade, headersTimeout, bodyTimeout, reset, idempotent, expectContinue, throwOnError, maxRedirections } =
    options as unknown as Readonly<Record<string, unknown>>;
  if (typeof path !== "string") throw new InvalidArgumentError("path must be a string");
  if (path[0] !== "/" && method !== "CONNECT") throw new InvalidArgumentError("path must be an absolute URL or start with a slash");
  if (/[^\u0021-\u00ff]/.test(path)) throw new InvalidArgumentError("invalid request path");
  if (typeof method !== "string") throw new InvalidArgumentError("method must be a string");
  if (!token.test(method)) throw new InvalidArgumentError("invalid request method");
  if (upgrade && typeof upgrade !== "string") throw new InvalidArgumentError("upgrade must be a string");
  if (upgrade && !isHeaderValue(upgrade as string)) throw new InvalidArgumentError("invalid upgrade header");
  for (const [name, value] of Object.entries({ headersTimeout, bodyTimeout })) {
    if (value !== undefined && value !== null && !(Number.isFinite(value) && (value as number) >= 0))
      throw new InvalidArgumentError(`invalid ${name}`);
  }
  for (const [name, value] of Object.entries({ reset, idempotent, expectContinue })) {
    if (value !== undefined && value !== null && typeof value !== "boolean") throw new InvalidArgumentError(`invalid ${name}`);
  }
  if (throwOnError !== undefined && throwOnError !== null) throw new InvalidArgumentError("invalid throwOnError");
  if (maxRedirections) throw new InvalidArgumentError("maxRedirections is not supported, use the redirect interceptor");
}

/** Checks that a handler can be told of a response. */
export function checkHandler(handler: object, isUpgrade: boolean): void {
  const methods = handler as Readonly<Record<string, unknown>>;
  if (typeof methods["onRequestStart"] === "function") return;
  const { onBodySent } = methods;
  if (onBodySent !== undefined && typeof onBodySent !== "function") throw new InvalidArgumentError("invalid onBodySent method");
  for (const name of ["onConnect", "onError", ...(isUpgrade ? ["onUpgrade"] : ["onHeaders", "onData", "onComplete"])])
    if (typeof methods[name] !== "function") throw new InvalidArgumentError(`invalid ${name} method`);
}

/** The headers of a request as pairs. undici's forms are names and values in turn, pairs, and a record; `null` is an empty value. */
export function headerPairs(headers: unknown): [string, string][] {
  if (headers === undefined || headers === null) return [];
  const pairs: [string, string][] = [];
  if (Array.isArray(headers)) {
    if (headers.length % 2 !== 0) throw new InvalidArgumentError("headers array must be even");
    for (let index = 0; index < headers.length; index += 2) addHeader(pairs, headers[index], headers[index + 1]);
  } else if (typeof headers !== "object") {
    throw new InvalidArgumentError("headers must be an object or an array");
  } else if (hasOwnKindOfIterator(headers)) {
    for (const pair of headers as Iterable<unknown>) {
      if (!Array.isArray(pair) || pair.length !== 2) throw new InvalidArgumentError("headers must be in key-value pair format");
      addHeader(pairs, pair[0], pair[1]);
    }
  } else {
    for (const name of Object.keys(headers)) addHeader(pairs, name, (headers as Readonly<Record<string, unknown>>)[name]);
  }
  return pairs;
}

/** Whether an object can be iterated, and not just because `Object.prototype` has been made iterable. */
function hasOwnKindOfIterator(headers: object): boolean {
  const { [Symbol.iterator]: iterator } = headers as Partial<Iterable<unknown>>;
  return typeof iterator === "function" && iterator !== (Object.prototype as Partial<Iterable<unknown>>)[Symbol.iterator];
}

function addHeader(pairs: [string, string][], given: unknown, value: unknown): void {
  const name = String(given);
  const key = name.toLowerCase();
  if (value === undefined) return;
  if (!token.test(name)) throw new InvalidArgumentError("invalid header key");
  if (refused.has(key)) throw new InvalidArgumentError(`invalid ${key} header`);
  if (key === "expect") throw new NotSupportedError("expect header not supported");
  const isSingle = key === "host" || key === "content-length";
  if (isSingle && pairs.some(([other]) => other.toLowerCase() === key)) throw new InvalidArgumentError(`duplicate ${key} header`);
  if (Array.isArray(value) && (isSingle || key === "connection")) throw new InvalidArgumentError(`invalid ${key} header`);
  for (const each of Array.isArray(value) ? value : [value]) {
    // A template throws for a symbol, and for a function or an object undici has its own words.
    if (typeof each === "object" && each !== null) throw new InvalidArgumentError(`invalid ${name} header`);
    const text = each === null ? "" : `${each as string}`;
    if (!isHeaderValue(text)) throw new InvalidArgumentError(`invalid ${name} header`);
    if (key === "content-length" && !/^\d+$/.test(text)) throw new InvalidArgumentError("invalid content-length header");
    if (key === "connection" && !text.split(",").every((option) => token.test(option.trim())))
      throw new InvalidArgumentError("invalid connection header");
    pairs.push([name, text]);
  }
}

function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/** The content type that a body says of itself; that of a subclass of `Blob` may be anything. */
export function checkedContentType(type: string): string {
  if (!isHeaderValue(type)) throw new InvalidArgumentError("invalid content-type header");
  return type;
}

/** The options of the call that a request of undici says. Its limit for the head of the response is that of an attempt, 0 none. */
export function callOptionsOf({ idempotent, headersTimeout }: DispatchOptions): CallOptions {
  return {
    ...(typeof idempotent === "boolean" && { idempotent }),
    ...(typeof headersTimeout === "number" && { attemptTimeoutMs: headersTimeout > 0 && headersTimeout }),
  };
}

/** The path with the query of the options. */
export function withQuery(path: string, query: unknown): string {
  if (query === undefined || query === null) return path;
  if (/[?#]/.test(path)) throw new InvalidArgumentError('Query params cannot be passed when url already contains "?" or "#".');
  const text = stringify(query as Parameters<typeof stringify>[0]);
  return text === "" ? path : `${path}?${text}`;
}

const wholeForms: ReadonlySet<string> = new Set(["ArrayBuffer", "FormData", "URLSearchParams"]);

/** A body as the edge takes it: undici also takes synchronous iterables. */
export function bodyOf(body: unknown): BodyInput | undefined {
  if (body === undefined || body === null) return undefined;
  const isPlain =
    typeof body === "string" || typeof body === "function" || ArrayBuffer.isView(body) || wholeForms.has(tagOf(body)) || isBlob(body);
  if (isPlain || (typeof body === "object" && (Symbol.asyncIterator in body || isNodeStream(body)))) return body as BodyInput;
  if (typeof body !== "object" || !(Symbol.iterator in body))
    throw new InvalidArgumentError("body must be a string, a Buffer, a Readable stream, an iterable, or an async iterable");
  return (async function* () {
    yield* body as Iterable<Uint8Array | string>;
  })();
}
