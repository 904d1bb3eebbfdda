import { attribute } from "../attribute-names.ts";

/** One kind of span. */
export interface SpanDefinition {
  readonly name: string;
  readonly kind: "CLIENT" | "INTERNAL" | "SERVER";
  readonly description: string;
  /** The attributes that are always set, or set when they apply. */
  readonly attributes: readonly string[];
}

/** Every kind of span. The table in docs/reference/telemetry.md is generated from this one. */
export const spanTable: Readonly<Record<"attempt" | "call" | "served", SpanDefinition>> = {
  attempt: {
    name: "{method}, {method} {route} or {rpc.method}",
    kind: "CLIENT",
    description: "One attempt, or one copy of a call by its route, up to the end of the response body.",
    attributes: [
      attribute.method,
      attribute.methodOriginal,
      attribute.resendCount,
      attribute.serverAddress,
      attribute.service,
      attribute.peerAddress,
      attribute.peerPort,
      attribute.urlFull,
      attribute.urlTemplate,
      attribute.rpcSystem,
      attribute.rpcMethod,
      attribute.rpcStatus,
      attribute.status,
      attribute.errorType,
      attribute.phase,
      attribute.routeRule,
      attribute.routeTarget,
      attribute.mirrored,
    ],
  },
  call: {
    name: "inmesh {service}",
    kind: "INTERNAL",
    description: "One call with all its attempts: every call with `callSpans`, else only a call that failed without an attempt.",
    attributes: [
      attribute.method,
      attribute.methodOriginal,
      attribute.service,
      attribute.urlTemplate,
      attribute.outcome,
      attribute.attempts,
      attribute.errorType,
      attribute.routeRule,
      attribute.routeTarget,
    ],
  },
  served: {
    name: "{method}, {method} {route} or {rpc.method}",
    kind: "SERVER",
    description: "A request that this process served, up to the end of the response body; none where another instrumentation makes one.",
    attributes: [
      attribute.method,
      attribute.methodOriginal,
      attribute.scheme,
      attribute.urlPath,
      attribute.urlQuery,
      attribute.route,
      attribute.protocolVersion,
      attribute.peerAddress,
      attribute.userAgent,
      attribute.rpcSystem,
      attribute.rpcMethod,
      attribute.rpcStatus,
      attribute.status,
      attribute.errorType,
      attribute.serverRefusal,
      attribute.authorizationDecision,
      attribute.authorizationRule,
    ],
  },
};
