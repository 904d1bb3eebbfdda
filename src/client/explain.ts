import type { Balancer } from "../balancer/balancer.ts";
import type { Standing } from "../balancer/candidates/standing.ts";
import type { Picker, PickerView } from "../balancer/picker.ts";
import type { EjectionRule } from "../core/ejection-rule.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { describeError } from "../core/errors.ts";
import type { BreakerState } from "../core/observer.ts";
import type { Upstream } from "../core/upstream.ts";
import type { HealthCheckResult, UpstreamStanding } from "../policies/upstream-standing.ts";
import { explanationTable } from "./explanation-table.ts";

/** Why an endpoint is out of rotation. */
export interface Ejection {
  readonly rule: EjectionRule;
  /** Since when, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When its pause ends, in milliseconds since the epoch; `undefined` when it waits for a probe, or for a health check that passes. */
  readonly untilMs: number | undefined;
}

/** One endpoint in a {@link ServiceExplanation}. */
export interface EndpointExplanation {
  readonly endpoint: Endpoint;
  readonly address: string;
  /** `true` when the picker chooses from it now. */
  readonly candidate: boolean;
  /** Why it is, or is not. */
  readonly reason: string;
  /** The share of the service's requests that its priority and zone are given, 0 to 1; `undefined` for no candidate. */
  readonly share: number | undefined;
  /** The part of its share that it gets while it warms up, below 1; `undefined` when it is warm. */
  readonly warmth: number | undefined;
  readonly breaker: BreakerState;
  /** What took it out of rotation; `undefined` while it is in. */
  readonly ejection: Ejection | undefined;
  /** How often it has been taken out. */
  readonly ejections: number;
  /** The last active health check; `undefined` without one. */
  readonly healthCheck: HealthCheckResult | undefined;
  /** What is odd about it: discovery lists it no longer but so suddenly that it is kept until that is confirmed. */
  readonly warning: string | undefined;
  readonly inFlight: number;
  readonly requests: number;
  readonly failures: number;
  /** Moving average of the time to the response head, in milliseconds. */
  readonly latencyMs: number;
  /** What the picker knows of it, such as its cost or its effective weight; `undefined` for a picker that says nothing. */
  readonly picker: PickerView | undefined;
}

/** What `mesh.explain(service)` answers; as a string it is a table. */
export interface ServiceExplanation {
  readonly service: string;
  /** What is asked for endpoints. */
  readonly discovery: string;
  /** Milliseconds since the last good answer; `undefined` when there has been none. */
  readonly ageMs: number | undefined;
  /** Why the newest data is not newer, when the last attempt to get some failed. */
  readonly discoveryError: string | undefined;
  /** The breaker of the whole service. */
  readonly breaker: BreakerState;
  readonly endpoints: readonly EndpointExplanation[];
  /** The same for people, a line for each endpoint: `console.log(String(mesh.explain("orders")))`. */
  toString(): string;
}

interface Source {
  readonly service: string;
  readonly discovery: string;
  readonly ageMs: number | undefined;
  readonly lastError: unknown;
  readonly unconfirmed: readonly Endpoint[];
  readonly breaker: BreakerState;
  readonly standingOf: (upstream: Upstream) => UpstreamStanding | undefined;
  readonly balancer: Balancer;
  readonly picker: Pick<Picker, "explain">;
  readonly nowMs: number;
}

/** Puts together what the parts of a service know. Costs nothing unless it is called. */
export function explainService(source: Source): ServiceExplanation {
  const { service, discovery, ageMs, lastError, breaker, balancer, nowMs } = source;
  const unconfirmed = new Set(source.unconfirmed.map(({ id }) => id));
  const explanation = {
    service,
    discovery,
    ageMs,
    discoveryError: lastError === undefined ? undefined : describeError(lastError),
    breaker,
    endpoints: balancer.upstreams.map((upstream) => explainEndpoint(upstream, source, unconfirmed)),
  };
  // Not enumerable: it is no part of the data when that is compared or written as JSON.
  return Object.defineProperty(explanation, "toString", { value: () => explanationTable(explanation, nowMs) });
}

function explainEndpoint(
  upstream: Upstream,
  { balancer, picker, standingOf, nowMs }: Source,
  unconfirmed: ReadonlySet<string>,
): EndpointExplanation {
  const standing = balancer.standing(upstream);
  const { state = "closed", rule, sinceMs, untilMs, ejections = 0, healthCheck } = standingOf(upstream) ?? {};
  const ejection = rule === undefined || sinceMs === undefined ? undefined : { rule, sinceMs, untilMs };
  return {
    endpoint: upstream.endpoint,
    address: upstream.address,
    candidate: standing.candidate,
    reason: reasonOf(standing, state, ejection, nowMs),
    share: standing.share,
    warmth: standing.warmth,
    breaker: state,
    ejection,
    ejections,
    healthCheck,
    warning: unconfirmed.has(upstream.id) ? "discovery lists it no longer; kept until that is confirmed" : undefined,
    inFlight: upstream.inFlight,
    requests: upstream.requests,
    failures: upstream.failures,
    latencyMs: upstream.latencyMs,
    picker: picker.explain?.(upstream),
  };
}

function reasonOf({ candidate, reason }: Standing, breaker: BreakerState, ejection: Ejection | undefined, nowMs: number): string {
  if (ejection === undefined) return reason;
  const { rule, sinceMs, untilMs } = ejection;
  const seconds = (ms: number) => `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
  const until =
    breaker === "half-open"
      ? "waits for a probe"
      : untilMs === undefined
        ? ""
        : rule === "operator"
          ? `back in ${seconds(untilMs - nowMs)}`
          : `a probe in ${seconds(untilMs - nowMs)} at the earliest`;
  const why = `out for ${seconds(nowMs - sinceMs)}: ${rule}${until === "" ? "" : `, ${until}`}`;
  return candidate ? `${why}; ${reason}` : why;
}
