import { type ParsedUrlQueryInput, stringify } from "node:querystring";
import { Cancellation } from "../core/cancellation.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { isMeshError } from "../core/errors.ts";
import { type GivenFraming, type HeadersInput, requestHeaders } from "../core/http/request-headers.ts";
import { meshRequest } from "../core/mesh-request.ts";
import { isNodeStream } from "../fetch/brands.ts";
import { wholeOf } from "../fetch/read-ahead.ts";
import { type BodyInput, type ExtractedBody, extractBody } from "../fetch/request-body.ts";
import { parseTarget } from "../fetch/target.ts";
import type { Upgraded } from "../wire/transport.ts";
import type { AnyDispatcher } from "../wire/undici/any-dispatcher.ts";
import { Agent, Dispatcher, type DispatchHandler, type DispatchOptions, dispatcherMethods } from "../wire/undici/undici.ts";
import { type DispatchSink, sinkOf } from "./dispatch-sink.ts";

export type { AnyDispatcher, Dispatcher };

/** The mesh, as far as a {@link MeshDispatcher} uses it. */
export interface DispatcherTarget {
  readonly dispatch: Dispatch;
  /** Upgrades a connection to an instance to another protocol. */
  upgrade(request: MeshRequest, protocol: string): Promise<Upgraded>;
  /** Waits for calls in flight and releases everything. */
  close(): Promise<void>;
}

/** Options of `mesh.dispatcher`. */
export interface DispatcherOptions {
  /**
   * Whether requests to this origin (`http://host:port`) bypass the mesh: they go through an undici `Agent`. Without this option, every host
   * is a service, and a host that is no service name is an error.
   */
  readonly passThrough?: (origin: string) => boolean;
}

/**
 * The mesh as an undici `Dispatcher`: the host of each request is the service. After `setGlobalDispatcher(mesh.dispatcher())`, plain
 * `fetch("http://users/42")` of Node and of undici goes through the mesh, and so do `request`, `stream`, `pipeline` and `WebSocket`. The body
 * of a `fetch` is a stream: it can be sent to another instance only while nothing of it has been read.
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
    const framing: GivenFraming = {};
    const headers = requestHeaders(headersOf(options.headers), framing);
    const body = await requestBodyOf(options, framing);
    if (body.contentType !== undefined) headers["content-type"] ??= body.contentType;
    if (body.length !== undefined) headers["content-length"] = String(body.length);
    const callOptions = typeof options.idempotent === "boolean" ? { idempotent: options.idempotent } : undefined;
    const request = meshRequest({ service, path, method: options.method, headers, body: body.body, options: callOptions, cancellation });
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

/** Passes a response to a handler of undici, at its pace. */
async function pass(response: MeshResponse, sink: DispatchSink): Promise<void> {
  const { body } = response;
  let bodyError: unknown;
  // A handler that is paused gets the error of the body, too.
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
    // An error of the handler cancels the body; an error of the body is passed on.
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

/**
 * The body of a request. A `fetch` makes a generator of whatever it was given, and tells the length where that was whole: it is read ahead, so that
 * it can be sent again.
 */
async function requestBodyOf({ body }: DispatchOptions, { contentLength }: GivenFraming): Promise<ExtractedBody> {
  if (body === undefined || body === null) return { body: undefined };
  const extracted = extractBody(bodyOf(body), "half", contentLength);
  const isRead = extracted.length !== undefined && (extracted.length === 0 || !isNodeStream(body as object));
  return isRead ? wholeOf(extracted) : extracted;
}

const iterableForms: ReadonlySet<string> = new Set(["[object FormData]", "[object URLSearchParams]"]);

/** A body as the edge takes it: undici also takes synchronous iterables. */
function bodyOf(body: NonNullable<DispatchOptions["body"]> | Iterable<Uint8Array | string>): BodyInput {
  const isPlain = typeof body === "string" || ArrayBuffer.isView(body) || iterableForms.has(Object.prototype.toString.call(body));
  if (isPlain || Symbol.asyncIterator in body || !(Symbol.iterator in body)) return body as BodyInput;
  return (async function* () {
    yield* body as Iterable<Uint8Array | string>;
  })();
}

/** Headers as the edge takes them; undici's forms are names and values in turn, pairs, and a record. */
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
