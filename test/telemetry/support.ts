import { type Attributes, context, metrics, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { DataPointType, type Histogram, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Clock } from "../../src/core/clock.ts";
import type { MeshRequest } from "../../src/core/dispatch.ts";
import type { EjectionRule } from "../../src/core/ejection-rule.ts";
import type { CallEnd } from "../../src/core/observing/call-observer.ts";
import type { IdentityReading } from "../../src/core/observing/identity-reading.ts";
import type { AttemptEnd, Observer } from "../../src/core/observing/observer.ts";
import type { MeshReading, RegistrationReading, ServerReading, ServiceReading } from "../../src/core/observing/reading.ts";
import type { ServedRequest } from "../../src/core/observing/served-request.ts";
import type { InstanceState, Upstream } from "../../src/core/upstream.ts";

class PulledReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** One point: its value, or the count and sum of a histogram. */
export interface Point {
  readonly attributes: Attributes;
  readonly value: number;
  readonly count: number;
}

/** A metrics SDK, registered globally, that gives its points when asked. */
export class MetricsSdk {
  // As many series as there are: the SDK's own limit would hide what the observer makes.
  readonly #reader = new PulledReader({ cardinalitySelector: () => 1_000_000 });
  readonly provider: MeterProvider = new MeterProvider({ readers: [this.#reader] });

  constructor() {
    metrics.setGlobalMeterProvider(this.provider);
  }

  /** Every metric that has points, by name. */
  async collect(): Promise<Map<string, { readonly unit: string; readonly buckets: readonly number[]; readonly points: readonly Point[] }>> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw new AggregateError(errors, "the collection failed");
    const found = new Map<string, { unit: string; buckets: readonly number[]; points: Point[] }>();
    for (const { scope, metrics: all } of resourceMetrics.scopeMetrics) {
      if (scope.name !== "inmesh") continue;
      for (const metric of all) {
        const isHistogram = metric.dataPointType === DataPointType.HISTOGRAM;
        const points = metric.dataPoints.map((point): Point => {
          const value = point.value as number | Histogram;
          return typeof value === "number"
            ? { attributes: point.attributes, value, count: 1 }
            : { attributes: point.attributes, value: value.sum ?? Number.NaN, count: value.count };
        });
        const buckets = isHistogram ? (metric.dataPoints[0]?.value.buckets.boundaries ?? []) : [];
        found.set(metric.descriptor.name, { unit: metric.descriptor.unit, buckets, points });
      }
    }
    return found;
  }

  /** The points of one metric; none when it has not been recorded. */
  async points(name: string): Promise<readonly Point[]> {
    return (await this.collect()).get(name)?.points ?? [];
  }

  async close(): Promise<void> {
    metrics.disable();
    await this.provider.shutdown();
  }
}

/** A tracing SDK with context manager and W3C propagator, registered globally. */
export class TracesSdk {
  readonly #exporter = new InMemorySpanExporter();
  readonly provider: TracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: this.#exporter })] });

  constructor() {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    trace.setGlobalTracerProvider(this.provider);
  }

  /** Spans that have ended, in that order. */
  get spans(): readonly ReadableSpan[] {
    return this.#exporter.getFinishedSpans();
  }

  async close(): Promise<void> {
    trace.disable();
    propagation.disable();
    context.disable();
    await this.provider.shutdown();
  }
}

/** A clock that stands still until it is moved. */
export class StillClock implements Clock {
  ms = 1000;
  now(): number {
    return this.ms;
  }
  wallNow(): number {
    return 1_800_000_000_000 + this.ms;
  }
  setTimer(): never {
    throw new Error("an observer needs no timer");
  }
  clearTimer(): void {}
}

/** Discovery has resolved `service` to `count` endpoints. */
export function resolved(observer: Observer, service: string, count = 1): void {
  const endpoints = Array.from({ length: count }, (_, index) => ({ id: `${index}`, host: "127.0.0.1", port: 8000 + index }));
  observer.onEvent?.({ type: "endpoints", service, endpoints, rejected: [], quarantined: false });
}

/** A request that this process serves. */
export function servedRequest(overrides: Partial<ServedRequest> & { headers?: Readonly<Record<string, string>> } = {}): ServedRequest {
  const { headers = {}, ...rest } = overrides;
  return {
    method: "GET",
    target: "/items/7?token=secret&page=2",
    scheme: "http",
    httpVersion: "1.1",
    route: undefined,
    peerAddress: "192.0.2.7",
    startedAt: 0,
    isInstrumented: false,
    header: (name) => headers[name],
    ...rest,
  };
}

/** The instance goes from its state into another one, and the observer is told. */
export function changeState(observer: Observer, upstream: Upstream, state: InstanceState, rule?: EjectionRule): void {
  const { service, state: former } = upstream;
  upstream.setState(state);
  observer.onEvent?.({ type: "instance-state", service, upstream, state, former, rule });
}

/** The readings of a mesh, which a test sets. */
export class ShownMesh implements MeshReading {
  zone: string | undefined = undefined;
  certificateExpiresAtMs: number | undefined = undefined;
  own: IdentityReading | undefined = undefined;
  identity = (): IdentityReading | undefined => this.own;
  shown: readonly ServiceReading[] = [];
  registered: readonly RegistrationReading[] = [];
  services = (): readonly ServiceReading[] => this.shown;
  registrations = (): readonly RegistrationReading[] => this.registered;
  served: readonly ServerReading[] = [];
  servers = (): readonly ServerReading[] => this.served;
}

/** A service with one available endpoint and nothing else of note, unless `overrides` says otherwise. */
export function serviceReading(service: string, overrides: Partial<ServiceReading> = {}): ServiceReading {
  return {
    service,
    inFlight: 0,
    endpoints: { available: 1, ejected: 0, probing: 0, unhealthy: 0 },
    avoided: 0,
    unconfirmed: 0,
    panicking: false,
    breaker: "closed",
    discoveryAgeMs: 0,
    registry: { source: "consul", state: "ok", failingMs: undefined, error: undefined },
    retryBudget: 10,
    concurrency: undefined,
    ...overrides,
  };
}

/** How an attempt ended: with status 200 after 30 ms, unless `end` says otherwise. */
export function attemptEnd(
  end: Partial<Omit<AttemptEnd, "record">> & { readonly record?: Partial<AttemptEnd["record"]> } = {},
): AttemptEnd {
  const status = end.error === undefined ? { status: 200 } : undefined;
  return {
    error: undefined,
    cancelled: false,
    totalMs: 30,
    ...end,
    record: { endpoint: "0", address: "127.0.0.1:8080", phase: "body", ms: 20, maybeExecuted: true, ...status, ...end.record },
  };
}

/** How a call ended: with status 200 after one attempt and 40 ms, unless `end` says otherwise. */
export function callEnd(end: Partial<CallEnd> = {}): CallEnd {
  return { status: 200, error: undefined, cancelled: false, attempts: 1, headMs: 25, totalMs: 40, ...end };
}

/** One call with one attempt that ends as `end` says, through the hooks. */
export function oneAttempt(observer: Observer, request: MeshRequest, upstream: Upstream, end: AttemptEnd = attemptEnd()): void {
  observer.onAttempt?.(request, upstream, observer.onCall?.(request))?.onEnd?.(end);
}

/** An identity that is good until 2030, unless `overrides` says otherwise. */
export function identityReading(overrides: Partial<IdentityReading> = {}): IdentityReading {
  const expiresAtMs = 1_900_000_000_500;
  return { source: "files", state: "ready", id: "spiffe://td/web", expiresAtMs, lifetimeMs: 3_600_000, failure: undefined, ...overrides };
}
