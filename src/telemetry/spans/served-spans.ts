import type { Attributes, Context, Span, TextMapGetter } from "@opentelemetry/api";
import { withoutQuery } from "../../core/http/without-query.ts";
import type { ServedEnd, ServedRequest } from "../../core/observing/served-request.ts";
import { fullNameOf } from "../../core/rpc/rpc-method.ts";
import { rpcStatusName } from "../../core/rpc/rpc-status.ts";
import { attribute } from "../attribute-names.ts";
import { knownMethod, knownVersion, other, servedErrorType } from "../attribute-values.ts";
import { loadedApi } from "../open-telemetry-api.ts";
import { redactQuery } from "./full-url.ts";
import type { MeshSpans } from "./spans.ts";

const getter: TextMapGetter<ServedRequest> = {
  get: (request, name) => request.header(name.toLowerCase()),
  keys: () => [],
};

/** The SERVER span of a request, below the one that its caller has sent. */
export class ServedSpan {
  readonly context: Context;
  readonly #span: Span;
  readonly #request: ServedRequest;

  constructor(span: Span, context: Context, request: ServedRequest) {
    this.#span = span;
    this.context = context;
    this.#request = request;
  }

  end(end: ServedEnd): void {
    const span = this.#span;
    if (span.isRecording()) {
      const { route, method } = this.#request;
      if (route !== undefined) {
        span.setAttribute(attribute.route, route);
        span.updateName(`${verbOf(method)} ${route}`);
      }
      if (end.rpcStatus !== undefined) span.setAttribute(attribute.rpcStatus, rpcStatusName(end.rpcStatus));
      if (end.status !== undefined) span.setAttribute(attribute.status, end.status);
      if (end.refusedBy !== undefined) span.setAttribute(attribute.serverRefusal, end.refusedBy);
      if (end.authorization !== undefined) {
        span.setAttribute(attribute.authorizationDecision, end.authorization.decision);
        if (end.authorization.ruleId !== undefined) span.setAttribute(attribute.authorizationRule, end.authorization.ruleId);
      }
      const errorType = servedErrorType(end);
      if (errorType !== undefined) {
        span.setAttribute(attribute.errorType, errorType);
        span.setStatus({ code: loadedApi().SpanStatusCode.ERROR });
      }
    }
    span.end();
  }
}

/**
 * Starts the span of a request; `undefined` without an SDK, and where another instrumentation has made one: each request has one SERVER span. The caller's
 * `traceparent` is its parent.
 */
export function startServed(spans: MeshSpans, request: ServedRequest, recordQuery: boolean): ServedSpan | undefined {
  const api = loadedApi();
  const active = api.context.active();
  const tracer = spans.tracerFor(active);
  if (tracer === undefined) return undefined;
  const around = api.trace.getSpan(active) as (Span & { readonly kind?: number }) | undefined;
  // One that was active when the server began to listen has ended, or is of another kind.
  if (around?.kind === api.SpanKind.SERVER && around.isRecording()) return undefined;
  const parent = api.propagation.extract(api.ROOT_CONTEXT, request, getter);
  const { method, scheme, target, httpVersion, peerAddress } = request;
  const path = withoutQuery(target);
  const attributes: Attributes = {
    [attribute.method]: knownMethod(method),
    [attribute.scheme]: scheme,
    [attribute.urlPath]: path,
    [attribute.protocolVersion]: knownVersion(httpVersion),
  };
  if (knownMethod(method) === other) attributes[attribute.methodOriginal] = method;
  if (recordQuery && path.length < target.length) attributes[attribute.urlQuery] = redactQuery(target.slice(path.length + 1));
  if (peerAddress !== undefined) attributes[attribute.peerAddress] = peerAddress;
  const userAgent = request.header("user-agent");
  if (userAgent !== undefined) attributes[attribute.userAgent] = userAgent;
  const { rpc } = request;
  if (rpc !== undefined) Object.assign(attributes, { [attribute.rpcSystem]: "grpc", [attribute.rpcMethod]: fullNameOf(rpc) });
  const span = tracer.startSpan(rpc === undefined ? verbOf(method) : fullNameOf(rpc), { kind: api.SpanKind.SERVER, attributes }, parent);
  return new ServedSpan(span, api.trace.setSpan(parent, span), request);
}

function verbOf(method: string): string {
  const known = knownMethod(method);
  return known === other ? "HTTP" : known;
}
