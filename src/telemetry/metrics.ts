import type { Context } from "@opentelemetry/api";
import type { BreakerState } from "../core/breaker-state.ts";
import type { CallEnd } from "../core/call-observer.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import type { AttemptEnd, EndpointsUpdate, RetryDenial } from "../core/observer.ts";
import type { MeshReading } from "../core/reading.ts";
import type { Upstream } from "../core/upstream.ts";
import { reportMesh, reportUpstreamBreakers } from "./gauges.ts";
import type { ServiceState } from "./service-state.ts";
import type { Services } from "./services.ts";
import type { GaugeKey, Report, Sink, SinkFactory } from "./sink.ts";
import { attemptErrorType, callOutcome, errorTypeOf, knownRule, type PickZone, pickZone } from "./values.ts";

const pickZones: readonly PickZone[] = ["local", "other", "unknown"];

/** Turns what the hooks say into measurements. State is kept without an SDK too: one may be registered later. */
export class MeshMetrics {
  readonly #services: Services;
  readonly #sink: Sink;
  #mesh: MeshReading | undefined = undefined;
  #isClosed = false;

  constructor(services: Services, sink: SinkFactory) {
    this.#services = services;
    this.#sink = sink((report) => this.#observe(report));
  }

  /** Whether anything takes the measurements. */
  get isOn(): boolean {
    return this.#sink.current() !== undefined;
  }

  /** The gauges are read from `mesh`, whose services may be known already. */
  opened(mesh: MeshReading): void {
    this.#mesh = mesh;
    this.#services.takeFrom(mesh);
    // An SDK that is there has the gauges from now on, and not from the first call.
    this.#sink.current();
  }

  callEnded(request: MeshRequest, end: CallEnd, context?: Context): void {
    const instruments = this.#sink.current();
    if (instruments === undefined) return;
    // Looked up at the end: the first call of a service begins before discovery has resolved it.
    const state = this.#services.find(request.service);
    const { outcome, errorType } = callOutcome(end);
    const sets = state.calls(request.method, request.route);
    instruments.callDuration.record(end.totalMs / 1000, sets.of(outcome, errorType), context);
    if (end.attempts > 0) instruments.attempts.record(end.attempts, state.attributes, context);
    if (isDeadline(request, end.error)) instruments.deadlineExceeded.add(1, state.attributes);
  }

  attemptEnded(request: MeshRequest, upstream: Upstream, end: AttemptEnd, context?: Context): void {
    const instruments = this.#sink.current();
    if (instruments === undefined) return;
    const state = this.#services.find(request.service);
    const sets = state.attempts(request.method, request.route, upstream);
    instruments.attemptDuration.record(end.totalMs / 1000, sets.of(end.record.status, attemptErrorType(end)), context);
    state.picks[pickZone(this.#mesh?.zone, upstream.endpoint.zone)]++;
    if (this.#isClosed) this.#addPicks(state);
  }

  retried(service: string, reason: string): void {
    const state = this.#services.find(service);
    this.#sink.current()?.retries.add(1, state.retries(reason));
  }

  retryDenied(service: string, denial: RetryDenial): void {
    this.#sink.current()?.retriesDenied.add(1, this.#services.find(service).denials.of(denial));
  }

  hedged(service: string): void {
    this.#sink.current()?.hedges.add(1, this.#services.find(service).attributes);
  }

  hedgeWon(service: string): void {
    this.#sink.current()?.hedgesWon.add(1, this.#services.find(service).attributes);
  }

  endpointsUpdated({ service, endpoints, rejected, quarantined }: EndpointsUpdate): void {
    const state = endpoints.length > 0 ? this.#services.resolve(service) : this.#services.find(service);
    const instruments = this.#sink.current();
    if (instruments === undefined) {
      state.forgetRemoved();
      return;
    }
    instruments.discoveryUpdates.add(1, state.discoveryOutcomes.of(quarantined ? "quarantined" : "accepted"));
    if (rejected.length > 0) instruments.discoveryRejected.add(rejected.length, state.attributes);
  }

  discoveryFailed(service: string, error: unknown): void {
    this.#sink.current()?.discoveryErrors.add(1, this.#services.find(service).errorTypes.of(errorTypeOf(error)));
  }

  ejected(upstream: Upstream, rule: string): void {
    this.#sink.current()?.ejections.add(1, this.#services.find(upstream.service).ejectionRules.of(knownRule(rule)));
  }

  breakerChanged(service: string, breaker: BreakerState, upstream: Upstream | undefined): void {
    if (upstream !== undefined) this.#services.named(service)?.setUpstreamBreaker(upstream, breaker);
    const state = this.#services.find(service);
    const sets = upstream === undefined ? state.breakerStates : state.endpointBreakerStates(upstream);
    this.#sink.current()?.breakerTransitions.add(1, sets.of(breaker));
  }

  /** Ends reading the gauges, having told what was counted for the next time. */
  close(): void {
    this.#isClosed = true;
    for (const state of this.#services.all()) this.#addPicks(state);
    this.#sink.close();
  }

  #observe(report: Report<GaugeKey>): void {
    for (const state of this.#services.all()) {
      this.#addPicks(state);
      reportUpstreamBreakers(state, report);
    }
    if (this.#mesh !== undefined) reportMesh(this.#mesh, this.#services, report);
  }

  /** One call for all attempts since the last time: what an SDK takes for a measurement is not paid by each of them. */
  #addPicks({ picks, zones }: ServiceState): void {
    const counter = this.#sink.current()?.picks;
    if (counter === undefined) return;
    for (const zone of pickZones) {
      const count = picks[zone];
      if (count === 0) continue;
      picks[zone] = 0;
      counter.add(count, zones.of(zone));
    }
  }
}

/** The deadline cancels the call with the error that it ends with; the time limit of an attempt cancels the attempt. */
function isDeadline({ cancellation }: MeshRequest, error: unknown): boolean {
  return error !== undefined && error === cancellation.reason && errorTypeOf(error) === "ERR_MESH_TIMEOUT";
}
