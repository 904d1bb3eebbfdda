import type { Attributes, Context } from "@opentelemetry/api";
import type { ServedAuthorization, ServedEnd, ServedRequest } from "../../core/observing/served-request.ts";
import type { RpcMethod } from "../../core/rpc/rpc-method.ts";
import { rpcStatus } from "../../core/rpc/rpc-status.ts";
import { attribute } from "../attribute-names.ts";
import { BoundedValues, knownMethod, knownVersion, servedErrorType } from "../attribute-values.ts";
import { AttemptSets, RpcSets, ValueSets } from "./attribute-sets.ts";
import type { GaugeKey, Report, Sink } from "./metric-sink.ts";

/** Distinct values of `http.route`. */
const maxRoutes = 100;
/** Distinct values of `inmesh.server.refusal`: the parts of a server that refuse are fewer. */
const maxRefusals = 16;

/** Distinct values of `inmesh.authorization.rule`. */
const maxRules = 100;

const none: Attributes = {};

/** Requests under way with one method and scheme. */
export interface ActiveCount {
  readonly attributes: Attributes;
  count: number;
}

/** Turns the requests that this process serves into measurements. */
export class ServedMetrics {
  readonly #sink: () => Sink;
  readonly #durations = new Map<string, AttemptSets>();
  readonly #active = new Map<string, ActiveCount>();
  readonly #routes = new BoundedValues(maxRoutes);
  readonly #refusals = new BoundedValues(maxRefusals);
  readonly #rules = new BoundedValues(maxRules);
  readonly #rpcSets = new RpcSets({});
  readonly #decisionSets = new Map<string, ValueSets>();
  readonly #refusalSets = new ValueSets({}, attribute.serverRefusal);

  constructor(sink: () => Sink) {
    this.#sink = sink;
  }

  /** A request has arrived. Its end is told with what this returns. */
  began({ method, scheme }: ServedRequest): ActiveCount {
    const verb = knownMethod(method);
    const key = `${verb} ${scheme}`;
    let active = this.#active.get(key);
    if (active === undefined) {
      active = { attributes: { [attribute.method]: verb, [attribute.scheme]: scheme }, count: 0 };
      this.#active.set(key, active);
    }
    active.count++;
    return active;
  }

  ended(request: ServedRequest, active: ActiveCount, end: ServedEnd, context?: Context): void {
    active.count--;
    const instruments = this.#sink().current();
    if (instruments === undefined) return;
    if (request.rpc === undefined || end.rpcStatus === undefined) {
      const set = this.#setsOf(request).of(end.status, servedErrorType(end));
      instruments.serverDuration.record(end.totalMs / 1000, set, context);
    } else instruments.rpcServerDuration.record(end.totalMs / 1000, this.#rpcSet(request.rpc, end.rpcStatus), context);
    if (request.isClearTextBesideTls === true) instruments.clearTextRequests.add(1, none);
    if (end.refusedBy !== undefined) instruments.serverRefused.add(1, this.#refusalSets.of(this.#refusals.admit(end.refusedBy)));
    if (end.authorization !== undefined) instruments.authorizations.add(1, this.#decisionSet(end.authorization));
  }

  /** Names of methods come from callers: one that does not exist makes no series. */
  #rpcSet(method: RpcMethod, status: number): Attributes {
    const known = status === rpcStatus.UNIMPLEMENTED ? undefined : method;
    return this.#rpcSets.of({ method: known, protocol: "grpc", status, errorType: servedErrorType({ rpcStatus: status }) });
  }

  #decisionSet({ decision, ruleId }: ServedAuthorization): Attributes {
    let sets = this.#decisionSets.get(decision);
    if (sets === undefined) {
      sets = new ValueSets({ [attribute.authorizationDecision]: decision }, attribute.authorizationRule);
      this.#decisionSets.set(decision, sets);
    }
    return sets.of(ruleId === undefined ? "_none" : this.#rules.admit(ruleId));
  }

  /** Reports the requests under way. */
  report(report: Report<GaugeKey>): void {
    for (const { attributes, count } of this.#active.values()) report("activeRequests", count, attributes);
  }

  #setsOf({ method, scheme, httpVersion, route: given }: ServedRequest): AttemptSets {
    const verb = knownMethod(method);
    const version = knownVersion(httpVersion);
    const route = given === undefined ? undefined : this.#routes.admit(given);
    const key = route === undefined ? `${verb} ${scheme} ${version}` : `${verb} ${scheme} ${version} ${route}`;
    let sets = this.#durations.get(key);
    if (sets === undefined) {
      const base: Attributes = { [attribute.method]: verb, [attribute.scheme]: scheme, [attribute.protocolVersion]: version };
      if (route !== undefined) base[attribute.route] = route;
      sets = new AttemptSets(base);
      this.#durations.set(key, sets);
    }
    return sets;
  }
}
