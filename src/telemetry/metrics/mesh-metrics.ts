import type { Context } from "@opentelemetry/api";
import type { MeshRequest } from "../../core/dispatch.ts";
import type { CallEnd } from "../../core/observing/call-observer.ts";
import type { EventHandlers } from "../../core/observing/events.ts";
import type { AttemptEnd } from "../../core/observing/observer.ts";
import type { MeshReading } from "../../core/observing/reading.ts";
import type { Upstream } from "../../core/upstream.ts";
import { attemptErrorType, callOutcome, errorTypeOf, type PickZone, pickZone } from "../attribute-values.ts";
import { countEvents } from "./event-metrics.ts";
import { reportInstanceBreakers, reportMesh } from "./gauges.ts";
import type { GaugeKey, Report, Sink, SinkFactory } from "./metric-sink.ts";
import type { NamedServices } from "./named-services.ts";
import type { ServiceSeries } from "./service-series.ts";

const pickZones: readonly PickZone[] = ["local", "other", "unknown"];

/** Turns what an observer is told into measurements. State is kept without an SDK too: one may be registered later. */
export class MeshMetrics {
  /** Counts the events. */
  readonly events: EventHandlers;
  readonly #services: NamedServices;
  readonly #sink: Sink;
  #mesh: MeshReading | undefined = undefined;
  #isClosed = false;

  constructor(services: NamedServices, sink: SinkFactory) {
    this.#services = services;
    this.#sink = sink((report) => this.#observe(report));
    this.events = countEvents(services, this.#sink);
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

  /** Ends reading the gauges, having told what was counted for the next time. */
  close(): void {
    this.#isClosed = true;
    for (const state of this.#services.all()) this.#addPicks(state);
    this.#sink.close();
  }

  #observe(report: Report<GaugeKey>): void {
    for (const state of this.#services.all()) {
      this.#addPicks(state);
      reportInstanceBreakers(state, report);
    }
    if (this.#mesh !== undefined) reportMesh(this.#mesh, this.#services, report);
  }

  /** One call for all attempts since the last time: what an SDK takes for a measurement is not paid by each of them. */
  #addPicks({ picks, zones }: ServiceSeries): void {
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
