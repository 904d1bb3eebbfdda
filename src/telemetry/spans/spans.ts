import { channel } from "node:diagnostics_channel";
import type { Attributes, Context, Span, Tracer } from "@opentelemetry/api";
import type { Clock } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import { describeError } from "../../core/errors.ts";
import type { CallEnd, RouteDecision } from "../../core/observing/call-observer.ts";
import type { AttemptEnd } from "../../core/observing/observer.ts";
import type { Routed } from "../../core/routed.ts";
import { fullNameOf, rpcMethodOf } from "../../core/rpc/rpc-method.ts";
import { rpcStatusName } from "../../core/rpc/rpc-status.ts";
import type { Upstream } from "../../core/upstream.ts";
import { attribute } from "../attribute-names.ts";
import { attemptErrorType, callOutcome, knownMethod, other, peerAttributes, rpcSystemOf } from "../attribute-values.ts";
import { loadedApi, openTelemetryApi } from "../open-telemetry-api.ts";
import { AttemptContext, inAttempt, suppressed } from "./attempt-context.ts";
import { fullUrl } from "./full-url.ts";
import { TracerSource } from "./tracers.ts";

/**
 * Whether the code runs inside an attempt that the mesh traces. For the `ignoreRequestHook` of `@opentelemetry/instrumentation-undici`,
 * which then leaves requests of the mesh out of its metric too.
 */
export function isMeshRequest(): boolean {
  return openTelemetryApi()?.context.active().getValue(inAttempt) === true;
}

const requestChannel = channel("undici:request:create");

/** Whether anything subscribes to the requests of undici, as an instrumentation of it does. */
export function isUndiciObserved(): boolean {
  return requestChannel.hasSubscribers;
}

/** The options that concern spans. */
export interface SpanOptions {
  readonly callSpans: boolean;
  readonly recordQuery: boolean;
}

/** Makes and ends spans while an SDK for traces is registered. */
export class MeshSpans {
  readonly #options: SpanOptions;
  readonly #clock: Clock;
  readonly #source = new TracerSource();

  constructor(options: SpanOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** The tracer; `undefined` without an SDK, and where the caller has suppressed tracing. */
  tracerFor(parent: Context): Tracer | undefined {
    const tracer = this.#source.current();
    return tracer === undefined || parent.getValue(suppressed) === true ? undefined : tracer;
  }

  /** Whether an SDK is registered. */
  get isOn(): boolean {
    return this.#source.current() !== undefined;
  }

  /** Whether each call gets a span. */
  get hasCalls(): boolean {
    return this.#options.callSpans;
  }

  /** Starts the span of a call. */
  startCall(request: MeshRequest, label: string, parent: Context): Span | undefined {
    return this.tracerFor(parent)?.startSpan(
      callName(label),
      { kind: loadedApi().SpanKind.INTERNAL, attributes: callAttributes(request) },
      parent,
    );
  }

  /** Ends the span of a call. A call without one that failed before any attempt gets a span now, since its trace would not show it. */
  endCall(request: MeshRequest, label: string, parent: Context, started: Span | undefined, end: CallEnd, decided?: RouteDecision): void {
    if (started === undefined && end.attempts > 0) return;
    const { outcome, errorType } = callOutcome(end);
    let span = started;
    let endTime: number | undefined;
    if (span === undefined) {
      if (outcome === "success" || outcome === "cancelled") return;
      endTime = this.#clock.wallNow();
      const startTime = endTime - end.totalMs;
      const attributes = callAttributes(request);
      span = this.tracerFor(parent)?.startSpan(callName(label), { kind: loadedApi().SpanKind.INTERNAL, attributes, startTime }, parent);
      if (span === undefined) return;
    } else {
      // The first call of a service begins before discovery has resolved it.
      span.updateName(callName(label));
    }
    span.setAttribute(attribute.outcome, outcome);
    span.setAttribute(attribute.attempts, end.attempts);
    if (decided?.routed !== undefined) setRoute(span, decided.routed);
    if (decided?.service !== undefined) span.setAttribute(attribute.service, decided.service);
    if (errorType !== undefined) fail(span, errorType, end.error);
    span.end(endTime);
  }

  /** Starts the CLIENT span of an attempt, below the span of the call or of the caller. */
  startAttempt(request: MeshRequest, upstream: Upstream, parent: Context): AttemptContext | undefined {
    const tracer = this.tracerFor(parent);
    if (tracer === undefined) return undefined;
    const method = knownMethod(request.method);
    const { route } = request;
    const verb = method === other ? "HTTP" : method;
    // Only what the conventions prescribe for samplers: the SDK takes 0.15 µs for each attribute, also of a span that it drops.
    const attributes: Attributes = {
      [attribute.method]: method,
      [attribute.serverAddress]: request.service,
      [attribute.urlFull]: fullUrl(request, upstream, this.#options.recordQuery),
    };
    if (method === other) attributes[attribute.methodOriginal] = request.method;
    if (route !== undefined) attributes[attribute.urlTemplate] = route;
    const called = request.rpc === undefined ? undefined : rpcMethodOf(request.path);
    if (called !== undefined && request.rpc !== undefined) {
      attributes[attribute.rpcSystem] = rpcSystemOf(request.rpc.protocol);
      attributes[attribute.rpcMethod] = fullNameOf(called);
    }
    const name = called !== undefined ? fullNameOf(called) : route === undefined ? verb : `${verb} ${route}`;
    const span = tracer.startSpan(name, { kind: loadedApi().SpanKind.CLIENT, attributes }, parent);
    if (span.isRecording()) {
      span.setAttributes({ [attribute.service]: request.service, ...peerAttributes(upstream) });
      if (request.attempt > 1) span.setAttribute(attribute.resendCount, request.attempt - 1);
      if (request.routed !== undefined) setRoute(span, request.routed);
    }
    const own = new AttemptContext(parent, span);
    loadedApi().propagation.inject(own, own.headers);
    own.startSending();
    return own;
  }

  /** Starts the CLIENT span of a copy of a call, below the same parent as the attempts of the call. */
  startCopy(request: MeshRequest, upstream: Upstream, parent: Context): AttemptContext | undefined {
    const own = this.startAttempt(request, upstream, parent);
    own?.span.setAttribute(attribute.mirrored, true);
    return own;
  }

  endAttempt({ span }: AttemptContext, end: AttemptEnd): void {
    if (!span.isRecording()) {
      span.end();
      return;
    }
    const { status } = end.record;
    if (status !== undefined) span.setAttribute(attribute.status, status);
    if (end.rpcStatus !== undefined) span.setAttribute(attribute.rpcStatus, rpcStatusName(end.rpcStatus));
    const errorType = attemptErrorType(end);
    if (errorType !== undefined) {
      fail(span, status !== undefined && status >= 400 && end.rpcStatus === undefined ? String(status) : errorType, end.error);
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
  if (request.route !== undefined) attributes[attribute.urlTemplate] = request.route;
  return attributes;
}

function setRoute(span: Span, { rule, target }: Routed): void {
  span.setAttribute(attribute.routeRule, rule);
  if (target !== undefined) span.setAttribute(attribute.routeTarget, target);
}

function fail(span: Span, errorType: string, error: unknown): void {
  span.setAttribute(attribute.errorType, errorType);
  const code = loadedApi().SpanStatusCode.ERROR;
  span.setStatus(error === undefined ? { code } : { code, message: describeError(error) });
}
