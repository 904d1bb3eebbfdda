import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { type GivenFraming, requestHeaders } from "../core/http/request-headers.ts";
import { meshRequest } from "../core/mesh-request.ts";
import type { Receiver, Send } from "../core/stages/stage.ts";
import { quoted } from "../core/text/clean-text.ts";
import { isUrl, tagOf } from "./brands.ts";
import { checkCallOptions } from "./call-options.ts";
import { CallerStream, letGoOf } from "./caller-stream.ts";
import { wholeOf } from "./read-ahead.ts";
import { requestInit } from "./read-request.ts";
import { type BodyInput, type ExtractedBody, extractBody } from "./request-body.ts";
import type { FetchTarget, MeshRequestInit } from "./request-init.ts";
import { parseTarget } from "./target.ts";

/** A call, read from its arguments and checked. */
export interface Call {
  readonly request: MeshRequest;
  readonly signal: AbortSignal | undefined;
  /** `within`: `follow`, but a redirect that leads out of the service is a response. */
  readonly redirect: "manual" | "error" | "follow" | "within";
  /** Ends the streams of the request's body. */
  readonly letGo: ((reason: unknown) => void) | undefined;
}

/**
 * Reads the arguments of `mesh.fetch` and `mesh.request`. Returns a promise only for the body of a `Request`, which is read ahead, and for a stream
 * of zero bytes. Where it throws, a stream given as body is let go.
 * @throws MeshError `ERR_MESH_INVALID_TARGET`, TypeError or RangeError for a wrong init, the reason of a signal that is aborted.
 */
export function readCall(input: FetchTarget, given: MeshRequestInit | null): Call | Promise<Call> {
  try {
    return readArguments(input, given);
  } catch (error) {
    letGoOf(given?.body ?? (input as Partial<Request> | null | undefined)?.body, error);
    throw error;
  }
}

function readArguments(input: FetchTarget, given: MeshRequestInit | null): Call | Promise<Call> {
  const url = typeof input === "string" ? input : isUrl(input) ? input.href : undefined;
  const init = url === undefined ? requestInit(input as Request, given ?? {}) : (given ?? {});
  const { service, path, requiresTls } = parseTarget(url ?? (input as Request).url);
  const signal = signalOf(init.signal);
  const method = methodOf(init.method);
  const hasBody = init.body !== undefined && init.body !== null;
  const framing: GivenFraming | undefined = hasBody && typeof init.body !== "string" ? {} : undefined;
  const headers = requestHeaders(init.headers, framing);
  if (hasBody && (method === "GET" || method === "HEAD")) throw new TypeError(`a ${method} request cannot have a body`);
  // A `Request` says `follow` where its maker chose nothing: what cannot be followed is the response then, as without a Request.
  const redirect = init.redirect === "follow" && url === undefined && given?.redirect === undefined ? "within" : redirectOf(init.redirect);
  if (init.mesh !== undefined) checkCallOptions(init.mesh);
  // "Abort a fetch() call" of the Fetch standard.
  if (signal?.aborted) throw signal.reason;
  const options = init.mesh;
  if (!hasBody)
    return {
      request: meshRequest({ service, path, requiresTls, method, headers, body: undefined, options }),
      signal,
      redirect,
      letGo: undefined,
    };
  const callWith = ({ body, contentType, length, letGo }: ExtractedBody): Call => {
    if (contentType !== undefined) headers["content-type"] ??= contentType;
    if (length !== undefined) headers["content-length"] = String(length);
    return { request: meshRequest({ service, path, requiresTls, method, headers, body, options }), signal, redirect, letGo };
  };
  const extracted = extractBody(init.body as BodyInput, init.duplex, framing?.contentLength);
  const { body, length } = extracted;
  if (!(body instanceof CallerStream) || (url !== undefined && length !== 0)) return callWith(extracted);
  return wholeOf(extracted).then(callWith);
}

/**
 * Sends a request. The caller's signal cancels it until the response body has closed; `letGo` is called when the call has failed, or that body has
 * closed.
 */
export function sendCall(send: Send, { request, signal, letGo }: Omit<Call, "redirect">, receiver: Receiver): void {
  if (signal === undefined && letGo === undefined) {
    send(request, receiver);
    return;
  }
  // It may have been aborted while a body was read ahead, or between two redirects.
  if (signal?.aborted) {
    letGo?.(signal.reason);
    receiver.failed(signal.reason);
    return;
  }
  const abort = () => request.cancellation.cancel(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  const forget = (reason: unknown) => {
    signal?.removeEventListener("abort", abort);
    letGo?.(reason);
  };
  send(request, {
    answered(response: MeshResponse) {
      response.body.onClose(forget);
      receiver.answered(response);
    },
    failed(error) {
      forget(error);
      receiver.failed(error);
    },
  });
}

function signalOf(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal === null) return undefined;
  if (typeof signal === "object" && "aborted" in signal && "addEventListener" in signal) return signal as AbortSignal;
  throw new TypeError(`signal: a value of the class ${tagOf(signal)} is not an AbortSignal`);
}

function redirectOf(redirect: string = "manual"): Call["redirect"] {
  if (redirect === "manual" || redirect === "error" || redirect === "follow") return redirect;
  throw new TypeError(`redirect: ${quoted(redirect)} is neither "manual", "error" nor "follow"`);
}

const normalizedMethods: ReadonlySet<string> = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]);
const tokenMethod = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function methodOf(method = "GET"): string {
  if (normalizedMethods.has(method)) return method;
  if (typeof method !== "string") throw new TypeError(`method: ${String(method)} is not a string`);
  const upper = method.toUpperCase();
  // The forbidden methods of the Fetch standard.
  if (!tokenMethod.test(method) || upper === "CONNECT" || upper === "TRACE" || upper === "TRACK")
    throw new TypeError(`method: ${quoted(method)} is not allowed`);
  // The standard normalizes only the six above: it sends `patch` as it is, which nearly every server refuses.
  return normalizedMethods.has(upper) || upper === "PATCH" || upper === "QUERY" ? upper : method;
}
