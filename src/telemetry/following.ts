import { type Context, context, type Span, trace } from "@opentelemetry/api";
import type { MeshRequest } from "../core/dispatch.ts";
import type { AttemptEnd, AttemptObserver, CallEnd, CallObserver } from "../core/observer.ts";
import type { Upstream } from "../core/upstream.ts";
import type { MeshMetrics } from "./metrics.ts";
import type { Services } from "./services.ts";
import type { AttemptSpan, MeshSpans } from "./spans.ts";

/** What follows calls and attempts; either may be switched off. */
export interface Reporters {
  readonly services: Services;
  readonly metrics: MeshMetrics | undefined;
  readonly spans: MeshSpans | undefined;
}

/** Follows one call. */
export class FollowedCall implements CallObserver {
  /** What the spans of the call's attempts are below. */
  readonly context: Context;
  readonly #reporters: Reporters;
  readonly #request: MeshRequest;
  readonly #parent: Context;
  readonly #span: Span | undefined;

  constructor(reporters: Reporters, request: MeshRequest) {
    this.#reporters = reporters;
    this.#request = request;
    // Taken once, here: a retry may run in the context of a timer or of another call's socket.
    this.#parent = context.active();
    this.#span = reporters.spans?.startCall(request, reporters.services.find(request.service).label, this.#parent);
    this.context = this.#span === undefined ? this.#parent : trace.setSpan(this.#parent, this.#span);
  }

  onEnd(end: CallEnd): void {
    const { services, metrics, spans } = this.#reporters;
    metrics?.callEnded(this.#request, end);
    spans?.endCall(this.#request, services.find(this.#request.service).label, this.#parent, this.#span, end);
  }
}

/** Follows one attempt that has no span. */
export class MeteredAttempt implements AttemptObserver {
  readonly #metrics: MeshMetrics;
  readonly #request: MeshRequest;
  readonly #upstream: Upstream;

  constructor(metrics: MeshMetrics, request: MeshRequest, upstream: Upstream) {
    this.#metrics = metrics;
    this.#request = request;
    this.#upstream = upstream;
  }

  onEnd(end: AttemptEnd): void {
    this.#metrics.attemptEnded(this.#request, this.#upstream, end);
  }
}

/** Follows one attempt that has a span, and runs it where no other instrumentation traces it again. */
export class TracedAttempt implements AttemptObserver {
  readonly headers: Readonly<Record<string, string>>;
  readonly #reporters: Reporters;
  readonly #request: MeshRequest;
  readonly #upstream: Upstream;
  readonly #span: AttemptSpan;

  constructor(reporters: Reporters, request: MeshRequest, upstream: Upstream, span: AttemptSpan) {
    this.headers = span.headers;
    this.#reporters = reporters;
    this.#request = request;
    this.#upstream = upstream;
    this.#span = span;
  }

  around<T>(run: () => T): T {
    return context.with(this.#span.context, run);
  }

  onEnd(end: AttemptEnd): void {
    const { metrics, spans } = this.#reporters;
    metrics?.attemptEnded(this.#request, this.#upstream, end);
    spans?.endAttempt(this.#span, end);
  }
}
