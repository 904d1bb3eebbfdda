import { attribute } from "../attribute-names.ts";

/** One kind of span. */
export interface SpanDefinition {
  readonly name: string;
  readonly kind: "CLIENT" | "INTERNAL";
  readonly description: string;
  /** The attributes that are always set, or set when they apply. */
  readonly attributes: readonly string[];
}

/** Every kind of span. The table in docs/reference/telemetry.md is generated from this one. */
export const spanTable: Readonly<Record<"attempt" | "call", SpanDefinition>> = {
  attempt: {
    name: "{method} or {method} {route}",
    kind: "CLIENT",
    description: "One attempt, up to the end of the response body.",
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
      attribute.status,
      attribute.errorType,
      attribute.phase,
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
    ],
  },
};
