import type { Dispatch } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { headerOf } from "../core/http/response-headers.ts";
import { type DecodeOptions, decodeBody } from "./decode.ts";
import { type Call, readCall, sendCall } from "./read-call.ts";
import { type Followed, followRedirects, isRedirect } from "./redirect.ts";
import { type Reply, toReply } from "./reply.ts";
import type { FetchTarget, MeshRequestInit } from "./request-init.ts";
import { toResponse } from "./response.ts";

/** The limits of decoded bodies, by service. */
type DecodeOf = (service: string) => DecodeOptions | undefined;

/**
 * The edge between the Fetch standard and the pipeline: turns a call into a `Response`. It is no async function, as few on a call's way are: a
 * suspended function holds its variables while the call waits.
 */
export function fetchThrough(dispatch: Dispatch, decodeOf: DecodeOf, input: FetchTarget, init: MeshRequestInit = {}): Promise<Response> {
  try {
    const read = readCall(input, init);
    return read instanceof Promise ? read.then((call) => fetchCall(dispatch, decodeOf, call)) : fetchCall(dispatch, decodeOf, read);
  } catch (error) {
    return Promise.reject(error);
  }
}

function fetchCall(dispatch: Dispatch, decodeOf: DecodeOf, call: Call): Promise<Response> {
  const { request, signal, redirect } = call;
  // The Fetch standard's headers where the caller gives none.
  const headers = request.headers as Record<string, string>;
  headers["accept"] ??= "*/*";
  headers["user-agent"] ??= "inmesh";
  if (redirect !== "manual") return fetchRedirected(dispatch, decodeOf, call);
  return sendCall(dispatch, request, signal).then((response) => responseOf({ request, response, redirected: false }, decodeOf));
}

async function fetchRedirected(dispatch: Dispatch, decodeOf: DecodeOf, { request, signal, redirect }: Call): Promise<Response> {
  const startedAt = performance.now();
  const response = await sendCall(dispatch, request, signal);
  if (!isRedirect(response.status)) return responseOf({ request, response, redirected: false }, decodeOf);
  if (redirect === "error") {
    response.body.discard();
    throw new MeshError(
      "ERR_MESH_PROTOCOL",
      `"${request.service}" answered with a redirect (${response.status}) and \`redirect\` is "error"`,
      {
        service: request.service,
        attempts: [...request.attempts],
      },
    );
  }
  const limitMs = request.options.timeoutMs;
  // A deadline of the call is for all hops together; without one, each hop has that of the service.
  const remainingMs = () => (typeof limitMs === "number" ? Math.max(1, limitMs - (performance.now() - startedAt)) : (limitMs as false));
  return responseOf(await followRedirects(request, response, (next) => sendCall(dispatch, next, signal), remainingMs), decodeOf);
}

function responseOf({ request, response, redirected }: Followed, decodeOf: DecodeOf): Response {
  const { service } = request;
  const isCoded = headerOf(response, "content-encoding") !== undefined;
  return toResponse(response, {
    body: isCoded ? decodeBody(response.body, allValues(response.headers, "content-encoding"), service, decodeOf(service)) : response.body,
    url: `http://${service}${request.path}`,
    hasBody: request.method !== "HEAD",
    redirected,
  });
}

/** Joins the values of a header that came more than once (RFC 9110 §5.3). */
function allValues(headers: readonly string[], name: string): string {
  return headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === name).join(", ");
}

/** The same with a {@link Reply}: redirects are not followed, and bodies are not decoded. */
export function requestThrough(dispatch: Dispatch, input: FetchTarget, init: Omit<MeshRequestInit, "redirect"> = {}): Promise<Reply> {
  try {
    const read = readCall(input, init);
    return read instanceof Promise ? read.then((call) => requestCall(dispatch, call)) : requestCall(dispatch, read);
  } catch (error) {
    return Promise.reject(error);
  }
}

function requestCall(dispatch: Dispatch, { request, signal }: Call): Promise<Reply> {
  return sendCall(dispatch, request, signal).then(toReply);
}
