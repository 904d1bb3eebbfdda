import type { Attributes, BatchObservableCallback } from "@opentelemetry/api";
import type { Clock } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import type { AttemptEnd, BreakerState, CallEnd, EndpointsUpdate, RetryDenial } from "../core/observer.ts";
import type { Upstream } from "../core/upstream.ts";
import { InstrumentSource, type Instruments } from "./instruments.ts";
import { attribute } from "./names.ts";
import { peerAttributes, type ServiceState } from "./service-state.ts";
import type { Services } from "./services.ts";
import { attemptErrorType, callOutcome, errorTypeOf } from "./values.ts";

const breakerStates: readonly BreakerState[] = ["closed", "open", "half-open"];

/** Turns what the hooks say into measurements. State is kept without an SDK too: one may be registered later. */
export class MeshMetrics {
  readonly #services: Services;
  readonly #perEndpoint: boolean;
  readonly #clock: Clock;
  readonly #source: InstrumentSource;

  constructor(services: Services, perEndpoint: boolean, clock: Clock) {
    this.#services = services;
    this.#perEndpoint = perEndpoint;
    this.#clock = clock;
    this.#source = new InstrumentSource((instruments, result) => this.#observe(instruments, result));
  }

  /** Whether anything takes the measurements. */
  get isOn(): boolean {
    return this.#source.current() !== undefined;
  }

  callEnded(request: MeshRequest, end: CallEnd): void {
    const instruments = this.#source.current();
    if (instruments === undefined) return;
    // Looked up at the end: the first call of a service begins before discovery has resolved it.
    const state = this.#services.find(request.service);
    const { outcome, errorType } = callOutcome(end);
    instruments.callDuration.record(end.totalMs / 1000, state.calls(request.method, request.options.route).of(outcome, errorType));
    if (end.attempts > 0) instruments.attempts.record(end.attempts, state.attributes);
  }

  attemptEnded(request: MeshRequest, upstream: Upstream, end: AttemptEnd): void {
    const instruments = this.#source.current();
    if (instruments === undefined) return;
    const sets = this.#services.find(request.service).attempts(request.method, request.options.route, upstream);
    instruments.attemptDuration.record(end.totalMs / 1000, sets.of(end.record.status, attemptErrorType(end)));
  }

  retried(service: string, reason: string): void {
    const state = this.#services.find(service);
    this.#source.current()?.retries.add(1, { ...state.attributes, [attribute.retryReason]: state.reason(reason) });
  }

  retryDenied(service: string, denial: RetryDenial): void {
    const { attributes } = this.#services.find(service);
    this.#source.current()?.retriesDenied.add(1, { ...attributes, [attribute.retryDenial]: denial });
  }

  endpointsUpdated({ service, endpoints, rejected, quarantined }: EndpointsUpdate): void {
    const state = endpoints.length > 0 ? this.#services.resolve(service) : this.#services.find(service);
    const named = this.#services.named(service);
    if (named !== undefined) {
      named.known = endpoints.length;
      // A quarantined answer confirms nothing: what is in use goes on ageing.
      if (!quarantined) named.confirmedAt = this.#clock.now();
    }
    const instruments = this.#source.current();
    if (instruments === undefined) {
      named?.forgetRemoved();
      return;
    }
    const outcome = quarantined ? "quarantined" : "accepted";
    instruments.discoveryUpdates.add(1, { ...state.attributes, [attribute.discoveryOutcome]: outcome });
    if (rejected.length > 0) instruments.discoveryRejected.add(rejected.length, state.attributes);
  }

  discoveryFailed(service: string, error: unknown): void {
    const { attributes } = this.#services.find(service);
    this.#source.current()?.discoveryErrors.add(1, { ...attributes, [attribute.errorType]: errorTypeOf(error) });
  }

  availabilityChanged(upstream: Upstream): void {
    this.#services.named(upstream.service)?.setAvailability(upstream);
  }

  breakerChanged(service: string, breaker: BreakerState, upstream: Upstream | undefined): void {
    const named = this.#services.named(service);
    if (upstream !== undefined && this.#perEndpoint) named?.setUpstreamBreaker(upstream, breaker);
    else if (upstream === undefined && named !== undefined) named.breaker = breaker;
    this.#source.current()?.breakerTransitions.add(1, {
      ...this.#services.find(service).attributes,
      [attribute.breakerScope]: upstream === undefined ? "service" : "endpoint",
      [attribute.breakerState]: breaker,
      ...(upstream !== undefined && this.#perEndpoint ? peerAttributes(upstream) : undefined),
    });
  }

  /** Takes the callback out of the meter. */
  close(): void {
    this.#source.close();
  }

  #observe(instruments: Instruments, result: Parameters<BatchObservableCallback>[0]): void {
    const now = this.#clock.now();
    // Only services with a name: the states behind `_unknown` would overwrite each other.
    for (const state of this.#services) {
      const { attributes } = state;
      result.observe(instruments.endpoints, state.known, { ...attributes, [attribute.endpointState]: "known" });
      result.observe(instruments.endpoints, state.available, { ...attributes, [attribute.endpointState]: "available" });
      if (state.confirmedAt !== undefined) {
        result.observe(instruments.discoveryAge, Math.max(0, now - state.confirmedAt) / 1000, attributes);
      }
      this.#observeBreakers(instruments, result, state);
    }
  }

  #observeBreakers(instruments: Instruments, result: Parameters<BatchObservableCallback>[0], state: ServiceState): void {
    // Zeros for the states it is not in, and for an instance that has left: the SDK goes on exporting the last value of a
    // series that is not observed any more (open-telemetry/opentelemetry-js#4096).
    const observe = (breaker: BreakerState | undefined, scope: string, peer: Attributes | undefined): void => {
      for (const each of breakerStates) {
        const own = { ...state.attributes, [attribute.breakerScope]: scope, [attribute.breakerState]: each };
        result.observe(instruments.breakerState, each === breaker ? 1 : 0, { ...own, ...peer });
      }
    };
    if (state.breaker !== undefined) observe(state.breaker, "service", undefined);
    for (const [upstream, breaker] of state.upstreamBreakers()) observe(breaker, "endpoint", peerAttributes(upstream));
  }
}
