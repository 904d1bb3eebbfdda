import type { Clock } from "../core/clock.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import type { ResponseBody } from "../core/http/body.ts";
import { headerOf } from "../core/http/response-headers.ts";
import { rememberTrace } from "../core/observing/trace-recorder.ts";
import { dispatchOf, type Receiver, type Send } from "../core/stages/stage.ts";
import { decodeBody } from "./decoding/decode.ts";
import type { DecodedCall } from "./decoding/decode-guard.ts";
import type { DecodeLimits } from "./decoding/decode-options.ts";
import { type Call, readCall, sendCall } from "./read-call.ts";
import { type Followed, followRedirects, isRedirect } from "./redirect.ts";
import { type Reply, toReply } from "./reply.ts";
import type { FetchTarget, MeshRequestInit } from "./request-init.ts";
import { toResponse } from "./response.ts";

/** The limits of the bodies of a service, and the clock by which deadlines are measured. */
export interface EdgeLimits {
  readonly decode: DecodeLimits;
  readonly clock: Clock;
}

type DecodeOf = (service: string) => EdgeLimits;

/**
 * The edge between the Fetch standard and the pipeline: sends a call and resolves with its `Response`. Not async, like everything on the way of
 * a call where that is possible: a suspended function holds all of its variables while the call waits.
 */
export function fetchThrough(send: Send, decodeOf: DecodeOf, input: FetchTarget, init: MeshRequestInit = {}): Promise<Response> {
  try {
    const read = readCall(input, init);
    return read instanceof Promise ? read.then((call) => fetchCall(send, decodeOf, call)) : fetchCall(send, decodeOf, read);
  } catch (error) {
    return Promise.reject(error);
  }
}

function fetchCall(send: Send, decodeOf: DecodeOf, call: Call): Promise<Response> {
  const { request, signal, redirect } = call;
  // The defaults of the Fetch standard.
  const headers = request.headers as Record<string, string>;
  headers["accept"] ??= "*/*";
  headers["user-agent"] ??= "inmesh";
  (request as { decodes: boolean }).decodes = true;
  if (redirect !== "manual") return traced(call, fetchRedirected(send, decodeOf, call));
  const result = new Promise<Response>((resolve) => sendCall(send, call, new AwaitedResponse(resolve, request, decodeOf, signal)));
  return traced(call, result);
}

/** Lets the trace of a call be found by its result. A call has its trace, if any, since it was sent. */
function traced<Result>({ request: { trace } }: Call, result: Promise<Result>): Promise<Result> {
  if (trace === undefined) return result;
  return result.then(
    (value) => {
      rememberTrace(value, trace);
      return value;
    },
    (error: unknown) => {
      rememberTrace(error, trace);
      throw error;
    },
  );
}

/**
 * The promise of a caller, as the pipeline settles it. It lets go of the promise then: the layers hold their receivers until the body has closed, and
 * a response that its caller has dropped must be found by the garbage collection before.
 */
abstract class AwaitedResult<Result> implements Receiver {
  /** Resolves the promise, or rejects it by a rejected one: every call that waits would hold a second function for that. */
  #settle: ((result: Result | Promise<never>) => void) | undefined;

  constructor(settle: (result: Result | Promise<never>) => void) {
    this.#settle = settle;
  }

  protected abstract resultOf(response: MeshResponse): Result;

  answered(response: MeshResponse): void {
    let result: Result | Promise<never>;
    try {
      result = this.resultOf(response);
    } catch (error) {
      // An interceptor has answered with something else than a response.
      result = Promise.reject(error);
    }
    this.#settle?.(result);
    this.#settle = undefined;
  }

  failed(error: unknown): void {
    this.#settle?.(Promise.reject(error));
    this.#settle = undefined;
  }
}

class AwaitedResponse extends AwaitedResult<Response> {
  readonly #request: MeshRequest;
  readonly #decodeOf: DecodeOf;
  readonly #signal: AbortSignal | undefined;

  constructor(
    settle: (result: Response | Promise<never>) => void,
    request: MeshRequest,
    decodeOf: DecodeOf,
    signal: AbortSignal | undefined,
  ) {
    super(settle);
    this.#request = request;
    this.#decodeOf = decodeOf;
    this.#signal = signal;
  }

  protected resultOf(response: MeshResponse): Response {
    return responseOf({ request: this.#request, response, redirected: false }, this.#decodeOf, this.#signal);
  }
}

class AwaitedReply extends AwaitedResult<Reply> {
  protected resultOf(response: MeshResponse): Reply {
    return toReply(response);
  }
}

async function fetchRedirected(send: Send, decodeOf: DecodeOf, call: Call): Promise<Response> {
  const { request, signal, redirect, letGo } = call;
  const follow: Dispatch = dispatchOf((next, receiver) => sendCall(send, { request: next, signal, letGo }, receiver));
  const response = await follow(request);
  if (!isRedirect(response.status)) return responseOf({ request, response, redirected: false }, decodeOf, signal);
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
  const { clock } = decodeOf(request.service);
  // One deadline for all hops together.
  const { deadline } = request;
  const remainingMs = () => (deadline === Number.POSITIVE_INFINITY ? false : Math.max(1, deadline - clock.now()));
  return responseOf(await followRedirects(request, response, follow, remainingMs, redirect === "within"), decodeOf, signal);
}

function responseOf({ request, response, redirected }: Followed, decodeOf: DecodeOf, signal: AbortSignal | undefined): Response {
  const { service } = request;
  const { decode, clock } = decodeOf(service);
  const isCoded = headerOf(response, "content-encoding") !== undefined;
  return toResponse(response, {
    body: isCoded ? decodedBody(request, response, decode, { clock, signal }) : response.body,
    collects: decode.maxBytes === false ? undefined : { maxBytes: decode.maxBytes, service },
    url: `${request.requiresTls ? "https" : "http"}://${service}${request.path}`,
    hasBody: request.method !== "HEAD",
    redirected,
  });
}

function decodedBody(
  { service, deadline, attempts }: MeshRequest,
  { body, headers }: MeshResponse,
  limits: DecodeLimits,
  call: Pick<DecodedCall, "clock" | "signal">,
): ResponseBody {
  const decoded = decodeBody(body, allValues(headers, "content-encoding"), service, limits, { ...call, deadline, attempts });
  // Left as it is: there is nothing to wait for.
  if (decoded === body) body.content?.settle(undefined);
  return decoded;
}

/** All values of a header as one list (RFC 9110 §5.3). */
function allValues(headers: readonly string[], name: string): string {
  return headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === name).join(", ");
}

/** Sends a call and resolves with its {@link Reply}: redirects are replies, and bodies are as they came over the wire. */
export function requestThrough(send: Send, input: FetchTarget, init: Omit<MeshRequestInit, "redirect"> = {}): Promise<Reply> {
  try {
    const read = readCall(input, init);
    return read instanceof Promise ? read.then((call) => requestCall(send, call)) : requestCall(send, read);
  } catch (error) {
    return Promise.reject(error);
  }
}

function requestCall(send: Send, call: Call): Promise<Reply> {
  return traced(call, new Promise<Reply>((resolve) => sendCall(send, call, new AwaitedReply(resolve))));
}
