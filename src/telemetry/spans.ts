import type { Attributes, Context, Span, Tracer } from "@opentelemetry/api";
import { context, createContextKey, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Clock } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { describeError } from "../core/errors.ts";
import type { AttemptEnd, CallEnd } from "../core/observer.ts";
import type { Upstream } from "../core/upstream.ts";
import { attribute } from "./names.ts";
import { peerAttributes } from "./service-state.ts";
import { TracerSource } from "./tracers.ts";
import { fullUrl } from "./url.ts";
import { attemptErrorType, callOutcome, knownMethod, other } from "./values.ts";

// @opentelemetry/core's own key: keys are global symbols, so that the package need not be there.
const suppressed: symbol = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
const inAttempt: symbol = createContextKey("inmesh attempt");

/**
 * Whether the code runs inside an attempt of a mesh that traces it: for `ignoreRequestHook` of
 * `@opentelemetry/instrumentation-undici`, which then leaves the mesh's requests out of its own metric too.
 */
export function isMeshRequest(): boolean {
  return context.active().getValue(inAttempt) === true;
}

/** The span of one attempt: its context and the headers that carry it to the instance. */
export interface AttemptSpan {
  readonly span: Span;
  readonly headers: Readonly<Record<string, string>>;
  readonly context: Context;
}

/** What the options say about spans. */
export interface SpanOptions {
  readonly callSpans: boolean;
  readonly recordQuery: boolean;
}

/** Makes and ends spans, while an SDK for traces is registered. */
export class MeshSpans {
  readonly #options: SpanOptions;
  readonly #clock: Clock;
  readonly #source = new TracerSource();

  constructor(options: SpanOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** The tracer, unless there is none or the caller has suppressed tracing. */
  tracerFor(parent: Context): Tracer | undefined {
    const tracer = this.#source.current();
    return tracer === undefined || parent.getValue(suppressed) === true ? undefined : tracer;
  }

  /** Whether an SDK is registered. */
  get isOn(): boolean {
    return this.#source.current() !== undefined;
  }

  /** The span of a call, where the options want one for each. */
  startCall(request: MeshRequest, label: string, parent: Context): Span | undefined {
    if (!this.#options.callSpans) return undefined;
    return this.tracerFor(parent)?.startSpan(callName(label), { kind: SpanKind.INTERNAL, attributes: callAttributes(request) }, parent);
  }

  /** Ends the span of a call. One that failed without an attempt, and has no span yet, gets one now: its trace would say nothing. */
  endCall(request: MeshRequest, label: string, parent: Context, started: Span | undefined, end: CallEnd): void {
    const { outcome, errorType } = callOutcome(end);
    let span = started;
    let endTime: number | undefined;
    if (span === undefined) {
      if (end.attempts > 0 || outcome === "success" || outcome === "cancelled") return;
      endTime = this.#clock.wallNow();
      const startTime = endTime - end.totalMs;
      const attributes = callAttributes(request);
      span = this.tracerFor(parent)?.startSpan(callName(label), { kind: SpanKind.INTERNAL, attributes, startTime }, parent);
      if (span === undefined) return;
    } else {
      // The first call of a service begins before discovery has resolved it.
      span.updateName(callName(label));
    }
    span.setAttribute(attribute.outcome, outcome);
    span.setAttribute(attribute.attempts, end.attempts);
    if (errorType !== undefined) fail(span, errorType, end.error);
    span.end(endTime);
  }

  /** The CLIENT span of an attempt, below the call's or the caller's own. */
  startAttempt(request: MeshRequest, upstream: Upstream, parent: Context): AttemptSpan | undefined {
    const tracer = this.tracerFor(parent);
    if (tracer === undefined) return undefined;
    const method = knownMethod(request.method);
    const { route } = request.options;
    const verb = method === other ? "HTTP" : method;
    const attributes: Attributes = {
      [attribute.method]: method,
      [attribute.serverAddress]: request.service,
      [attribute.service]: request.service,
      ...peerAttributes(upstream),
      [attribute.urlFull]: fullUrl(request, upstream, this.#options.recordQuery),
    };
    if (method === other) attributes[attribute.methodOriginal] = request.method;
    if (route !== undefined) attributes[attribute.urlTemplate] = route;
    if (request.attempt > 1) attributes[attribute.resendCount] = request.attempt - 1;
    const name = route === undefined ? verb : `${verb} ${route}`;
    const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, parent);
    const own = trace.setSpan(parent, span);
    const headers: Record<string, string> = Object.create(null);
    propagation.inject(own, headers);
    // Suppressed, so that an instrumentation of undici adds no second span and no second traceparent.
    return { span, headers, context: own.setValue(suppressed, true).setValue(inAttempt, true) };
  }

  endAttempt({ span }: AttemptSpan, end: AttemptEnd): void {
    const { status } = end.record;
    if (status !== undefined) span.setAttribute(attribute.status, status);
    const errorType = attemptErrorType(end);
    if (errorType !== undefined) {
      fail(span, status !== undefined && status >= 400 ? String(status) : errorType, end.error);
      if (end.error !== undefined) span.setAttribute(attribute.phase, end.record.phase);
    }
    span.end();
  }
}

function callName(label: string): string {
  return `inmesh ${label}`;
}

function callAttributes(request: MeshRequest): Attributes {
  const method = knownMethod(request.method);
  const attributes: Attributes = { [attribute.method]: method, [attribute.service]: request.service };
  if (method === other) attributes[attribute.methodOriginal] = request.method;
  if (request.options.route !== undefined) attributes[attribute.urlTemplate] = request.options.route;
  return attributes;
}

function fail(span: Span, errorType: string, error: unknown): void {
  span.setAttribute(attribute.errorType, errorType);
  span.setStatus(error === undefined ? { code: SpanStatusCode.ERROR } : { code: SpanStatusCode.ERROR, message: describeError(error) });
}
