import type { Context } from "@opentelemetry/api";
import { type Clock, systemClock } from "../core/clock.ts";
import type { CallObserver } from "../core/observing/call-observer.ts";
import type { Observer } from "../core/observing/observer.ts";
import { checkFlag, checkInteger, checkKeys, checkObject } from "../core/settings/checks.ts";
import { FollowedCall, MeteredAttempt, PropagatedAttempt, type Reporters, TracedAttempt } from "./followers.ts";
import { MeshMetrics } from "./metrics/mesh-metrics.ts";
import { NamedServices } from "./metrics/named-services.ts";
import { OpenTelemetrySink } from "./metrics/open-telemetry-sink.ts";
import { meterHooks, namingHooks } from "./metrics-observer.ts";
import { loadedApi } from "./open-telemetry-api.ts";
import { MeteredServed, TracedServed } from "./served-followers.ts";
import { startServed } from "./spans/served-spans.ts";
import { isUndiciObserved, MeshSpans } from "./spans/spans.ts";

/** Options of {@link openTelemetry}. */
export interface OpenTelemetryOptions {
  /** Records metrics while a meter provider is registered. Default `true`. */
  readonly metrics?: boolean;
  /** Makes spans and propagates their context while a tracer provider is registered. Default `true`. */
  readonly traces?: boolean;
  /** Adds the instance's address to the metrics of attempts and breakers: a set of series per instance. Default `false`. */
  readonly perEndpoint?: boolean;
  /** Adds `init.mesh.route` to the durations, at most 100 routes per service. Default `false`. */
  readonly perRoute?: boolean;
  /** Makes a span around every call, the parent of its attempts. Default `false`: only a call that fails without an attempt gets one. */
  readonly callSpans?: boolean;
  /** Keeps the query in `url.full`; values of parameters that usually are secrets are redacted. Default `false`. */
  readonly recordQuery?: boolean;
  /** Number of services with a name of their own in metrics; further ones count as `_unknown`. Default 500. */
  readonly maxServices?: number;
  /** Default: the clock of the process. */
  readonly clock?: Clock;
}

const flags = ["metrics", "traces", "perEndpoint", "perRoute", "callSpans", "recordQuery"] as const;
const known: readonly (keyof OpenTelemetryOptions)[] = [...flags, "maxServices", "clock"];

/**
 * Makes an observer that reports to OpenTelemetry, under the names of its semantic conventions where there is one. It needs
 * `@opentelemetry/api` alone, uses the SDK that is registered at the time, also one registered later, and costs nanoseconds while there is
 * none. Make one for each mesh.
 * @throws TypeError or RangeError for a wrong option.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Observer {
  checkObject("openTelemetry: options", options);
  checkKeys("openTelemetry", options, known);
  for (const flag of flags) checkFlag(`openTelemetry: ${flag}`, options[flag]);
  checkInteger("openTelemetry: maxServices", options.maxServices, 0);
  const { metrics = true, traces = true, perEndpoint = false, perRoute = false } = options;
  const { callSpans = false, recordQuery = false, maxServices = 500, clock = systemClock } = options;
  if (!metrics && !traces) return {};

  const services = new NamedServices(maxServices, { perEndpoint, perRoute });
  const meter = metrics ? new MeshMetrics(services, (observe) => new OpenTelemetrySink(observe)) : undefined;
  const spans = traces ? new MeshSpans({ callSpans, recordQuery }, clock) : undefined;
  const reporters: Reporters = { services, metrics: meter, spans };
  return {
    ...(meter === undefined ? namingHooks(services) : meterHooks(meter)),
    onCall(request) {
      if (meter?.isOn !== true && spans?.isOn !== true) return undefined;
      return new FollowedCall(reporters, request);
    },
    onServe(request) {
      // The instrumentation of node:http makes a span of each request and measures it under the same names.
      if (request.isInstrumented) return undefined;
      const metered = meter?.isOn === true ? new MeteredServed(meter.served, request) : undefined;
      const span = spans?.isOn === true ? startServed(spans, request, recordQuery) : undefined;
      return span === undefined ? metered : new TracedServed(span, metered);
    },
    onAttempt(request, upstream, call) {
      if (spans?.isOn === true) {
        const parent = contextOf(call) ?? loadedApi().context.active();
        const own = spans.startAttempt(request, upstream, parent);
        if (own !== undefined) {
          if (own.span.isRecording() || isUndiciObserved()) return new TracedAttempt(reporters, request, upstream, own);
          // Sampled out: the headers tell the instance, and the span needs nothing else.
          return meter?.isOn === true ? new MeteredAttempt(meter, request, upstream, own, own.headers) : new PropagatedAttempt(own.headers);
        }
      }
      return meter?.isOn === true ? new MeteredAttempt(meter, request, upstream, contextOf(call)) : undefined;
    },
    onCopy(request, upstream, call) {
      if (spans?.isOn !== true) return undefined;
      const own = spans.startCopy(request, upstream, contextOf(call) ?? loadedApi().context.active());
      return own === undefined ? undefined : new TracedAttempt({ ...reporters, metrics: undefined }, request, upstream, own);
    },
  };
}

function contextOf(call: CallObserver | undefined): Context | undefined {
  return call instanceof FollowedCall ? call.context : undefined;
}
