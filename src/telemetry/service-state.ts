import type { Attributes } from "@opentelemetry/api";
import type { BreakerState } from "../core/observer.ts";
import type { Upstream } from "../core/upstream.ts";
import { AttemptSets, CallSets } from "./attribute-sets.ts";
import { attribute } from "./names.ts";
import { BoundedValues, knownMethod } from "./values.ts";

/** Distinct values of `inmesh.retry.reason`, and routes per service. */
const maxReasons = 32;
const maxRoutes = 100;

/** What the options say about the attributes of metrics. */
export interface SeriesOptions {
  readonly perEndpoint: boolean;
  readonly perRoute: boolean;
}

/** The metrics' view of one service: plain data that hooks write and the collection reads. */
export class ServiceState {
  readonly label: string;
  /** The set of metrics that only name the service. */
  readonly attributes: Attributes;
  readonly #options: SeriesOptions;
  readonly #attempts = new Map<string, AttemptSets>();
  // Weak, so that the sets of an instance go with it.
  readonly #attemptsByUpstream = new WeakMap<Upstream, Map<string, AttemptSets>>();
  readonly #calls = new Map<string, CallSets>();
  readonly #routes = new BoundedValues(maxRoutes);
  readonly #reasons = new BoundedValues(maxReasons);
  readonly #unavailable = new Set<Upstream>();
  readonly #upstreamBreakers = new Map<Upstream, BreakerState>();
  /** Endpoints in use. */
  known = 0;
  /** When discovery last confirmed them, in the clock's milliseconds; `undefined` before it did. */
  confirmedAt: number | undefined = undefined;
  /** Of the service's own breaker, once it has said so. */
  breaker: BreakerState | undefined = undefined;

  constructor(label: string, options: SeriesOptions) {
    this.label = label;
    this.#options = options;
    this.attributes = { [attribute.service]: label };
  }

  /** The sets of attempts with this method (and route and upstream, where the options ask for them). */
  attempts(method: string, route: string | undefined, upstream: Upstream): AttemptSets {
    const byKey = this.#options.perEndpoint ? this.#ownAttempts(upstream) : this.#attempts;
    const template = this.#template(route);
    const verb = knownMethod(method);
    const key = template === undefined ? verb : `${verb} ${template}`;
    let sets = byKey.get(key);
    if (sets === undefined) {
      const base: Attributes = {
        [attribute.method]: verb,
        // The conventions want the host of the URI's origin, and say why: not the network's level, low cardinality. What
        // the caller addressed is the service. There is no server.port for the same reason: a service has none, and
        // an instance's would make a series per instance, as the Host header (which names the instance) would.
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

  /** The sets of calls with this method (and route, where the options ask for it). */
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

  /** The reason of a retry as an attribute value. */
  reason(reason: string): string {
    return this.#reasons.admit(reason);
  }

  /** Takes note of an upstream that went into or out of rotation. */
  setAvailability(upstream: Upstream): void {
    if (upstream.available) this.#unavailable.delete(upstream);
    else this.#unavailable.add(upstream);
  }

  /** Takes note of the breaker of one upstream. */
  setUpstreamBreaker(upstream: Upstream, state: BreakerState): void {
    this.#upstreamBreakers.set(upstream, state);
  }

  /** The breakers of upstreams; `undefined` is reported once for those that discovery lists no more, which are then dropped. */
  *upstreamBreakers(): Generator<readonly [Upstream, BreakerState | undefined]> {
    for (const [upstream, state] of this.#upstreamBreakers) {
      yield [upstream, upstream.removed ? undefined : state];
      if (upstream.removed) this.#upstreamBreakers.delete(upstream);
    }
  }

  /** Endpoints in use that are in rotation. */
  get available(): number {
    this.#forgetUnavailable();
    return Math.max(0, this.known - this.#unavailable.size);
  }

  /** Drops what is held for upstreams that discovery lists no more: for as long as nobody collects. */
  forgetRemoved(): void {
    this.#forgetUnavailable();
    for (const upstream of this.#upstreamBreakers.keys()) if (upstream.removed) this.#upstreamBreakers.delete(upstream);
  }

  #forgetUnavailable(): void {
    for (const upstream of this.#unavailable) if (upstream.removed) this.#unavailable.delete(upstream);
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

/** The instance, as the network knows it. */
export function peerAttributes(upstream: Upstream): Attributes {
  return { [attribute.peerAddress]: upstream.endpoint.host, [attribute.peerPort]: upstream.endpoint.port };
}
