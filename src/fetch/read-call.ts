import type { Dispatch, MeshRequest } from "../core/dispatch.ts";
import { requestHeaders } from "../core/http/request-headers.ts";
import { meshRequest } from "../core/mesh-request.ts";
import { quoted } from "../core/text/clean-text.ts";
import { checkCallOptions } from "./call-options.ts";
import { type BodyInput, type ExtractedBody, extractBody } from "./request-body.ts";
import type { FetchTarget, MeshRequestInit } from "./request-init.ts";
import { parseTarget } from "./target.ts";

/** A call, read from its arguments and checked. */
export interface Call {
  readonly request: MeshRequest;
  readonly signal: AbortSignal | undefined;
  readonly redirect: "manual" | "error" | "follow";
}

/**
 * Reads the arguments of `mesh.fetch` and `mesh.request`. Returns a promise only for a form as body, which is encoded asynchronously.
 * @throws MeshError `ERR_MESH_INVALID_TARGET`, TypeError or RangeError for a wrong init, the reason of a signal that is aborted.
 */
export function readCall(input: FetchTarget, given: MeshRequestInit | null): Call | Promise<Call> {
  const init = typeof input === "string" || input instanceof URL ? (given ?? {}) : initOf(input, given ?? {});
  const { service, path, requiresTls } = parseTarget(typeof input === "string" ? input : input instanceof URL ? input.href : input.url);
  const signal = signalOf(init.signal);
  const method = methodOf(init.method);
  const headers = requestHeaders(init.headers);
  const hasBody = init.body !== undefined && init.body !== null;
  if (hasBody && (method === "GET" || method === "HEAD")) throw new TypeError(`a ${method} request cannot have a body`);
  const redirect = redirectOf(init.redirect);
  if (init.mesh !== undefined) checkCallOptions(init.mesh);
  if (signal?.aborted) throw abandoned(init.body, signal);
  if (!hasBody)
    return { request: meshRequest({ service, path, requiresTls, method, headers, body: undefined, options: init.mesh }), signal, redirect };
  const extracted = extractBody(init.body as BodyInput, init.duplex);
  const call = ({ body, contentType }: ExtractedBody): Call => {
    if (contentType !== undefined && headers["content-type"] === undefined) headers["content-type"] = contentType;
    return { request: meshRequest({ service, path, requiresTls, method, headers, body, options: init.mesh }), signal, redirect };
  };
  return extracted instanceof Promise ? extracted.then(call) : call(extracted);
}

/** Sends a request. The caller's signal cancels it until the response body has closed. */
export function sendCall(dispatch: Dispatch, request: MeshRequest, signal: AbortSignal | undefined): ReturnType<Dispatch> {
  if (signal === undefined) return dispatch(request);
  // It may have been aborted while a form was encoded, or between two redirects.
  if (signal.aborted) return Promise.reject(abandoned(request.body, signal));
  const abort = () => request.cancellation.cancel(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const forget = () => signal.removeEventListener("abort", abort);
  return dispatch(request).then(
    (response) => {
      response.body.onClose(forget);
      return response;
    },
    (error: unknown) => {
      forget();
      throw error;
    },
  );
}

/** "Abort a fetch() call" of the Fetch standard: cancels a stream that will not be read, so that its source stops. Returns the reason. */
function abandoned(body: unknown, { reason }: AbortSignal): unknown {
  if (body instanceof ReadableStream && !body.locked) body.cancel(reason).catch(() => {});
  return reason;
}

function signalOf(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal === null) return undefined;
  if (typeof signal === "object" && "aborted" in signal && "addEventListener" in signal) return signal as AbortSignal;
  throw new TypeError(`signal: ${Object.prototype.toString.call(signal)} is not an AbortSignal`);
}

function redirectOf(redirect: MeshRequestInit["redirect"] = "manual"): Call["redirect"] {
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

/** The fields of a `Request`, of any realm, with those of `init` over them. */
function initOf(request: Request, init: MeshRequestInit): MeshRequestInit {
  if (typeof request !== "object" || request === null || typeof request.url !== "string") {
    throw new TypeError(`target: ${Object.prototype.toString.call(request)} is neither a string, a URL nor a Request`);
  }
  const ownBody = init.body ?? undefined;
  if (ownBody === undefined && request.bodyUsed) throw new TypeError("the body of the Request has been read already");
  const body = ownBody ?? (request.body as ReadableStream | null);
  const duplex = ownBody === undefined ? "half" : init.duplex;
  // A `Request` has `follow` where its maker chose nothing: the default of the mesh holds then.
  const redirect = init.redirect ?? (request.redirect === "follow" ? undefined : request.redirect);
  // An `undefined` field of an init counts as absent, as in the standard; `null` removes the signal of the Request.
  return {
    method: init.method ?? request.method,
    headers: init.headers ?? (request.headers as unknown as Iterable<readonly string[]>),
    body,
    ...(duplex === undefined ? undefined : { duplex }),
    signal: init.signal === undefined ? request.signal : init.signal,
    ...(redirect === undefined ? undefined : { redirect }),
    ...(init.mesh === undefined ? undefined : { mesh: init.mesh }),
  };
}
