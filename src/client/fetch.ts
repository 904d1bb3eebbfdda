import type { Dispatch } from "../core/dispatch.ts";
import { headerOf } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { readCall, sendCall } from "./call.ts";
import { decodeBody } from "./decode.ts";
import { type Followed, followRedirects, isRedirect } from "./redirect.ts";
import { type Reply, toReply } from "./reply.ts";
import type { FetchTarget, MeshRequestInit } from "./request-init.ts";
import { toResponse } from "./response.ts";

/** The edge between the Fetch standard and the pipeline: a call goes in, a `Response` comes out. */
export async function fetchThrough(
  dispatchOf: (service: string) => Dispatch,
  input: FetchTarget,
  init: MeshRequestInit = {},
): Promise<Response> {
  const read = readCall(input, init);
  const { request, signal, redirect } = read instanceof Promise ? await read : read;
  // What the Fetch standard sends when the caller says nothing.
  const headers = request.headers as Record<string, string>;
  headers["accept"] ??= "*/*";
  headers["user-agent"] ??= "inmesh";
  const dispatch = dispatchOf(request.service);
  const startedAt = redirect === "follow" ? performance.now() : 0;
  const response = await sendCall(dispatch, request, signal);
  if (redirect === "manual" || !isRedirect(response.status)) return responseOf({ request, response, redirected: false });
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
  // One deadline for the whole of it, where the call itself set one; else each hop has the service's.
  const remainingMs = () => (typeof limitMs === "number" ? Math.max(1, limitMs - (performance.now() - startedAt)) : (limitMs as false));
  return responseOf(await followRedirects(request, response, (next) => sendCall(dispatch, next, signal), remainingMs));
}

function responseOf({ request, response, redirected }: Followed): Response {
  const isCoded = headerOf(response, "content-encoding") !== undefined;
  return toResponse(response, {
    body: isCoded ? decodeBody(response.body, allValues(response.headers, "content-encoding"), request.service) : response.body,
    url: `http://${request.service}${request.path}`,
    hasBody: request.method !== "HEAD",
    redirected,
  });
}

/** A header that came more than once is one list (RFC 9110 §5.3). */
function allValues(headers: readonly string[], name: string): string {
  return headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === name).join(", ");
}

/** The same without a `Response`: a redirect is a reply, and a body is what came over the wire. */
export async function requestThrough(
  dispatchOf: (service: string) => Dispatch,
  input: FetchTarget,
  init: Omit<MeshRequestInit, "redirect"> = {},
): Promise<Reply> {
  const read = readCall(input, init);
  const { request, signal } = read instanceof Promise ? await read : read;
  return toReply(await sendCall(dispatchOf(request.service), request, signal));
}
