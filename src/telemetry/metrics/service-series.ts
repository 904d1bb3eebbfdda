import type { Attributes } from "@opentelemetry/api";
import type { Upstream } from "../../core/upstream.ts";
import { attribute } from "../attribute-names.ts";
import { BoundedValues, knownMethod, type PickZone, peerAttributes } from "../attribute-values.ts";
import { AttemptSets, CallSets, RpcSets, ValueSets } from "./attribute-sets.ts";
import { InstanceGauges } from "./instance-gauges.ts";

/** Distinct values of `inmesh.retry.reason` per service. */
const maxReasons = 32;
/** Distinct values of `url.template` per service. */
const maxRoutes = 100;

/** The options that add attributes to metrics. */
export interface SeriesOptions {
  readonly perEndpoint: boolean;
  readonly perRoute: boolean;
}

/** The series of one service: its attribute sets, each made once, and the picks counted since the last collection. */
export class ServiceSeries {
  readonly label: string;
  /** The set of metrics whose only attribute is the service. */
  readonly attributes: Attributes;
  /** The sets of metrics with one more attribute: `inmesh.zone`, and so on. */
  readonly zones: ValueSets;
  readonly denials: ValueSets;
  readonly ejectionRules: ValueSets;
  readonly endpointStates: ValueSets;
  readonly breakerStates: ValueSets;
  readonly discoveryOutcomes: ValueSets;
  readonly errorTypes: ValueSets;
  /** The sets of remote procedure calls. */
  readonly rpc: RpcSets;
  /** Attempts that ended since the last collection, by zone: an attempt costs one addition. */
  readonly picks: Record<PickZone, number> = { local: 0, other: 0, unknown: 0 };
  /** Attempts without TLS that ended since the last collection. */
  clearText = 0;
  /** The gauges of its instances; `undefined` without `perEndpoint`. */
  readonly instances: InstanceGauges | undefined;
  readonly #options: SeriesOptions;
  readonly #retries: ValueSets;
  readonly #endpointBreakerStates: ValueSets;
  readonly #attempts = new Map<string, AttemptSets>();
  // Weak, so that the sets of an instance are collected with it.
  readonly #attemptsByUpstream = new WeakMap<Upstream, Map<string, AttemptSets>>();
  readonly #breakersByUpstream = new WeakMap<Upstream, ValueSets>();
  readonly #calls = new Map<string, CallSets>();
  readonly #routes = new BoundedValues(maxRoutes);
  readonly #reasons = new BoundedValues(maxReasons);
  readonly #changedInstances = new Set<Upstream>();

  constructor(label: string, options: SeriesOptions) {
    const attributes: Attributes = { [attribute.service]: label };
    this.label = label;
    this.attributes = attributes;
    this.#options = options;
    this.instances = options.perEndpoint ? new InstanceGauges(attributes) : undefined;
    this.zones = new ValueSets(attributes, attribute.zone);
    this.#retries = new ValueSets(attributes, attribute.retryReason);
    this.denials = new ValueSets(attributes, attribute.retryDenial);
    this.ejectionRules = new ValueSets(attributes, attribute.ejectionRule);
    this.endpointStates = new ValueSets(attributes, attribute.endpointState);
    this.breakerStates = new ValueSets({ ...attributes, [attribute.breakerScope]: "service" }, attribute.breakerState);
    this.#endpointBreakerStates = new ValueSets({ ...attributes, [attribute.breakerScope]: "endpoint" }, attribute.breakerState);
    this.discoveryOutcomes = new ValueSets(attributes, attribute.discoveryOutcome);
    this.errorTypes = new ValueSets(attributes, attribute.errorType);
    this.rpc = new RpcSets({ [attribute.serverAddress]: label, [attribute.service]: label });
  }

  /** The sets of attempts with this method, and with this route and instance where the options add them. */
  attempts(method: string, route: string | undefined, upstream: Upstream): AttemptSets {
    const byKey = this.#options.perEndpoint ? this.#ownAttempts(upstream) : this.#attempts;
    const template = this.#template(route);
    const verb = knownMethod(method);
    const key = template === undefined ? verb : `${verb} ${template}`;
    let sets = byKey.get(key);
    if (sets === undefined) {
      const base: Attributes = {
        [attribute.method]: verb,
        // The conventions prescribe the host of the URI's origin, for low cardinality. The caller has addressed the service. There is no
        // server.port, since a service has none and an instance's would make a series per instance, as the Host header would.
        [attribute.serverAddress]: this.label,
        [attribute.service]: this.label,
      };
      if (template !== undefined) base[attribute.urlTemplate] = template;
      if (this.#options.perEndpoint) Object.assign(base, peerAttributes(upstream));
      sets = new AttemptSets(base);
      byKey.set(key, sets);
    }
    return sets;
  }

  /** The sets of calls with this method, and with this route where the options add it. */
  calls(method: string, route: string | undefined): CallSets {
    const template = this.#template(route);
    const verb = knownMethod(method);
    const key = template === undefined ? verb : `${verb} ${template}`;
    let sets = this.#calls.get(key);
    if (sets === undefined) {
      const base: Attributes = { [attribute.service]: this.label, [attribute.method]: verb };
      if (template !== undefined) base[attribute.urlTemplate] = template;
      sets = new CallSets(base);
      this.#calls.set(key, sets);
    }
    return sets;
  }

  /** The set of retries for this reason. */
  retries(reason: string): Attributes {
    return this.#retries.of(this.#reasons.admit(reason));
  }

  /** The sets of an instance's breaker, by state; shared by all instances without `perEndpoint`. */
  endpointBreakerStates(upstream: Upstream): ValueSets {
    if (!this.#options.perEndpoint) return this.#endpointBreakerStates;
    let sets = this.#breakersByUpstream.get(upstream);
    if (sets === undefined) {
      const base = { ...this.attributes, [attribute.breakerScope]: "endpoint", ...peerAttributes(upstream) };
      sets = new ValueSets(base, attribute.breakerState);
      this.#breakersByUpstream.set(upstream, sets);
    }
    return sets;
  }

  /** Remembers an instance whose state has changed, with `perEndpoint`. */
  noteInstance(upstream: Upstream): void {
    if (this.#options.perEndpoint) this.#changedInstances.add(upstream);
  }

  /** The instances whose state has changed since they were first seen. A removed one is returned once more and then forgotten. */
  *changedInstances(): Generator<Upstream> {
    for (const upstream of this.#changedInstances) {
      yield upstream;
      if (upstream.removed) this.#changedInstances.delete(upstream);
    }
  }

  /** Forgets removed instances. For the time without an SDK, in which {@link changedInstances} is not read. */
  forgetRemoved(): void {
    for (const upstream of this.#changedInstances) if (upstream.removed) this.#changedInstances.delete(upstream);
  }

  #ownAttempts(upstream: Upstream): Map<string, AttemptSets> {
    let own = this.#attemptsByUpstream.get(upstream);
    if (own === undefined) {
      own = new Map();
      this.#attemptsByUpstream.set(upstream, own);
    }
    return own;
  }

  #template(route: string | undefined): string | undefined {
    return route === undefined || !this.#options.perRoute ? undefined : this.#routes.admit(route);
  }
}
