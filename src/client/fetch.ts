import { Cancellation } from "../core/cancellation.ts";
import type { CallOptions, Dispatch, MeshRequest } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { checkCallOptions } from "./options.ts";
import { type BodyInput, type ExtractedBody, extractBody } from "./request-body.ts";
import { type HeadersInput, requestHeaders } from "./request-headers.ts";
import { toResponse } from "./response.ts";
import { parseTarget, type Target } from "./target.ts";

/** `RequestInit` as far as it means something between services, and what the mesh adds to it. */
export interface MeshRequestInit {
  readonly method?: string;
  readonly headers?: HeadersInput;
  readonly body?: BodyInput | null;
  readonly signal?: AbortSignal | null;
  /** `manual` (default): a redirect is a response like any other. `error`: it rejects. */
  readonly redirect?: "manual" | "error" | "follow";
  /** Must be `half` for a stream as body. */
  readonly duplex?: "half";
  /** What this call wants differently from the mesh's options. */
  readonly mesh?: CallOptions;
}

/** What a call can be made with: a target, or a standard URL or Request whose host is the service. */
export type FetchTarget = string | URL | Request;

/** Options of a call that has none; one object, so that requests share their shape. */
const noOptions: CallOptions = Object.freeze({});

/**
 * The edge between the Fetch standard and the pipeline: reads what the caller gave into a {@link MeshRequest}, once, and
 * makes a `Response` of what comes back.
 */
export async function fetchThrough(
  dispatchOf: (service: string) => Dispatch,
  input: FetchTarget,
  given: MeshRequestInit = {},
): Promise<Response> {
  const init = typeof input === "string" || input instanceof URL ? given : initOf(input, given);
  const target = parseTarget(typeof input === "string" ? input : input instanceof URL ? input.href : input.url);
  const signal = init.signal ?? undefined;
  signal?.throwIfAborted();
  const method = methodOf(init.method);
  const headers = requestHeaders(init.headers);
  const hasBody = init.body !== undefined && init.body !== null;
  if (hasBody && (method === "GET" || method === "HEAD")) throw new TypeError(`a ${method} request cannot have a body`);
  checkRedirect(init.redirect, input);
  if (init.mesh !== undefined) checkCallOptions(init.mesh);
  const extracted = hasBody ? extractBody(init.body, init.duplex) : noBody;
  const { body, contentType } = extracted instanceof Promise ? await extracted : extracted;
  if (contentType !== undefined && headers["content-type"] === undefined) headers["content-type"] = contentType;
  headers["accept"] ??= "*/*";
  headers["user-agent"] ??= "inmesh";

  const request: MeshRequest = {
    service: target.service,
    method,
    path: target.path,
    headers,
    body,
    options: init.mesh ?? noOptions,
    cancellation: new Cancellation(),
    deadline: Number.POSITIVE_INFINITY,
    attempt: 1,
    tried: [],
    attempts: [],
    upstream: undefined,
    observation: undefined,
  };
  return respond(await send(dispatchOf(target.service), request, signal), request, target, init.redirect);
}

const noBody: ExtractedBody = { body: undefined, contentType: undefined };

/** Sends, with the caller's signal listened to until the response body has closed. */
function send(dispatch: Dispatch, request: MeshRequest, signal: AbortSignal | undefined): ReturnType<Dispatch> {
  if (signal === undefined) return dispatch(request);
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

function respond(
  message: Awaited<ReturnType<Dispatch>>,
  request: MeshRequest,
  target: Target,
  redirect: MeshRequestInit["redirect"],
): Response {
  if (redirect === "error" && isRedirect(message.status)) {
    message.body.discard();
    throw new MeshError(
      "ERR_MESH_PROTOCOL",
      `"${target.service}" answered with a redirect (${message.status}) and \`redirect\` is "error"`,
      {
        service: target.service,
        attempts: [...request.attempts],
      },
    );
  }
  return toResponse(message, `http://${target.service}${target.path}`, request.method !== "HEAD");
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** A `Request` says `follow` when its maker said nothing: only an explicit wish is refused. */
function checkRedirect(redirect: MeshRequestInit["redirect"], input: FetchTarget): void {
  if (redirect === "follow" && (typeof input === "string" || input instanceof URL)) {
    throw new TypeError('redirect: "follow" is not supported: a redirect could lead out of the service. Use "manual" (default) or "error"');
  }
  if (redirect !== undefined && redirect !== "manual" && redirect !== "error" && redirect !== "follow")
    throw new TypeError(`redirect: ${JSON.stringify(redirect)} is neither "manual" nor "error"`);
}

const normalizedMethods: ReadonlySet<string> = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]);
const tokenMethod = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function methodOf(method = "GET"): string {
  if (normalizedMethods.has(method)) return method;
  const upper = method.toUpperCase();
  // The Fetch standard's forbidden methods.
  if (!tokenMethod.test(method) || upper === "CONNECT" || upper === "TRACE" || upper === "TRACK")
    throw new TypeError(`method: ${JSON.stringify(method)} is not allowed`);
  // The standard upper-cases these six only; `patch` stays `patch` there and nearly every server refuses it.
  return normalizedMethods.has(upper) || upper === "PATCH" || upper === "QUERY" ? upper : method;
}

/** The fields of a `Request`, of whatever realm, with those of `init` over them. */
function initOf(request: Request, init: MeshRequestInit): MeshRequestInit {
  if (typeof request !== "object" || request === null || typeof request.url !== "string") {
    throw new TypeError(`target: ${Object.prototype.toString.call(request)} is neither a string, a URL nor a Request`);
  }
  const ownBody = init.body ?? undefined;
  if (ownBody === undefined && request.bodyUsed) throw new TypeError("the body of the Request has been read already");
  const body = ownBody ?? (request.body as ReadableStream | null);
  const duplex = ownBody === undefined ? "half" : init.duplex;
  const redirect = init.redirect ?? (request.redirect === "follow" ? undefined : request.redirect);
  // What is `undefined` in an init counts as left out, as in the standard; `null` takes the Request's signal away.
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
