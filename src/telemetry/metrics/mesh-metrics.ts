import type { Context } from "@opentelemetry/api";
import type { MeshRequest, RpcCall } from "../../core/dispatch.ts";
import type { CallEnd, RouteDecision } from "../../core/observing/call-observer.ts";
import type { EventHandlers } from "../../core/observing/events.ts";
import type { AttemptEnd } from "../../core/observing/observer.ts";
import type { MeshReading } from "../../core/observing/reading.ts";
import { rpcMethodOf } from "../../core/rpc/rpc-method.ts";
import { rpcStatus, rpcStatusName } from "../../core/rpc/rpc-status.ts";
import type { Upstream } from "../../core/upstream.ts";
import { attemptErrorType, callOutcome, errorTypeOf, type PickZone, pickZone } from "../attribute-values.ts";
import type { RpcEnd } from "./attribute-sets.ts";
import { CanaryMetrics } from "./canary/canary-metrics.ts";
import { ConfigMetrics } from "./configuration/config-metrics.ts";
import { countEvents } from "./event-metrics.ts";
import { reportInstanceBreakers, reportMesh } from "./gauges.ts";
import type { GaugeKey, Report, Sink, SinkFactory } from "./metric-sink.ts";
import type { NamedServices } from "./named-services.ts";
import { RegistrationMetrics } from "./registration-metrics.ts";
import { RouteMetrics } from "./route-metrics.ts";
import { SecurityMetrics } from "./security-metrics.ts";
import { ServedMetrics } from "./served-metrics.ts";
import { ServerMetrics } from "./server-metrics.ts";
import type { ServiceSeries } from "./service-series.ts";

const pickZones: readonly PickZone[] = ["local", "other", "unknown"];

/** Turns calls, attempts and events into measurements. State is kept also while no SDK is registered, since one may be later. */
export class MeshMetrics {
  /** Counts the events. */
  readonly events: EventHandlers;
  /** Measures the requests that this process serves. */
  readonly served: ServedMetrics = new ServedMetrics(() => this.#sink);
  readonly #services: NamedServices;
  readonly #registrations: RegistrationMetrics;
  readonly #servers: ServerMetrics;
  readonly #security: SecurityMetrics;
  readonly #config: ConfigMetrics;
  readonly #routes: RouteMetrics;
  readonly #canaries: CanaryMetrics;
  readonly #sink: Sink;
  #mesh: MeshReading | undefined = undefined;
  /** Whether this process has an identity, or will have one: only then an attempt without TLS says something. */
  #hasIdentity = false;
  #isClosed = false;

  constructor(services: NamedServices, sink: SinkFactory) {
    this.#services = services;
    this.#sink = sink((report) => this.#observe(report));
    this.#registrations = new RegistrationMetrics(this.#sink);
    this.#servers = new ServerMetrics(this.#sink);
    this.#security = new SecurityMetrics(this.#sink);
    this.#config = new ConfigMetrics(this.#sink);
    this.#routes = new RouteMetrics(services, this.#sink);
    this.#canaries = new CanaryMetrics(this.#sink);
    this.events = {
      ...countEvents(services, this.#registrations, this.#servers, this.#security, this.#routes, this.#sink),
      canary: this.#canaries.count,
      configured: () => this.#config.count("applied"),
      "configuration-refused": () => this.#config.count("refused"),
    };
  }

  /** Whether measurements are taken: always by Prometheus, by OpenTelemetry while an SDK is registered. */
  get isOn(): boolean {
    return this.#sink.current() !== undefined;
  }

  /** Takes the mesh that the gauges are read from. It may have services already. */
  opened(mesh: MeshReading): void {
    this.#mesh = mesh;
    this.#hasIdentity = mesh.identity?.() !== undefined;
    this.#services.takeFrom(mesh);
    // An SDK that is registered already gets the gauges from now on, not from the first call.
    this.#sink.current();
  }

  /** `decided`: what the routes of the mesh decided; `undefined` for a call that met none. */
  callEnded(request: MeshRequest, end: CallEnd, context?: Context, decided?: RouteDecision): void {
    const instruments = this.#sink.current();
    if (instruments === undefined) return;
    // Looked up at the end of the call: the first call of a service begins before discovery has resolved it.
    const state = this.#services.find(decided?.service ?? request.service);
    const { outcome, errorType } = callOutcome(end);
    const sets = state.calls(request.method, request.route);
    instruments.callDuration.record(end.totalMs / 1000, sets.of(outcome, errorType), context);
    if (request.rpc !== undefined)
      instruments.rpcClientDuration.record(end.totalMs / 1000, state.rpc.of(rpcEndOf(request.rpc, request.path, end, errorType)), context);
    if (decided !== undefined) this.#routes.countCall(decided.routed, outcome);
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
    if (this.#hasIdentity && upstream.endpoint.secure !== true) state.clearText++;
    if (this.#isClosed) this.#addPicks(state);
  }

  /** Reports the picks counted since the last collection, and ends the gauges. */
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
    this.served.report(report);
    if (this.#mesh === undefined) return;
    reportMesh(this.#mesh, this.#services, report);
    this.#registrations.report(this.#mesh, report);
    this.#servers.report(this.#mesh, report);
    this.#security.report(this.#mesh, report);
    this.#canaries.report(this.#mesh, report);
    this.#config.report(this.#mesh, report);
  }

  /** One measurement for all attempts since the last collection: an SDK takes half a microsecond for each measurement. */
  #addPicks(series: ServiceSeries): void {
    const { picks, zones, clearText, attributes } = series;
    const instruments = this.#sink.current();
    if (instruments === undefined) return;
    if (clearText > 0) {
      series.clearText = 0;
      instruments.clearTextAttempts.add(clearText, attributes);
    }
    for (const zone of pickZones) {
      const count = picks[zone];
      if (count === 0) continue;
      picks[zone] = 0;
      instruments.picks.add(count, zones.of(zone));
    }
  }
}

/** Of a call whose status is an error, the name of the status; else what the mesh says of it. */
function rpcEndOf({ protocol }: RpcCall, path: string, { rpcStatus: status }: CallEnd, errorType: string | undefined): RpcEnd {
  const named = status === undefined || status === rpcStatus.OK ? errorType : rpcStatusName(status);
  return { method: rpcMethodOf(path), protocol, status, errorType: named };
}

/** Whether the deadline ended the call: it cancels the call with that error; the time limit of an attempt cancels only the attempt. */
function isDeadline({ cancellation }: MeshRequest, error: unknown): boolean {
  return error !== undefined && error === cancellation.reason && errorTypeOf(error) === "ERR_MESH_TIMEOUT";
}
