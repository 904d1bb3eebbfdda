import type { Dispatch, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { isMeshError } from "../core/errors.ts";
import type { RequestBody } from "../core/http/body.ts";
import { type GivenFraming, requestHeaders } from "../core/http/request-headers.ts";
import { meshRequest } from "../core/mesh-request.ts";
import { isNodeStream } from "../fetch/brands.ts";
import { letGoOf } from "../fetch/caller-stream.ts";
import { wholeOf } from "../fetch/read-ahead.ts";
import { withServiceLocation } from "../fetch/redirect.ts";
import { type ExtractedBody, extractBody } from "../fetch/request-body.ts";
import { parseOrigin } from "../fetch/target.ts";
import type { AnyDispatcher } from "../wire/undici/any-dispatcher.ts";
import {
  type Agent,
  Dispatcher,
  type DispatchHandler,
  type DispatchOptions,
  errors,
  loadAgent,
  loadMethods,
} from "../wire/undici/undici.ts";
import type { Upgraded } from "../wire/upgrade-handler.ts";
import { Delivery } from "./delivery.ts";
import { bodyOf, callOptionsOf, checkDispatch, checkedContentType, checkHandler, headerPairs, withQuery } from "./dispatch-options.ts";
import { type DispatchSink, sinkOf } from "./dispatch-sink.ts";
import { outsideHandler } from "./outside-handler.ts";
import { checkedWebSocketLimits, type WebSocketLimits } from "./web-socket-limits.ts";

export type { AnyDispatcher, Dispatcher, WebSocketLimits };

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
  /** The limits of a `WebSocket` over the dispatcher. */
  readonly webSocket?: WebSocketLimits;
}

/**
 * The mesh as an undici `Dispatcher`: the host of each request is the service. After `setGlobalDispatcher(mesh.dispatcher())`, plain
 * `fetch("http://users/42")` of Node and of undici goes through the mesh, and so do `request`, `stream`, `pipeline` and `WebSocket`. The body
 * of a `fetch` is a stream: it can be sent to another instance only while nothing of it has been read.
 */
export class MeshDispatcher extends Dispatcher {
  readonly #target: DispatcherTarget;
  readonly #passThrough: ((origin: string) => boolean) | undefined;
  /** Read by undici's `WebSocket`, and by that of Node. */
  readonly webSocketOptions: Required<WebSocketLimits>;
  /** Requests whose handlers have not been told an end. */
  readonly #open = new Set<Delivery>();
  /** With `passThrough`. */
  readonly #agentClass: ReturnType<typeof loadAgent> | undefined = undefined;
  #outside: Agent | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;
  #isDestroyed = false;

  constructor(target: DispatcherTarget, { passThrough, webSocket = {} }: DispatcherOptions = {}) {
    super();
    // Now, and not at the first call: files cannot be read in a process that has run out of descriptors.
    Object.assign(MeshDispatcher.prototype, loadMethods());
    this.#target = target;
    this.#passThrough = passThrough;
    if (passThrough !== undefined) this.#agentClass = loadAgent();
    this.webSocketOptions = checkedWebSocketLimits(webSocket);
    // undici's `compose` makes a proxy, on which methods are called that have no private fields there.
    this.close = this.close.bind(this);
    this.destroy = this.destroy.bind(this);
  }

  /** Whether {@link close} or {@link destroy} has been called. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Whether {@link destroy} has been called, or the dispatcher has been closed. */
  get destroyed(): boolean {
    return this.#isDestroyed;
  }

  override dispatch(options: DispatchOptions, handler: DispatchHandler): boolean {
    if (typeof handler !== "object" || handler === null) throw new errors.InvalidArgumentError("handler must be an object");
    try {
      return this.#dispatch(options, handler);
    } catch (error) {
      refuse(handler, error);
      return false;
    }
  }

  override close(callback?: () => void): Promise<void> {
    checkCallback(callback);
    if (this.#isDestroyed) return told(Promise.reject(new errors.ClientDestroyedError()), callback);
    this.#closing ??= Promise.all([this.#target.close(), this.#outside?.close()]).then(() => {
      this.#isDestroyed = true;
    });
    return told(this.#closing, callback);
  }

  /** Ends the requests of this dispatcher with the error, and closes it. */
  override destroy(...given: readonly unknown[]): Promise<void> {
    const [error] = given;
    const callback = given.find((each) => typeof each === "function") as (() => void) | undefined;
    if (given.length === 2) checkCallback(given[1]);
    const reason = typeof error === "function" ? undefined : error;
    for (const delivery of [...this.#open]) delivery.abort(reason ?? new errors.ClientDestroyedError());
    const outside = this.#outside?.destroy((reason ?? null) as Error | null);
    this.#closing ??= Promise.all([this.#target.close(), outside]).then(() => {});
    this.#isDestroyed = true;
    return told(this.#closing, callback);
  }

  #dispatch(options: DispatchOptions, handler: DispatchHandler): boolean {
    if (typeof options !== "object" || options === null) throw new errors.InvalidArgumentError("opts must be an object.");
    if (this.#isDestroyed) throw new errors.ClientDestroyedError();
    if (this.#closing !== undefined) throw new errors.ClientClosedError();
    const origin = String(options.origin ?? "").replace(/\/$/, "");
    const isOutside = this.#passThrough;
    if (isOutside?.(origin) && this.#agentClass !== undefined) {
      this.#outside ??= new this.#agentClass();
      return this.#outside.dispatch({ ...options, origin }, outsideHandler(handler, `${origin}${options.path}`, isOutside));
    }
    checkDispatch(options);
    const isUpgrade = Boolean(options.upgrade) || options.method === "CONNECT";
    checkHandler(handler, isUpgrade);
    const headers = headerPairs(options.headers);
    const path = withQuery(options.path, options.query);
    const sink = sinkOf(handler);
    const delivery = new Delivery(sink, (each) => this.#open.delete(each));
    this.#open.add(delivery);
    delivery.start();
    if (delivery.isDone) letGoOf(options.body, delivery.cancellation.reason);
    else void this.#send({ ...options, origin, path, headers }, delivery, sink);
    return true;
  }

  async #send(options: ReadOptions, delivery: Delivery, sink: DispatchSink): Promise<void> {
    const { origin } = options;
    let body: ExtractedBody = { body: undefined };
    try {
      if (options.method === "CONNECT") throw new errors.NotSupportedError("the mesh makes no tunnels: CONNECT names no service");
      const framing: GivenFraming = {};
      const headers = requestHeaders(options.headers, framing);
      const { service, path, requiresTls } = parseOrigin(origin, options.path);
      body = await requestBodyOf(options, framing);
      if (body.contentType !== undefined) headers["content-type"] ??= checkedContentType(body.contentType);
      if (body.length !== undefined) headers["content-length"] = String(body.length);
      const { cancellation } = delivery;
      const parts = { service, path, requiresTls, method: options.method, headers, body: body.body };
      const request = meshRequest({ ...parts, options: callOptionsOf(options), cancellation, transfer: delivery });
      if (cancellation.cancelled) throw cancellation.reason;
      if (options.upgrade) {
        const { status, headers: lines, socket } = await this.#target.upgrade(request, String(options.upgrade));
        if (delivery.isDone) socket.destroy();
        delivery.upgraded(() => sink.upgrade(status, lines, socket));
      } else {
        await pass(await this.#target.dispatch(request), delivery, sink, origin);
      }
      body.letGo?.(undefined);
    } catch (error) {
      letGoOf(options.body, error);
      body.letGo?.(error);
      delivery.fail(error);
    }
  }
}

/** Options that have been read: the path with its query, the headers as pairs. */
type ReadOptions = DispatchOptions & { readonly origin: string; readonly headers: [string, string][] };

/** Tells a handler of a request that is refused; throws where it cannot be told. */
function refuse(handler: object, error: unknown): void {
  const { onError, onRequestStart, onResponseError } = handler as Readonly<Record<string, unknown>>;
  if (typeof (onRequestStart === undefined ? onError : onResponseError) !== "function") throw error;
  sinkOf(handler).error(error as Error);
}

function checkCallback(callback: unknown): void {
  if (callback !== undefined && typeof callback !== "function") throw new errors.InvalidArgumentError("invalid callback");
}

/** The promise, whose end is told to the callback as well. */
function told(promise: Promise<void>, callback: ((error?: unknown) => void) | undefined): Promise<void> {
  if (callback === undefined) return promise;
  return promise.then(
    () => callback(null),
    (error: unknown) => callback(error),
  );
}

/** Passes a response to a handler of undici, at its pace, until the handler has had enough. */
async function pass(response: MeshResponse, delivery: Delivery, sink: DispatchSink, origin: string): Promise<void> {
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
    return opening && Promise.race([opening, failed, delivery.aborted]);
  };
  try {
    // All of a response that has arrived whole is told in one go, as by undici: its interceptors rely on it.
    const whole = body.complete ? await body.bytes() : undefined;
    if (delivery.isDone) throw delivery.cancellation.reason;
    sink.head(response.status, withServiceLocation(response, origin), response.statusText);
    if (sink.ready() !== undefined) await ready();
    if (whole === undefined) {
      for await (const chunk of body.stream()) {
        if (delivery.isDone) break;
        sink.data(chunk);
        if (sink.ready() !== undefined) await ready();
      }
    } else if (whole.byteLength > 0 && !delivery.isDone) {
      sink.data(whole);
      if (sink.ready() !== undefined) await ready();
    }
  } catch (error) {
    // An error of the handler cancels the body; an error of the body is passed on.
    body.cancel(error);
    throw isMeshError(bodyError) ? bodyError : error;
  }
  delivery.end(body.trailers);
}

/**
 * The body of a request. A `fetch` makes a generator of whatever it was given, and tells the length where that was whole: it is read ahead, so that
 * it can be sent again.
 */
async function requestBodyOf(options: DispatchOptions, { contentLength }: GivenFraming): Promise<ExtractedBody> {
  const body = bodyOf(options.body);
  if (body === undefined) return { body: undefined };
  const extracted = extractBody(body, "half", contentLength);
  checkLength(extracted.body, contentLength);
  const isRead = extracted.length !== undefined && (extracted.length === 0 || !isNodeStream(body as object));
  return isRead ? wholeOf(extracted) : extracted;
}

/** A body that is given whole has to have the length that its caller says: an instance would wait for the rest, or take it for another request. */
function checkLength(body: RequestBody, contentLength: string | undefined): void {
  if (contentLength === undefined || body === undefined) return;
  let length: number | undefined;
  if (typeof body === "string") length = Buffer.byteLength(body);
  else if (body instanceof Blob) length = body.size;
  else if (ArrayBuffer.isView(body)) length = body.byteLength;
  if (length !== undefined && length > 0 && length !== Number(contentLength)) throw new errors.RequestContentLengthMismatchError();
}
