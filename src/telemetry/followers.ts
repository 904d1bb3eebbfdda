import type { Context, Span } from "@opentelemetry/api";
import type { MeshRequest } from "../core/dispatch.ts";
import type { CallEnd, CallObserver, RouteDecision } from "../core/observing/call-observer.ts";
import type { AttemptEnd, AttemptObserver } from "../core/observing/observer.ts";
import type { Upstream } from "../core/upstream.ts";
import type { MeshMetrics } from "./metrics/mesh-metrics.ts";
import type { NamedServices } from "./metrics/named-services.ts";
import { loadedApi, openTelemetryApi } from "./open-telemetry-api.ts";
import type { AttemptContext } from "./spans/attempt-context.ts";
import type { MeshSpans } from "./spans/spans.ts";

/** The receivers of calls and attempts; metrics or spans may be switched off. */
export interface Reporters {
  readonly services: NamedServices;
  readonly metrics: MeshMetrics | undefined;
  readonly spans: MeshSpans | undefined;
}

/** Follows one call: records its metrics, and its span where it has one. */
export class FollowedCall implements CallObserver {
  readonly skipsAnswered: boolean;
  /** The parent of the spans of the call's attempts; `undefined` while nothing is registered with OpenTelemetry. */
  readonly context: Context | undefined;
  readonly #reporters: Reporters;
  readonly #request: MeshRequest;
  readonly #parent: Context | undefined;
  readonly #span: Span | undefined;
  #decided: RouteDecision | undefined = undefined;

  constructor(reporters: Reporters, request: MeshRequest) {
    this.#reporters = reporters;
    this.#request = request;
    // Read once, here: a retry may run in the context of a timer or of another call's socket.
    this.#parent = openTelemetryApi()?.context.active();
    const { services, spans } = reporters;
    const parent = this.#parent;
    this.#span =
      parent !== undefined && spans?.hasCalls === true ? spans.startCall(request, services.find(request.service).label, parent) : undefined;
    this.skipsAnswered = this.#span === undefined && reporters.metrics?.isOn !== true;
    this.context = parent === undefined || this.#span === undefined ? parent : loadedApi().trace.setSpan(parent, this.#span);
  }

  onRouted(decision: RouteDecision): void {
    this.#decided = decision;
  }

  onEnd(end: CallEnd): void {
    const { services, metrics, spans } = this.#reporters;
    // A route may have led it to another service than the one that was called.
    const service = this.#decided?.service ?? this.#request.service;
    try {
      metrics?.callEnded(this.#request, end, this.context, this.#decided);
    } finally {
      // A call without a span of its own gets one only when it made no attempt.
      if (this.#parent !== undefined && (this.#span !== undefined || end.attempts === 0)) {
        spans?.endCall(this.#request, services.find(service).label, this.#parent, this.#span, end, this.#decided);
      }
    }
  }
}

/** An attempt of which nothing is recorded. Its headers tell the instance that the trace is not sampled. */
export class PropagatedAttempt implements AttemptObserver {
  readonly headers: Readonly<Record<string, string>>;

  constructor(headers: Readonly<Record<string, string>>) {
    this.headers = headers;
  }
}

/** Follows an attempt without a recorded span: records its metrics. */
export class MeteredAttempt implements AttemptObserver {
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly #metrics: MeshMetrics;
  readonly #request: MeshRequest;
  readonly #upstream: Upstream;
  readonly #context: Context | undefined;

  constructor(
    metrics: MeshMetrics,
    request: MeshRequest,
    upstream: Upstream,
    parent: Context | undefined,
    headers?: Readonly<Record<string, string>>,
  ) {
    this.headers = headers;
    this.#context = parent;
    this.#metrics = metrics;
    this.#request = request;
    this.#upstream = upstream;
  }

  onEnd(end: AttemptEnd): void {
    this.#metrics.attemptEnded(this.#request, this.#upstream, end, this.#context);
  }
}

/** Follows an attempt that has a span, and runs it in a context in which no other instrumentation traces it again. */
export class TracedAttempt implements AttemptObserver {
  readonly headers: Readonly<Record<string, string>>;
  readonly #reporters: Reporters;
  readonly #request: MeshRequest;
  readonly #upstream: Upstream;
  readonly #context: AttemptContext;

  constructor(reporters: Reporters, request: MeshRequest, upstream: Upstream, own: AttemptContext) {
    this.headers = own.headers;
    this.#reporters = reporters;
    this.#request = request;
    this.#upstream = upstream;
    this.#context = own;
  }

  around<T>(run: () => T): T {
    return loadedApi().context.with(this.#context, run);
  }

  onEnd(end: AttemptEnd): void {
    const { metrics, spans } = this.#reporters;
    // A meter that throws must not leave the span open.
    try {
      metrics?.attemptEnded(this.#request, this.#upstream, end, this.#context);
    } finally {
      spans?.endAttempt(this.#context, end);
    }
  }
}
