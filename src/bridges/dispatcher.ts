import { type ParsedUrlQueryInput, stringify } from "node:querystring";
import { Cancellation } from "../core/cancellation.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { isMeshError } from "../core/errors.ts";
import { type HeadersInput, requestHeaders } from "../core/http/request-headers.ts";
import { meshRequest } from "../core/mesh-request.ts";
import { type BodyInput, extractBody } from "../fetch/request-body.ts";
import { parseTarget } from "../fetch/target.ts";
import type { Upgraded } from "../wire/transport.ts";
import { Agent, Dispatcher, type DispatchHandler, type DispatchOptions, dispatcherMethods } from "../wire/undici/undici.ts";
import { type DispatchSink, sinkOf } from "./dispatch-sink.ts";

export type { Dispatcher };

/** The part of a mesh that {@link MeshDispatcher} uses. */
export interface DispatcherTarget {
  readonly dispatch: Dispatch;
  /** Sends an upgrade to an instance. */
  upgrade(request: MeshRequest, protocol: string): Promise<Upgraded>;
  /** Waits for calls in flight and releases everything. */
  close(): Promise<void>;
}

/** Options of `mesh.dispatcher`. */
export interface DispatcherOptions {
  /**
   * Returns whether requests to an origin (`http://host:port`) leave the mesh and go through an undici `Agent`.
   * @default none do: every host is a service, and a request whose host is no service name fails
   */
  readonly passThrough?: (origin: string) => boolean;
}

/**
 * The mesh as an undici `Dispatcher`: the host of each request is the service. `setGlobalDispatcher(mesh.dispatcher())` puts plain
 * `fetch("http://users/42")` on the mesh, Node's own as well as undici's, and so `request`, `stream`, `pipeline` and `WebSocket`.
 * A body that `fetch` gives is a stream: it can be sent to another instance only while nothing of it was read.
 */
export class MeshDispatcher extends Dispatcher {
  readonly #target: DispatcherTarget;
  readonly #passThrough: ((origin: string) => boolean) | undefined;
  #outside: Agent | undefined = undefined;

  constructor(target: DispatcherTarget, { passThrough }: DispatcherOptions = {}) {
    super();
    this.#target = target;
    this.#passThrough = passThrough;
  }

  override dispatch(options: DispatchOptions, handler: DispatchHandler): boolean {
    const origin = String(options.origin ?? "").replace(/\/$/, "");
    if (this.#passThrough?.(origin)) {
      this.#outside ??= new Agent();
      return this.#outside.dispatch({ ...options, origin }, handler);
    }
    const sink = sinkOf(handler);
    const cancellation = new Cancellation();
    try {
      sink.start((reason) => cancellation.cancel(reason ?? new DOMException("The request was aborted", "AbortError")));
    } catch (error) {
      sink.error(error as Error);
      return true;
    }
    this.#send(options, origin, cancellation, sink).catch((error: unknown) =>
      sink.error(error instanceof Error ? error : new Error(String(error))),
    );
    return true;
  }

  override close(callback?: () => void): Promise<void> {
    const closing = Promise.all([this.#target.close(), this.#outside?.close()]).then(() => {});
    if (callback !== undefined) void closing.then(callback, callback);
    return closing;
  }

  override destroy(...given: readonly unknown[]): Promise<void> {
    return this.close(given.find((each) => typeof each === "function") as (() => void) | undefined);
  }

  async #send(options: DispatchOptions, origin: string, cancellation: Cancellation, sink: DispatchSink): Promise<void> {
    const { service, path } = parseTarget(`${origin}${withQuery(options.path, options.query)}`);
    const given = headersOf(options.headers);
    const headers = requestHeaders(given);
    const body = options.body === undefined || options.body === null ? undefined : await extractBody(bodyOf(options.body), "half");
    if (body?.contentType !== undefined) headers["content-type"] ??= body.contentType;
    // A stream with a length, which `fetch` gives, is not sent in chunks.
    const length = isStream(body?.body) ? lengthIn(given) : undefined;
    if (length !== undefined) headers["content-length"] = length;
    const callOptions = typeof options.idempotent === "boolean" ? { idempotent: options.idempotent } : undefined;
    const request = meshRequest({ service, path, method: options.method, headers, body: body?.body, options: callOptions, cancellation });
    if (cancellation.cancelled) throw cancellation.reason;
    if (options.upgrade) {
      const { status, headers: lines, socket } = await this.#target.upgrade(request, String(options.upgrade));
      sink.upgrade(status, lines, socket);
      return;
    }
    await pass(await this.#target.dispatch(request), sink);
  }
}

Object.assign(MeshDispatcher.prototype, dispatcherMethods);

/** Passes a response on to an undici handler, with backpressure. */
async function pass(response: MeshResponse, sink: DispatchSink): Promise<void> {
  const { body } = response;
  let bodyError: unknown;
  // A handler that has paused for good is told of an error, too.
  const failed = new Promise<never>((_resolve, reject) => {
    body.onClose((error) => {
      bodyError = error;
      if (error !== undefined) reject(error);
    });
  });
  failed.catch(() => {});
  const ready = () => {
    const opening = sink.ready();
    return opening && Promise.race([opening, failed]);
  };
  try {
    sink.head(response.status, response.headers, response.statusText);
    await ready();
    if (body.complete) {
      const bytes = await body.bytes();
      if (bytes.byteLength > 0) sink.data(bytes);
    } else {
      for await (const chunk of body.stream()) {
        sink.data(chunk);
        await ready();
      }
    }
  } catch (error) {
    // An error that the handler throws cancels the body; an error of the body is passed on.
    body.cancel(error);
    throw isMeshError(bodyError) ? bodyError : error;
  }
  sink.end(body.trailers);
}

function withQuery(path: string, query: DispatchOptions["query"]): string {
  const text = query ? stringify(query as ParsedUrlQueryInput) : "";
  if (text === "") return path;
  if (/[?#]/.test(path)) throw new TypeError('query: the path has a "?" or "#" already');
  return `${path}?${text}`;
}

const iterableForms: ReadonlySet<string> = new Set(["[object FormData]", "[object URLSearchParams]"]);

/** Makes an async iterable of a plain one, which undici takes, too. */
function bodyOf(body: NonNullable<DispatchOptions["body"]> | Iterable<Uint8Array | string>): BodyInput {
  const isPlain = typeof body === "string" || ArrayBuffer.isView(body) || iterableForms.has(Object.prototype.toString.call(body));
  if (isPlain || Symbol.asyncIterator in body || !(Symbol.iterator in body)) return body as BodyInput;
  return (async function* () {
    yield* body as Iterable<Uint8Array | string>;
  })();
}

function isStream(body: unknown): boolean {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

function lengthIn(headers: HeadersInput | undefined): string | undefined {
  if (headers === undefined) return undefined;
  const entries: Iterable<readonly unknown[]> = Symbol.iterator in headers ? headers : Object.entries(headers);
  for (const [name, value] of entries) {
    if (String(name).toLowerCase() === "content-length" && /^\d+$/.test(String(value))) return String(value);
  }
  return undefined;
}

/** Reads undici's forms of headers: names and values in turn, pairs, or a record. */
function headersOf(headers: DispatchOptions["headers"]): HeadersInput | undefined {
  if (headers === undefined || headers === null) return undefined;
  if (!Array.isArray(headers) || Array.isArray(headers[0])) return headers as HeadersInput;
  const pairs: [string, string][] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const value: unknown = headers[index + 1];
    for (const each of Array.isArray(value) ? value : [value]) pairs.push([String(headers[index]), String(each)]);
  }
  return pairs;
}
